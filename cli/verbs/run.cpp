// SPDX-License-Identifier: Apache-2.0
#include "cli/verbs/run.h"

#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/built_environment.h"
#include "cli/config_arguments.h"
#include "cli/detach.h"
#include "cli/foreground.h"
#include "cli/lookup.h"
#include "cli/page.h"
#include "cli/source_text.h"
#include "cli/stored_spec.h"
#include "cli/surroundings.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/pipeline.h"
#include "cli/verbs/resume.h"
#include "cli/verbs/verbs.h"
#include "hdrive/begin.h"
#include "hdrive/catalog.h"
#include "hdrive/ids.h"
#include "hdrive/pipeline.h"
#include "hdrive/sampler.h"
#include "hdrive/sweep.h"
#include "hdrive/warm_start.h"

namespace hdrive::cli {
namespace {

struct Options {
  ConfigArguments config;
  std::string repeat_best, advertise;
  std::vector<std::string> resume_from, resume_child_runs;
  RunOptions run;
};

std::string row(std::string_view label, const std::string& text) {
  return fmt::format("{:<11} {}\n", label, printable(text));
}

// What would be run: everything is checked and made except the runs.
int dry_run(const LoadedConfig& loaded, const std::filesystem::path& file,
            const std::filesystem::path& home) {
  const SweepSpec& spec = loaded.spec;
  const WarmStart warm_start = value_or_fail(read_warm_start(spec, home), kWrong);
  const auto sampler = value_or_fail(
      make_sampler(spec.sampling, spec.space,
                   {spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs}),
      kWrong);
  const auto policy = value_or_fail(make_policy(spec.policy, spec.goal), kWrong);
  std::string text = file.empty() ? "" : row("config", file.string());
  text += row("metric", fmt::format("{} ({})", spec.primary_metric, to_string(spec.goal)));
  text += row("sampling", sampler->describe());
  text += row("policy", policy->describe());
  text += row("runs", fmt::format("{}, {} at once, for at most {}", spec.max_total_runs,
                                  spec.max_concurrent_runs, duration_text(spec.max_duration)));
  if (const auto& [best, times] = spec.repeat_best; best > 0)
    text += row("repeats", fmt::format("the best {}, {} more each", best,
                                       times == 1 ? "once" : fmt::format("{} times", times)));
  text += row("seed", std::to_string(spec.seed));
  if (const std::string around = surroundings_text(loaded.surroundings); !around.empty())
    text += row("environment", around);
  for (const std::string& note : warm_start.notes) text += printable(note) + "\n";
  text += row("starts in", spec.source_directory.string());
  text += row("kept in", home.string());
  const auto proposal = value_or_fail(sampler->propose(History(spec.goal), 0));
  if (proposal.parameters)
    text += row("first run",
                shell_quote(render_command(spec, *proposal.parameters, "HD_dry_run", 0).arguments));
  print(text + "Nothing was started.\n");
  return kDone;
}

}  // namespace

std::optional<SweepEntry> sweep_named(const std::string& name, const std::filesystem::path& home) {
  const auto found = value_or_fail(sweeps_named(home, name));
  if (found.size() > 1)
    fail(kWrong, fmt::format("--name {0}: there are several sweeps of that name; hdrive list shows "
                             "them, hdrive resume goes on with one, another name begins a new one",
                             shell_quote({name})));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

void same_or_fail(const SweepEntry& sweep, LoadedConfig loaded, const RunOptions& options) {
  const std::string id = short_id(sweep.header.id), hint = home_hint(options.output_dir);
  const std::string name = shell_quote({sweep.header.name});
  if (sweep.engine)
    fail(kCannot,
         fmt::format("the sweep {0} ({1}) is run by process {2}; hdrive attach {1}{3} shows it, "
                     "another --name begins another one",
                     name, id, *sweep.engine, hint));
  const SweepSpec stored = value_or_fail(stored_spec(sweep.header, sweep.directory));
  // What the machine or chance would choose was chosen when it began.
  if (!loaded.seed_given) loaded.spec.seed = stored.seed;
  if (!loaded.concurrency_given) loaded.spec.max_concurrent_runs = stored.max_concurrent_runs;
  const auto different = differences(loaded.spec, stored);
  if (!different.empty())
    fail(kWrong,
         fmt::format("there is a sweep {0} ({1}) already, and this configuration is another one:\n"
                     "  {2}\n"
                     "hdrive resume {1}{3} goes on with it as it is, hdrive update {1}{3} --set "
                     "KEY=VALUE changes it, another --name begins a new one",
                     name, id, base::join(different, "\n  "), hint));
}

namespace {

// The same command with the same name goes on with the sweep it began, provided it is the same
// sweep.
int go_on_with(const SweepEntry& sweep, const LoadedConfig& loaded, const RunOptions& options) {
  same_or_fail(sweep, loaded, options);
  ResumeOptions resume;
  resume.sweep = sweep.directory.string();
  resume.output_dir = options.output_dir;
  resume.quiet = options.quiet;
  resume.ui = options.ui;
  resume.detach = options.detach;
  resume.shared_stop = options.shared_stop;
  return resume_sweep(resume);
}

// The code that the runs start from, as it is now.
Capture capture(const SweepSpec& spec, const std::filesystem::path& home, Time now, bool quiet) {
  Capture result = value_or_fail(capture_code(spec, home, now));
  if (!quiet && !result.id.empty()) tell(snapshot_line(result));
  for (const std::string& note : result.notes) complain("warning: " + printable(note));
  return result;
}

// Options that stand for a key whose value is a list of texts.
void set_words(const std::string& key, const std::vector<std::string>& words,
               ConfigArguments& config) {
  if (words.empty()) return;
  std::vector<std::string> texts;
  for (const std::string& word : words) texts.push_back(to_json(Value(word)));
  config.set.push_back(key + "=[" + base::join(texts, ", ") + "]");
}

}  // namespace

void add_run_options(ArgumentParser& parser, RunOptions& options, const std::string& verb,
                     const std::vector<std::string>& arguments) {
  add_detach_option(parser, options.detach, verb, arguments);
  add_new_home_option(parser, options.output_dir);
  parser.flag("--dry-run", options.dry_run,
              "Check everything, print what would be run, start nothing");
  parser.flag("--quiet", options.quiet, "Only warnings, errors and one line about the best run");
  parser.flag("--ui", options.ui, "Serve the page of all sweeps beside it, and tell its address");
  add_azure_options(parser, options.azure);
}

int run_sweep_of(LoadedConfig loaded, const std::filesystem::path& file,
                 const RunOptions& options) {
  const SweepSpec& spec = loaded.spec;
  ok_or_fail(check(spec), kWrong);
  tell_of_azure_options(options.azure, options.quiet);
  const auto home = std::filesystem::absolute(new_home_directory(options.output_dir));
  if (options.dry_run) return dry_run(loaded, file, home);
  make_surroundings(loaded, options.quiet);
  // Held until the sweep is made: of several that begin at once with one name the others find it.
  std::shared_ptr<void> claim;
  if (!spec.name.empty() && options.goes_on) {
    claim = value_or_fail(claim_names(home));
    if (const auto sweep = sweep_named(spec.name, home)) {
      claim.reset();
      return go_on_with(*sweep, loaded, options);
    }
  }

  const WarmStart warm_start = value_or_fail(read_warm_start(spec, home), kWrong);
  const Time now = make_steady_clock()->now();
  SweepHeader header = new_sweep_header(spec, now);
  Capture source = capture(spec, home, now, options.quiet);
  header.snapshot = source.id;
  header.properties = source.properties;
  note_environment(loaded.surroundings, header);
  Foreground foreground;
  foreground.spec = spec;
  foreground.directory = home / header.id;
  foreground.output_dir = options.output_dir;
  foreground.quiet = options.quiet;
  foreground.ui = options.ui;
  foreground.announce_to = options.detach.announce_to;
  foreground.shared_stop = options.shared_stop;
  const MetadataFile metadata(options.azure.metadata_file, foreground.directory);
  foreground.open = [&] {
    auto store = value_or_fail(create_sqlite_store(foreground.directory, header));
    claim.reset();
    source.hold.reset();  // the stored sweep holds it from here on
    ok_or_fail(bring_outputs(warm_start, foreground.directory));
    ok_or_fail(store->append(changes_of(warm_start, now)));
    ok_or_fail(store->append(notes_of(source, now)));
    metadata.write();
    if (!options.quiet) {
      tell(beginning_line(header, spec));
      for (const std::string& note : warm_start.notes) tell(printable(note) + "\n");
    }
    return OwnedSweep{store, nullptr};
  };
  const int code = run_in_foreground(foreground);
  metadata.write();
  return code;
}

Action setup_run(ArgumentParser& parser, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  add_config_options(parser, options->config);
  parser.text(
      "--repeat-best", options->repeat_best, "RUNSxTIMES",
      "Run the best parameter sets again at the end, with new seeds: 3x5 the best 3, 5 times "
      "each; repeat_best in the configuration");
  parser
      .texts(
          "--resume-from", options->resume_from, "SWEEP",
          "A warm start: samplers learn from this earlier sweep's runs, and policies compare with "
          "them; may be repeated; resume_from in the configuration")
      .completion = Completion::sweeps;
  parser
      .texts("--resume-child-runs", options->resume_child_runs, "SWEEP/RUN",
             "A stopped or failed run of an earlier sweep that goes on first, with its own values "
             "and outputs; may be repeated; resume_child_runs in the configuration")
      .completion = Completion::runs;
  parser.integer("--max-concurrent-steps", options->run.max_concurrent_steps, std::int64_t{1},
                 "Of a pipeline: how many steps that do not need each other run at once; 1 by "
                 "default");
  add_advertise_option(parser, options->advertise);
  add_run_options(parser, options->run, "run", arguments);
  take_words(parser, options->config, arguments);
  return [options] {
    if (!options->repeat_best.empty())
      options->config.set.push_back("repeat_best=" + options->repeat_best);
    set_advertise(options->advertise, options->config.set);
    set_words("resume_from", options->resume_from, options->config);
    set_words("resume_child_runs", options->resume_child_runs, options->config);
    RunOptions& run = options->run;
    no_page_when_detached(run.ui, run.detach.asked);
    if (run.detach.asked) return start_detached(run.detach, run.output_dir);
    const std::filesystem::path file = config_file(options->config);
    if (run.ui && is_pipeline(file))
      fail(kWrong,
           "--ui is served beside one sweep; of a pipeline hdrive ui shows the page, in another "
           "terminal");
    if (is_pipeline(file)) return run_pipeline(file, options->config, run);
    if (run.max_concurrent_steps)
      fail(kWrong, fmt::format("--max-concurrent-steps is for pipelines, and {} is none; "
                               "max_concurrent_runs says how many runs of a sweep run at once",
                               file.empty() ? "this" : file.string()));
    run.goes_on = !options->config.name.empty();
    return run_sweep_of(load_or_fail(options->config, Purpose::run), file, run);
  };
}

}  // namespace hdrive::cli
