// SPDX-License-Identifier: Apache-2.0
//
// Trying a target, step by step, with what every target promises (target.h) and nothing else.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/file.h"
#include "hdrive/target_test.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kPatience{2};
constexpr const char* kLog = R"(echo '{"name": "probe", "value": 1}' >> "$HDRIVE_METRICS_FILE")";

class Trial {
 public:
  Trial(ComputeTarget& target, Clock& clock, const fs::path& directory, const StopSignal& stop,
        const std::function<void(const TargetTestStep&)>& tell)
      : target_(target), clock_(clock), directory_(directory), stop_(stop), tell_(tell) {}

  void run() {
    if (const auto capacity = target_.capacity())
      tell_(
          {"room", true, fmt::format("{} runs at once ({})", capacity->runs, capacity->limit), ""});
    // The first run leaves a file and ends by itself.
    if (!start(0, fmt::format("{}; echo fetched > \"$HDRIVE_OUTPUTS_DIR/probe\"; echo out; exit 7",
                              kLog)))
      return;
    if (!begin(0) || !hear(0)) return;
    const auto exited = end(0, "end of the run");
    if (!exited) return;
    if (exited->exit_code != 7)
      return failed("end of the run",
                    fmt::format("it should have ended with exit code 7; {}", end_text(*exited)),
                    exited->stderr_tail);
    passed("end of the run");
    const auto fetched = base::read_file(run_directory(0) / "outputs/probe", 100);
    if (!fetched || *fetched != "fetched\n")
      return failed("fetch its files",
                    fetched ? "outputs/probe is not what the run wrote" : fetched.error().message(),
                    "is the sweep's directory on a file system that the nodes share?");
    passed("fetch its files");
    // The second one has to be told, and leaves a child behind that must not survive it.
    if (!start(1, fmt::format("{}; sleep 600 & sleep 600", kLog)) || !begin(1) || !hear(1)) return;
    began_step_ = clock_.now();
    target_.cancel(1, CancelMode::graceful);
    const auto canceled = end(1, "cancel a run");
    if (!canceled) return;
    if (canceled->exit_code == 0)
      return failed("cancel a run", "it ended by itself before it was cancelled", "");
    passed("cancel a run");
  }

 private:
  fs::path run_directory(RunId run) const { return directory_ / "runs" / std::to_string(run); }

