// SPDX-License-Identifier: Apache-2.0
#include "cli/verbs/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/text.h"
#include "cli/command.h"
#include "cli/lookup.h"
#include "cli/surroundings.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/ids.h"
#include "hdrive/pipeline.h"
#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

// The outputs of the run that stands for a step: the best one of a sweep, the only one of a command.
fs::path outputs_of(const PipelineStep& step, const SweepEntry& sweep) {
  RunId run = 0;
  if (step.sweep) {
    const auto reader = value_or_fail(SweepReader::open(sweep.directory));
    const auto best = value_or_fail(reader->totals()).best;
    if (!best)
      fail(kNoneSucceeded, fmt::format("{}: no run of {} reported {}, so that none is the best",
                                       short_id(sweep.header.id), step.name, sweep.header.metric));
    run = *best;
  }
  return run_directory(sweep.directory, run) / "outputs";
}

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
    if (options.detach.announce_to)
      fail(kWrong, fmt::format("{} is a pipeline, which runs in the foreground; leave out --detach",
                               file.string()));
    pipeline_ = load_pipeline(file, overrides_);
    report_problems(pipeline_.problems, Purpose::run);
    options_.goes_on = true;  // each step, by its name
  }

  int dry_run() const {
    std::string text;
    for (const PipelineStep& step : pipeline_.steps)
      text += fmt::format("{} ({}){}\n", step.name, step.sweep ? "sweep" : "command",
                          step.needs.empty() ? "" : ", after " + base::join(step.needs, ", "));
    print(text + "Nothing was started.\n");
    return kDone;
  }

  int run() {
    name_ = config_.name.empty() ? new_name() : config_.name;
    if (!options_.quiet)
      tell(fmt::format("pipeline \"{}\": {}\n", printable(name_),
                       base::plural(static_cast<long long>(pipeline_.steps.size()), "step")));
    int code = kDone;
    for (const PipelineStep& step : pipeline_.steps) {
      const int ended = run_step(step);
      // Whoever interrupts a step means the pipeline.
      if (ended == kInterrupted || ended == kStoppedItself) return tell_how_to_go_on(ended);
      if (code == kDone) code = ended;
    }
    if (!options_.quiet) print_outputs();
    return code == kDone ? code : tell_how_to_go_on(code);
  }

 private:
  // The file's own name, and something of its own, since no other pipeline is meant.
  std::string new_name() const {
    const std::string name = pipeline_.name.empty() ? file_.stem().string() : pipeline_.name;
    std::string safe;
    for (const char c : name) safe += c == '/' ? '-' : c;
    return safe + "-" + short_id(new_sweep_id()).substr(3);
  }

  int run_step(const PipelineStep& step) {
    if (const auto need = blocked_by(step, ended_)) {
      ended_[step.name] = StepEnd::skipped;
      complain(fmt::format("step {}: skipped, since {} did not complete", printable(step.name),
                           printable(*need)));
      return kDone;
    }
    if (!options_.quiet)
      tell(fmt::format("step {} ({})\n", printable(step.name), step.sweep ? "sweep" : "command"));
    LoadedConfig loaded = load_step(file_, step.name, outputs_, overrides_);
    // What was wrong with the whole was told; new is what an earlier step did not write.
    if (!loaded.ok()) report_problems(loaded.problems, Purpose::run);
    loaded.spec.name = name_ + "." + step.name;
    if (!config_.experiment.empty()) loaded.spec.experiment = config_.experiment;
    if (config_.seed) loaded.spec.seed = *config_.seed;
    loaded.seed_given = loaded.seed_given || config_.seed.has_value();
    if (!loaded.seed_given) loaded.spec.seed = new_seed();
    const int code = is_done(loaded) ? kDone : run_sweep_of(loaded, file_, options_);
    return conclude(step, loaded.spec.name, code);
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
  int conclude(const PipelineStep& step, const std::string& name, int code) {
    const auto sweep = sweep_named(name, home_);
    const bool completed = code == kDone && sweep && sweep->status == SweepStatus::completed;
    ended_[step.name] = completed ? StepEnd::completed : StepEnd::failed;
    if (completed) {
      outputs_[step.name] = outputs_of(step, *sweep);
      return kDone;
    }
    if (sweep && sweep->status == SweepStatus::failed)
      complain(
          fmt::format("step {0}: no run succeeded; hdrive retry {1}/0{2} lets one be tried "
                      "again when the pipeline goes on",
                      printable(step.name), shell_quote({name}), home_hint(options_.output_dir)));
    return code == kDone ? kNoneSucceeded : code;
  }

  int tell_how_to_go_on(int code) const {
    complain(fmt::format("go on with: hdrive run {} --name {}{}", shell_quote({file_.string()}),
                         shell_quote({name_}), home_hint(options_.output_dir)));
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
  std::map<std::string, StepEnd> ended_;
  StepOutputs outputs_;
};

}  // namespace

int run_pipeline(const fs::path& file, const ConfigArguments& config, const RunOptions& options) {
  PipelineRun pipeline(file, config, options);
  return options.dry_run ? pipeline.dry_run() : pipeline.run();
}

}  // namespace hdrive::cli
