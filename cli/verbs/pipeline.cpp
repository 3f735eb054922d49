// SPDX-License-Identifier: Apache-2.0
#include "cli/verbs/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "cli/command.h"
#include "cli/lookup.h"
#include "cli/signals.h"
#include "cli/surroundings.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/ids.h"
#include "hdrive/pipeline.h"
#include "hdrive/sweep.h"
#include "hdrive/warm_start.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

/// One run of a pipeline.
class PipelineRun {
 public:
  PipelineRun(const fs::path& file, const ConfigArguments& config, const RunOptions& options)
      : file_(file),
        config_(config),
        options_(options),
        overrides_(overrides_of(config, Purpose::run)),
        home_(fs::absolute(new_home_directory(options.output_dir))) {
    if (!config.command.empty() || !config.script.empty())
      fail(kWrong, fmt::format("{} is a pipeline, whose steps have commands of their own; none can "
                               "be given behind \"--\"",
                               file.string()));
    pipeline_ = load_pipeline(file, overrides_);
    report_problems(pipeline_.problems, Purpose::run);
    options_.goes_on = true;  // each step, by its name
  }

  int dry_run() const {
    std::string text;
    for (const PipelineStep& step : pipeline_.steps) {
      text += fmt::format("{} ({}){}\n", step.name, kind_of(step),
                          step.needs.empty() ? "" : ", after " + base::join(step.needs, ", "));
      for (const std::string& note : check_step(file_, step, overrides_, home_))
        text += fmt::format("  {}\n", printable(note));
    }
    print(text + "Nothing was started.\n");
    return kDone;
  }

  int run() {
    name_ = config_.name.empty() ? new_pipeline_name(pipeline_, file_) : config_.name;
    // Before the first begins. One that was begun before took over what it wanted.
    for (const PipelineStep& step : pipeline_.steps)
      if (!sweep_named(step_sweep_name(name_, step.name), home_))
        check_step(file_, step, overrides_, home_);
    if (!options_.quiet)
      tell(fmt::format("pipeline \"{}\": {}\n", printable(name_),
                       base::plural(static_cast<long long>(pipeline_.steps.size()), "step")));
    if (options_.max_concurrent_steps.value_or(1) > 1)
      run_at_once();
    else
      run_in_order();
    if (failure_) std::rethrow_exception(failure_);
    if (!options_.quiet && !over_) print_outputs();
    return code_ == kDone ? code_ : tell_how_to_go_on(code_);
  }

 private:
  static std::string_view kind_of(const PipelineStep& step) {
    return step.sweep ? "sweep" : "command";
  }

  void run_in_order() {
    for (const PipelineStep& step : pipeline_.steps) {
      if (over_) return;
      if (is_skipped(step)) continue;
      if (!options_.quiet) tell(fmt::format("step {} ({})\n", printable(step.name), kind_of(step)));
      take_end(step, run_step(step, outputs_, options_));
    }
  }

  // A thread a step. What belongs to all of them is touched by the holder of the mutex alone.
  void run_at_once() {
    const StopSignal stop;
    const SignalWatcher watcher(stop);  // before the threads, which take its mask over
    std::vector<std::thread> threads;
    {
      std::unique_lock lock(mutex_);
      while (true) {
        over_ = over_ || stop.level() > 0;
        while (const PipelineStep* step = over_ ? nullptr : next_step())
          threads.emplace_back([this, step, stop] { run_beside_others(*step, stop); });
        if (begun_.size() == ended_.size()) break;
        const std::size_t before = ended_.size();
        changed_.wait(lock, [&] { return ended_.size() > before; });
      }
    }
    for (std::thread& thread : threads) thread.join();
    if (over_ && code_ == kDone && !failure_) code_ = kInterrupted;  // between two steps
  }

  // The next step that can begin now, if there is room for one; what cannot be run any more is
  // skipped.
  const PipelineStep* next_step() {
    for (const PipelineStep& step : pipeline_.steps) {
      if (begun_.contains(step.name) || is_skipped(step)) continue;
      if (begun_.size() - ended_.size() >= static_cast<std::size_t>(*options_.max_concurrent_steps))
        return nullptr;
      if (can_begin(step, ended_)) {
        begun_.insert(step.name);
        return &step;
      }
    }
    return nullptr;
  }

  void run_beside_others(const PipelineStep& step, StopSignal stop) {
    const LineLabel label(printable(step.name));
    StepOutputs outputs;
    RunOptions options;
    {
      const std::lock_guard lock(mutex_);
      outputs = outputs_;
      options = options_;
      options_.detach.announce_to.reset();  // one of them tells the caller
    }
    options.shared_stop = stop;
    if (!options.quiet) tell(fmt::format("a {} begins\n", kind_of(step)));
    Ended ended;
    std::exception_ptr failure;
    try {
      ended = run_step(step, outputs, options);
    } catch (...) {
      failure = std::current_exception();
      complain("the step could not be run, and no other begins");
    }
    const std::lock_guard lock(mutex_);
    if (!ended.ran) options_.detach.announce_to = options.detach.announce_to;
    if (failure) {
      ended_[step.name] = StepEnd::failed;
      over_ = true;
      if (!failure_) failure_ = failure;
    } else {
      take_end(step, ended);
    }
    if (cancels_ && stop.level() == 0) stop.request();
    changed_.notify_all();
  }

  bool is_skipped(const PipelineStep& step) {
    const auto need = blocked_by(step, ended_);
    if (!need) return false;
    begun_.insert(step.name);
    ended_[step.name] = StepEnd::skipped;
    complain(fmt::format("step {}: skipped, since {} did not complete", printable(step.name),
                         printable(*need)));
    return true;
  }