  void passed(const std::string& name) {
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - began_step_);
    tell_({name, true, fmt::format("{:.1f} s", static_cast<double>(took.count()) / 1'000), ""});
    began_step_ = clock_.now();
  }
  void failed(const std::string& name, const std::string& why, const std::string& advice) {
    tell_({name, false, why, advice});
  }

  static std::string end_text(const RunExited& exited) {
    if (exited.not_started) return "it could not be started: " + exited.note;
    if (exited.signal) return fmt::format("it was ended by signal {}", *exited.signal);
    return fmt::format("it ended with exit code {}", exited.exit_code.value_or(-1));
  }

  bool start(RunId run, const std::string& script) {
    RunRequest request;
    request.run = run;
    request.run_id = fmt::format("{}_{}", directory_.filename().string(), run);
    request.arguments = {"/bin/sh", "-c", script};
    request.working_directory = directory_;
    request.workspace.source = directory_;
    request.directory = run_directory(run);
    request.time_limit = std::chrono::minutes(10);
    request.cancel_grace = std::chrono::seconds(5);
    began_step_ = clock_.now();
    const auto started = target_.start(request);
    if (!started) failed("hand a run over", started.error().message(), "");
    return static_cast<bool>(started);
  }

  // The first event of the run for which `wanted` is true. Nothing: it will not come, which is told.
  template <class Wanted>
  const TargetEvent* await(RunId run, const std::string& step, Wanted wanted) {
    const Time deadline = clock_.now() + kPatience;
    std::size_t seen = 0;
    while (true) {
      for (; seen < events_.size(); ++seen) {
        const TargetEvent& event = events_[seen];
        if (wanted(event)) return &event;
        if (const auto* exited = std::get_if<RunExited>(&event); exited && exited->run == run)
          return failed(step, end_text(*exited), exited->stderr_tail), nullptr;
        if (const auto* vanished = std::get_if<RunVanished>(&event);
            vanished && vanished->run == run)
          return failed(step, "the run is lost: " + vanished->note, ""), nullptr;
        if (const auto* deferred = std::get_if<RunDeferred>(&event);
            deferred && deferred->run == run)
          return failed(step, deferred->why.message(), ""), nullptr;
        if (const auto* missing = std::get_if<RunNotFound>(&event); missing && missing->run == run)
          return failed(step, "the target knows nothing of the run any more", ""), nullptr;
        if (const auto* note = std::get_if<TargetNote>(&event)) last_note_ = note->note;
        if (const auto* lost = std::get_if<RunUnreachable>(&event)) last_note_ = lost->why;
        if (std::holds_alternative<RunAccepted>(event))
          last_note_ = "it waits in the target's queue";
      }
      if (stop_.level() > 0) return failed(step, "interrupted", ""), nullptr;
      if (clock_.now() >= deadline)
        return failed(step,
                      fmt::format("nothing happened for {} seconds",
                                  std::chrono::seconds(kPatience).count()),
                      last_note_),
               nullptr;
      target_.wait(deadline, stop_.token(0), events_);
    }
  }

  bool begin(RunId run) {
    const bool began = await(run, "reach it and start a run", [&](const TargetEvent& event) {
      const auto* each = std::get_if<RunBegan>(&event);
      return each && each->run == run;
    });
    if (began) passed("reach it and start a run");
    return began;
  }

  bool hear(RunId run) {
    const bool heard = await(run, "hear a metric", [&](const TargetEvent& event) {
      const auto* each = std::get_if<RunReported>(&event);
      return each && each->run == run && !each->metrics.empty() &&
             each->metrics.front().name == "probe";
    });
    if (heard) passed("hear a metric");
    return heard;
  }

  std::optional<RunExited> end(RunId run, const std::string& step) {
    const TargetEvent* event = await(run, step, [&](const TargetEvent& each) {
      const auto* exited = std::get_if<RunExited>(&each);
      return exited && exited->run == run && !exited->not_started;
    });
    return event ? std::optional(std::get<RunExited>(*event)) : std::nullopt;
  }

  ComputeTarget& target_;
  Clock& clock_;
  const fs::path& directory_;
  const StopSignal& stop_;
  const std::function<void(const TargetTestStep&)>& tell_;
  std::vector<TargetEvent> events_;
  Time began_step_{};
  std::string last_note_;
};

}  // namespace

Result<void> test_target(ComputeTarget& target, Clock& clock, const fs::path& directory,
                         const StopSignal& stop,
                         const std::function<void(const TargetTestStep&)>& tell) {
  if (auto made = base::make_directories(directory); !made) return made;
  Trial(target, clock, directory, stop, tell).run();
  return {};
}

Result<void> test_target(const NamedTarget& named, const LocalTargetOptions& runs,
                         const fs::path& home, const StopSignal& stop,
                         const std::function<void(const TargetTestStep&)>& tell) {
  const auto* command = std::get_if<CommandOptions>(&named.options);
  if (command && !command->shared_files && !runs.elsewhere) {
    tell({"use it", false,
          "its jobs share no files with this machine and report by HTTP, and a test has no server",
          "try it by a sweep of one run: hdrive run --advertise ADDRESS --set max_total_runs=1"});
    return {};
  }
  const std::shared_ptr<Clock> clock = make_steady_clock();
  if (auto made = base::make_directories(home); !made) return made;
  std::string directory = (fs::absolute(home) / "target-test-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr)
    return base::system_error(home, "make a folder in it", errno);
  auto target = make_target(named, runs, clock);
  Result<void> tested;
  if (target)
    tested = test_target(**target, *clock, directory, stop, tell);
  else
    tell({"use it", false, target.error().message(), ""});
  std::error_code ignored;
  fs::remove_all(directory, ignored);
  return tested;
}

}  // namespace hdrive
