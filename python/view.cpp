// SPDX-License-Identifier: Apache-2.0
#include "python/view.h"

#include <iterator>
#include <list>
#include <mutex>
#include <utility>

#include "hdrive/controller_log.h"
#include "hdrive/state.h"

namespace hdrive::python {
namespace {

Error no_such_run(RunId run, std::int64_t runs) {
  return Error{"run " + std::to_string(run),
               runs == 0 ? "there are no runs yet"
                         : "there is none; the runs are 0 to " + std::to_string(runs - 1),
               Error::Kind::not_found};
}

class MemoryView final : public View {
 public:
  MemoryView(SweepHeader header, std::shared_ptr<const Mirror> mirror)
      : header_(std::move(header)), mirror_(std::move(mirror)) {}

  Result<SweepEntry> entry() override {
    return mirror_->with_state([&](const SweepState& state) {
      SweepEntry entry;
      entry.header = header_;
      if (!state.edits().empty()) entry.header.config = state.edits().back().config;
      entry.status = state.status();
      entry.end = state.end();
      entry.reason = state.reason();
      entry.active = state.active();
      entry.changed = state.changed();
      entry.latest = state.latest();
      const History& history = state.history();
      entry.runs = history.size();
      entry.completed = history.count(RunStatus::completed);
      entry.failed = history.count(RunStatus::failed);
      entry.canceled = history.count(RunStatus::canceled);
      entry.live = history.count(RunStatus::running) + history.count(RunStatus::queued);
      return entry;
    });
  }
  Result<RunPage> runs(const RunQuery& query) override { return mirror_->runs(query); }
  Result<StoredRun> run(RunId run) override {
    if (auto found = mirror_->run(run)) return *std::move(found);
    return no_such_run(run, mirror_->size());
  }
  Result<Series> series(RunId run, const std::string& metric) override {
    return mirror_->series(run, metric);
  }
  Result<std::optional<RunJudged>> judged(RunId run) override { return mirror_->judged(run); }
  Result<std::vector<Noted>> notes() override {
    return mirror_->with_state([](const SweepState& state) { return state.notes(); });
  }
  Result<void> each_run(const std::function<void(const StoredRun&)>& tell) override {
    for (RunId run = 0;; ++run) {
      const auto found = mirror_->run(run);
      if (!found) return {};
      tell(*found);
    }
  }
  /// Of the present attempts, and how the sweep stands: memory keeps no more.
  Result<std::string> controller_log() override {
    ControllerLog log(header_);
    auto told = each_run([&](const StoredRun& stored) {
      const Run& run = stored.run;
      log.add(RunProposed{run.id, run.parameters, run.proposal, run.created});
      if (run.started != Time{})
        log.add(RunStarted{run.id, run.attempt, stored.pid, run.started, stored.slot});
      if (const auto judged = mirror_->judged(run.id)) log.add(*judged);
      if (is_terminal(run.status))
        log.add(RunEnded{run.id,
                         run.attempt,
                         run.status,
                         run.ended_by,
                         run.exit_code,
                         run.signal,
                         run.reason,
                         {},
                         run.ended});
    });
    if (!told) return told.error();
    mirror_->with_state([&](const SweepState& state) {
      for (const Noted& note : state.notes()) log.add(note);
      for (const SweepEdited& edit : state.edits()) log.add(edit);
      log.add(SweepChanged{state.status(), state.end(), state.reason(), state.active(),
                           state.changed()});
    });
    return log.text();
  }
  Result<void> with_history(const std::function<void(const History&)>& look) override {
    mirror_->with_state([&](const SweepState& state) { look(state.history()); });
    return {};
  }

 private:
  SweepHeader header_;
  std::shared_ptr<const Mirror> mirror_;
};

class DiskView;

// A reader holds files open, and a program may have thousands of sweeps: those views that were used
// last keep theirs.
class OpenViews {
 public:
  void used(DiskView& view);
  void forget(const DiskView& view) {
    const std::lock_guard lock(mutex_);
    views_.remove_if([&](const DiskView* each) { return each == &view; });
  }