  struct Ended {
    int code = kDone;
    std::optional<fs::path> outputs;  // of a step that completed
    bool ran = false;                 // else it had completed before
  };

  // Touches nothing that belongs to other steps.
  Ended run_step(const PipelineStep& step, const StepOutputs& outputs,
                 const RunOptions& options) const {
    LoadedConfig loaded = load_step(file_, step.name, outputs, overrides_);
    // What was wrong with the whole was told; new is what an earlier step did not write. Others
    // were started.
    if (!loaded.ok()) report_problems(loaded.problems, Purpose::check);
    loaded.spec.name = step_sweep_name(name_, step.name);
    if (!config_.experiment.empty()) loaded.spec.experiment = config_.experiment;
    if (config_.seed) loaded.spec.seed = *config_.seed;
    loaded.seed_given = loaded.seed_given || config_.seed.has_value();
    if (!loaded.seed_given) loaded.spec.seed = new_seed();
    const bool done = is_done(loaded);
    Ended ended =
        conclude(step, loaded.spec.name, done ? kDone : run_sweep_of(loaded, file_, options));
    ended.ran = !done;
    return ended;
  }

  // Whether the step ran to its end when this pipeline was run before.
  bool is_done(LoadedConfig loaded) const {
    const auto sweep = sweep_named(loaded.spec.name, home_);
    if (!sweep || sweep->status != SweepStatus::completed) return false;
    make_surroundings(loaded, options_.quiet);  // which is kept, and part of what was stored
    same_or_fail(*sweep, loaded, options_);
    if (!options_.quiet) tell(fmt::format("sweep {} is complete\n", short_id(sweep->header.id)));
    return true;
  }

  // One that has nothing left to do may have failed when this pipeline was run before.
  Ended conclude(const PipelineStep& step, const std::string& name, int code) const {
    const auto sweep = sweep_named(name, home_);
    if (code == kDone && sweep && sweep->status == SweepStatus::completed)
      return {kDone, value_or_fail(outputs_of(step, *sweep), kNoneSucceeded)};
    if (sweep && sweep->status == SweepStatus::failed)
      complain(
          fmt::format("step {0}: no run succeeded; hdrive retry {1}/0{2} lets one be tried "
                      "again when the pipeline goes on",
                      printable(step.name), shell_quote({name}), home_hint(options_.output_dir)));
    return {code == kDone ? kNoneSucceeded : code, std::nullopt};
  }

  void take_end(const PipelineStep& step, const Ended& ended) {
    ended_[step.name] = ended.outputs ? StepEnd::completed : StepEnd::failed;
    if (ended.outputs) outputs_[step.name] = *ended.outputs;
    if (ended.ran) options_.detach.announce_to.reset();
    if (ended.code == kDone) return;
    const bool interrupted = ended.code == kInterrupted || ended.code == kStoppedItself;
    if (code_ == kDone || (interrupted && !cancels_)) code_ = ended.code;
    if (interrupted) {
      // Whoever interrupts a step means the pipeline.
      over_ = true;
      cancels_ = cancels_ || ended.code == kInterrupted;
    } else if (!pipeline_.continue_on_step_failure) {
      over_ = cancels_ = true;
      complain(
          fmt::format("step {} failed, and continue_on_step_failure is false: the pipeline "
                      "ends",
                      printable(step.name)));
    }
  }

  int tell_how_to_go_on(int code) const {
    complain(fmt::format("go on with: hdrive run {} --name {}{}{}", shell_quote({file_.string()}),
                         shell_quote({name_}),
                         options_.max_concurrent_steps ? fmt::format(" --max-concurrent-steps {}",
                                                                     *options_.max_concurrent_steps)
                                                       : "",
                         home_hint(options_.output_dir)));
    return code;
  }

  void print_outputs() const {
    for (const PipelineStep& step : pipeline_.steps) {
      const auto folder = outputs_.find(step.name);
      if (folder == outputs_.end()) continue;
      for (const std::string& output : step.outputs) {
        const fs::path place = (folder->second / output).lexically_proximate(fs::current_path());
        print(fmt::format("{}.{}  {}\n", printable(step.name), printable(output),
                          printable(place.string())));
      }
    }
  }

  const fs::path file_;
  const ConfigArguments& config_;
  RunOptions options_;
  const ConfigOverrides overrides_;
  const fs::path home_;
  Pipeline pipeline_;
  std::string name_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> begun_;  // those skipped among them
  std::map<std::string, StepEnd> ended_;
  StepOutputs outputs_;
  int code_ = kDone;
  bool over_ = false;     // nothing begins any more
  bool cancels_ = false;  // and what goes on is cancelled
  std::exception_ptr failure_;
};

}  // namespace

std::vector<std::string> check_step(const fs::path& file, const PipelineStep& step,
                                    const ConfigOverrides& overrides, const fs::path& home) {
  const auto fault = [&](const Error& error) {
    fail(kWrong, fmt::format("{}: step {}: {}", file.string(), step.name, error.message()));
  };
  const LoadedConfig loaded = load_step(file, step.name, {}, overrides);
  if (const auto sound = check(loaded.spec); !sound) fault(sound.error());
  const auto warm_start = read_warm_start(loaded.spec, home);
  if (!warm_start) fault(warm_start.error());
  return warm_start->notes;
}

int run_pipeline(const fs::path& file, const ConfigArguments& config, const RunOptions& options) {
  PipelineRun pipeline(file, config, options);
  return options.dry_run ? pipeline.dry_run() : pipeline.run();
}

}  // namespace hdrive::cli
