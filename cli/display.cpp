// SPDX-License-Identifier: Apache-2.0
#include "cli/display.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "cli/messages.h"
#include "cli/patient_writer.h"
#include "cli/picture.h"
#include "cli/progress.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/overview.h"

namespace hdrive::cli {
namespace {

constexpr int kFailuresInFull = 2;  // of how many failed runs stderr is shown
constexpr int kProgressLines = 3;

// One line a run on stdout, warnings on stderr, no escape codes. Quiet: the warnings only.
class PlainDisplay final : public Display {
 public:
  PlainDisplay(bool quiet, StopSignal stop) : quiet_(quiet), stop_(std::move(stop)) {}

  void on_change(const Change& change, const SweepState& state) override {
    if (const auto* contact = std::get_if<RunContact>(&change)) return contacts_.take(*contact);
    if (const auto warning = warning_line(change)) tell(*warning);
    if (const auto news = pause_news_.line(change)) tell(*news);
    const auto* ended = std::get_if<RunEnded>(&change);
    if (ended == nullptr) return;
    const Run& run = state.history().run(ended->run);  // queued, if it is tried again at once
    if (!quiet_ && is_terminal(run.status)) out_.add(run_line(run, state) + "\n");
    if (ended->status == RunStatus::failed && failures_++ < kFailuresInFull)
      for (const std::string& line : stderr_lines(*ended)) err_.add(line + "\n");
  }

  void on_trouble(const std::string& trouble) override {
    tell(trouble.empty() ? "that is over, and the sweep goes on" : printable(trouble));
  }

  void on_turn(const SweepState& state, Time /*now*/) override {
    while (level_ < stop_.level())
      tell(interruption_line(++level_, state.history().count(RunStatus::running)));
    for (const std::string& line : contacts_.take_lines()) tell(line);
    out_.flush();
    err_.flush();
  }

  void drain() override {
    for (const std::string& line : contacts_.take_lines()) tell(line);
    out_.finish();
    err_.finish();
  }

 private:
  void tell(const std::string& message) { err_.add("hdrive: " + message + "\n"); }

  bool quiet_;
  StopSignal stop_;
  PauseNews pause_news_;
  ContactNews contacts_;
  PatientWriter out_{STDOUT_FILENO}, err_{STDERR_FILENO};
  int level_ = 0;
  int failures_ = 0;
};

// Three lines and what there is room for - the runs that go on; on a higher terminal a board of them, of those that ended
// and of the best so far - at the bottom of the terminal and redrawn in place; messages scroll above.
class LiveDisplay final : public Display {
 public:
  LiveDisplay(const SweepSpec& spec, StopSignal stop, Glimpses glimpses)
      : stop_(std::move(stop)),
        glyphs_(Glyphs::of(utf8_locale())),
        board_(spec.primary_metric, spec.goal, std::move(glimpses)) {
    progress_.metric = printable(spec.primary_metric);
    follow(spec);
  }

  void on_change(const Change& change, const SweepState& state) override {
    look_back(state);
    last_change_ = std::max(last_change_, time_of(change));
    board_.take(change, state);
    if (std::holds_alternative<RunMetrics>(change)) return;
    dirty_ = true;
    if (const auto* contact = std::get_if<RunContact>(&change)) return contacts_.take(*contact);
    if (const auto warning = warning_line(change)) messages_.push_back(*warning);
    if (const auto news = pause_news_.line(change)) messages_.push_back(*news);
    if (const auto* started = std::get_if<RunStarted>(&change)) live_[started->run] = started->at;
    if (const auto* requeued = std::get_if<RunRequeued>(&change)) live_.erase(requeued->run);
    if (const auto* ended = std::get_if<RunEnded>(&change)) take(*ended, state);
    if (const auto* edited = std::get_if<SweepEdited>(&change)) follow(*edited);
    if (std::holds_alternative<SweepChanged>(change)) refresh(state, last_change_);
  }

  void on_trouble(const std::string& trouble) override {
    messages_.push_back(trouble.empty() ? "that is over, and the sweep goes on"
                                        : printable(trouble));
    dirty_ = true;
  }

  void on_turn(const SweepState& state, Time now) override {
    look_back(state);
    while (level_ < stop_.level()) {
      messages_.push_back(interruption_line(++level_, state.history().count(RunStatus::running)));
      dirty_ = true;
    }
    for (std::string& line : contacts_.take_lines()) messages_.push_back(std::move(line));
    constexpr Duration kBusy = std::chrono::milliseconds{100};
    constexpr Duration kIdle = std::chrono::milliseconds{500};
    if (now - drawn_ < (dirty_ ? kBusy : kIdle)) return;
    refresh(state, now);
    if (!draw(false)) return;
    drawn_ = now;
    dirty_ = false;
  }

  void finish() override {
    progress_.left.reset();
    progress_.stopping = false;
    progress_.paused = false;
    unfinished_ = true;
    if (takes_bytes()) drain();
  }

  void drain() override {
    if (std::exchange(unfinished_, false)) draw(true);
  }

 private:
  void follow(const SweepSpec& spec) {
    at_once_ = spec.max_concurrent_runs;
    total_ = spec.max_total_runs;
    budget_ = spec.max_duration;
    if (const auto points = cardinality(spec.space);
        points && *points < static_cast<std::uint64_t>(total_))
      total_ = static_cast<std::int64_t>(*points);
    total_ += std::min(spec.repeat_best.runs, total_) * spec.repeat_best.times;
  }
  void follow(const SweepEdited& edited) {
    SweepHeader header;
    header.config = edited.config;
    if (const auto spec = stored_spec(header, "")) follow(*spec);
  }