 private:
  static constexpr std::size_t kMost = 32;

  std::mutex mutex_;
  std::list<DiskView*> views_;  // the last used one first
};

OpenViews& open_views() {
  static auto* const views = new OpenViews;  // outlives whatever the interpreter leaves at its end
  return *views;
}

class DiskView final : public View {
 public:
  explicit DiskView(std::filesystem::path directory) : directory_(std::move(directory)) {}
  ~DiskView() override { open_views().forget(*this); }

  Result<void> open() {
    return with_reader([](SweepReader&) { return Result<void>(); });
  }
  /// False where it is being read.
  bool try_close() {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock) reader_.reset();
    return lock.owns_lock();
  }

  Result<SweepEntry> entry() override {
    return with_reader([](SweepReader& reader) { return reader.entry(); });
  }
  Result<RunPage> runs(const RunQuery& query) override {
    return with_reader([&](SweepReader& reader) { return reader.runs(query); });
  }
  Result<StoredRun> run(RunId run) override {
    return with_reader([&](SweepReader& reader) { return reader.run(run); });
  }
  Result<Series> series(RunId run, const std::string& metric) override {
    return with_reader([&](SweepReader& reader) -> Result<Series> {
      auto found = reader.series({{run}, metric});
      if (!found) return found.error();
      if (found->empty()) return Series{.run = run};
      return std::move(found->front());
    });
  }
  Result<std::optional<RunJudged>> judged(RunId run) override {
    return with_reader([&](SweepReader& reader) { return reader.judged(run); });
  }
  Result<std::vector<Noted>> notes() override {
    return with_reader([](SweepReader& reader) { return reader.notes(); });
  }
  Result<void> each_run(const std::function<void(const StoredRun&)>& tell) override {
    return with_reader([&](SweepReader& reader) { return reader.each_run({}, tell); });
  }
  Result<std::string> controller_log() override {
    auto now = entry();
    if (!now) return now.error();
    ControllerLog log(now->header);
    auto replayed = replay_sweep(directory_, now->header.metric,
                                 [&](const Change& change) { log.add(change); });
    if (!replayed) return replayed.error();
    return log.text();
  }
  Result<void> with_history(const std::function<void(const History&)>& look) override {
    auto now = entry();
    if (!now) return now.error();
    SweepState state(now->header.metric, now->header.goal);
    auto replayed = replay_sweep(directory_, now->header.metric,
                                 [&](const Change& change) { state.apply(change); });
    if (!replayed) return replayed;
    look(state.history());
    return {};
  }

 private:
  template <class Call>
  auto with_reader(Call call) -> decltype(call(std::declval<SweepReader&>())) {
    const std::lock_guard lock(mutex_);
    if (!reader_) {
      auto opened = SweepReader::open(directory_);
      if (!opened) return opened.error();
      reader_ = *std::move(opened);
    }
    open_views().used(*this);
    return call(*reader_);
  }

  std::mutex mutex_;
  std::filesystem::path directory_;
  std::unique_ptr<SweepReader> reader_;  // where it was used not long ago
};

void OpenViews::used(DiskView& view) {
  const std::lock_guard lock(mutex_);
  views_.remove(&view);
  views_.push_front(&view);
  for (auto each = std::prev(views_.end()); views_.size() > kMost && each != views_.begin();) {
    const auto tried = each--;
    if ((*tried)->try_close()) views_.erase(tried);
  }
}

}  // namespace

std::shared_ptr<View> make_memory_view(SweepHeader header, std::shared_ptr<const Mirror> mirror) {
  return std::make_shared<MemoryView>(std::move(header), std::move(mirror));
}

Result<std::shared_ptr<View>> open_view(const std::filesystem::path& directory) {
  auto view = std::make_shared<DiskView>(directory);
  if (auto opened = view->open(); !opened) return opened.error();
  return std::shared_ptr<View>(std::move(view));
}

}  // namespace hdrive::python
