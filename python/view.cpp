// SPDX-License-Identifier: Apache-2.0
#include "python/view.h"

#include <mutex>
#include <utility>

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
  Result<void> with_history(const std::function<void(const History&)>& look) override {
    mirror_->with_state([&](const SweepState& state) { look(state.history()); });
    return {};
  }

 private:
  SweepHeader header_;
  std::shared_ptr<const Mirror> mirror_;
};

class DiskView final : public View {
 public:
  DiskView(std::filesystem::path directory, std::unique_ptr<SweepReader> reader)
      : directory_(std::move(directory)), reader_(std::move(reader)) {}

  Result<SweepEntry> entry() override {
    return locked([&] { return reader_->entry(); });
  }
  Result<RunPage> runs(const RunQuery& query) override {
    return locked([&] { return reader_->runs(query); });
  }
  Result<StoredRun> run(RunId run) override {
    return locked([&] { return reader_->run(run); });
  }
  Result<Series> series(RunId run, const std::string& metric) override {
    return locked([&]() -> Result<Series> {
      auto found = reader_->series({{run}, metric});
      if (!found) return found.error();
      if (found->empty()) return Series{.run = run};
      return std::move(found->front());
    });
  }
  Result<std::optional<RunJudged>> judged(RunId run) override {
    return locked([&] { return reader_->judged(run); });
  }
  Result<std::vector<Noted>> notes() override {
    return locked([&] { return reader_->notes(); });
  }
  Result<void> each_run(const std::function<void(const StoredRun&)>& tell) override {
    return locked([&] { return reader_->each_run({}, tell); });
  }
  Result<void> with_history(const std::function<void(const History&)>& look) override {
    auto entry = locked([&] { return reader_->entry(); });
    if (!entry) return entry.error();
    SweepState state(entry->header.metric, entry->header.goal);
    auto replayed = replay_sweep(directory_, entry->header.metric,
                                 [&](const Change& change) { state.apply(change); });
    if (!replayed) return replayed;
    look(state.history());
    return {};
  }

 private:
  template <class Call>
  auto locked(Call call) -> decltype(call()) {
    const std::lock_guard lock(mutex_);
    return call();
  }

  std::mutex mutex_;
  std::filesystem::path directory_;
  std::unique_ptr<SweepReader> reader_;
};

}  // namespace

std::shared_ptr<View> make_memory_view(SweepHeader header, std::shared_ptr<const Mirror> mirror) {
  return std::make_shared<MemoryView>(std::move(header), std::move(mirror));
}

Result<std::shared_ptr<View>> open_view(const std::filesystem::path& directory) {
  auto reader = SweepReader::open(directory);
  if (!reader) return reader.error();
  return std::shared_ptr<View>(std::make_shared<DiskView>(directory, *std::move(reader)));
}

}  // namespace hdrive::python