  // The runs of earlier sessions, where a sweep is resumed.
  void look_back(const SweepState& state) {
    if (!std::exchange(first_look_, false)) return;
    for (RunId id = 0; id < state.history().size(); ++id) count(state.history().run(id));
    board_.look_back(state);
  }

  // Only runs that went as far as they would go tell how long runs take.
  void count(const Run& run) {
    if (run.status != RunStatus::completed && run.ended_by != EndCause::policy) return;
    ++ended_;
    ended_total_ += run.ended - run.started;
  }

  void take(const RunEnded& ended, const SweepState& state) {
    const Run& run = state.history().run(ended.run);
    live_.erase(ended.run);
    if (!is_terminal(run.status)) return;  // it is tried again at once
    count(run);
    if (ended.status != RunStatus::failed) return;
    messages_.push_back(run_line(run, state));
    if (failures_++ >= kFailuresInFull) return;
    for (std::string& line : stderr_lines(ended)) messages_.push_back(std::move(line));
  }

  void refresh(const SweepState& state, Time now) {
    const History& history = state.history();
    progress_.total = std::max(total_, history.size());
    progress_.running = history.count(RunStatus::running);
    progress_.finished = history.count(RunStatus::completed);
    progress_.failed = history.count(RunStatus::failed);
    progress_.stopped = state.stopped_by_policy();
    progress_.canceled = history.count(RunStatus::canceled) - progress_.stopped;
    progress_.stopping = level_ > 0;
    if (const auto best = history.incumbent())
      progress_.best = Progress::Best{*best, *history.best(*best),
                                      parameters_text(history.run(*best).parameters)};
    progress_.paused = state.status() == SweepStatus::paused;
    progress_.elapsed = state.active(now);
    Pace pace;
    pace.to_start = progress_.total - progress_.ended() - progress_.running;
    pace.at_once = at_once_;
    for (const auto& [run, started] : live_)
      if (history.run(run).status == RunStatus::running) pace.running.push_back(now - started);
    // The state is ahead of what was told: these have just begun.
    pace.running.resize(static_cast<std::size_t>(progress_.running));
    pace.ended = ended_;
    pace.ended_total = ended_total_;
    pace.budget_left = budget_ - progress_.elapsed;
    // When a paused sweep ends is its user's affair.
    progress_.left = progress_.paused ? std::nullopt : expected_rest(pace);
    progress_.end = progress_.left ? clock_text(now + *progress_.left) : "";
    refresh_live(history, now);
    // Curves are looked up for those that are shown alone.
    const TerminalSize size = screen();
    board_.refresh(state, now, progress_.live, board_room(size) - kProgressLines);
  }

  void refresh_live(const History& history, Time now) {
    progress_.live.clear();
    for (const auto& [run, started] : live_) {
      if (history.run(run).status != RunStatus::running) continue;
      const auto reports = history.reports(run);
      progress_.live.push_back({run, now - started,
                                reports.empty() ? std::nullopt : std::optional(reports.back()),
                                parameters_text(history.run(run).parameters)});
    }
  }

  // Whether a redraw would neither block (Ctrl-S) nor scribble over another job's terminal.
  static bool may_draw() {
    const pid_t foreground = tcgetpgrp(STDERR_FILENO);  // -1: not our controlling terminal
    return (foreground < 0 || foreground == getpgrp()) && takes_bytes();
  }
  static bool takes_bytes() {
    pollfd terminal{STDERR_FILENO, POLLOUT, 0};
    return poll(&terminal, 1, 0) == 1;
  }

  bool draw(bool last) {
    if (!last && !may_draw()) return false;
    const TerminalSize size = screen();
    // The last column stays free: some terminals wrap as soon as it is written.
    const int width = std::max(1, size.columns - 1);
    std::vector<std::string> lines = progress_lines(progress_, width, glyphs_);
    if (!last) {
      const int room = board_room(size) - kProgressLines;
      auto below = room > 0 ? board_lines(board_.board(), width, room, glyphs_)
                            : live_lines(progress_, width, room_for_runs(size), glyphs_);
      for (std::string& line : below) lines.push_back(std::move(line));
    }
    std::string bytes = picture_.redraw(messages_, lines, size);
    messages_.clear();
    if (last) bytes += Picture::end();
    write_all(STDERR_FILENO, bytes);
    return true;
  }

  static TerminalSize screen() { return terminal_size(STDERR_FILENO).value_or(TerminalSize{}); }

  // A third of a low screen at most, so that what scrolls above can be read.
  static int room_for_runs(const TerminalSize& size) {
    constexpr int kMost = 8;
    return std::min(kMost, size.rows / 3);
  }

  StopSignal stop_;
  Glyphs glyphs_;
  PauseNews pause_news_;
  ContactNews contacts_;
  std::int64_t at_once_ = 1;
  std::int64_t total_ = 0;
  Duration budget_{};
  Progress progress_;
  std::map<RunId, Time> live_;
  std::int64_t ended_ = 0;
  Duration ended_total_{};
  Time last_change_{};
  Time drawn_{};
  Picture picture_;
  BoardKeeper board_;
  std::vector<std::string> messages_;
  bool dirty_ = true;
  bool first_look_ = true;
  bool unfinished_ = false;
  int level_ = 0;
  int failures_ = 0;
};

}  // namespace

std::shared_ptr<Display> make_display(const SweepSpec& spec, bool quiet, const StopSignal& stop,
                                      Glimpses glimpses) {
  if (!quiet && can_redraw(STDERR_FILENO))
    return std::make_shared<LiveDisplay>(spec, stop, std::move(glimpses));
  return make_plain_display(quiet, stop);
}

std::shared_ptr<Display> make_plain_display(bool quiet, const StopSignal& stop) {
  return std::make_shared<PlainDisplay>(quiet, stop);
}

}  // namespace hdrive::cli
