// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/config_arguments.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/pipeline.h"
#include "cli/verbs/verbs.h"
#include "hdrive/pipeline.h"
#include "hdrive/sweep.h"
#include "hdrive/warm_start.h"

namespace hdrive::cli {
namespace {

struct Options {
  ConfigArguments config;
  std::string output_dir;
  bool azure = false;
};

int validate_pipeline(const std::filesystem::path& file, const Options& options) {
  const ConfigOverrides overrides = overrides_of(options.config, Purpose::check);
  const Pipeline pipeline = load_pipeline(file, overrides);
  report_problems(pipeline.problems, Purpose::check);
  const auto home = std::filesystem::absolute(new_home_directory(options.output_dir));
  std::vector<std::string> notes;
  for (const PipelineStep& step : pipeline.steps)
    for (const std::string& note : check_step(file, step, overrides, home))
      notes.push_back(fmt::format("step {}: {}", step.name, note));
  const auto warnings = static_cast<long long>(pipeline.problems.size());
  print(fmt::format("{}: ok, a pipeline of {}{}\n", file.string(),
                    base::plural(static_cast<long long>(pipeline.steps.size()), "step"),
                    warnings == 0 ? "" : ", " + base::plural(warnings, "warning")));
  for (const std::string& note : notes) print(printable(note) + "\n");
  return kDone;
}

int validate(const Options& options) {
  if (const auto file = config_file(options.config); is_pipeline(file))
    return validate_pipeline(file, options);
  const LoadedConfig loaded = load_or_fail(options.config, Purpose::check, options.azure);
  const std::string file = config_file(options.config).string();
  const auto sound = check(loaded.spec);
  if (!sound) fail(kWrong, fmt::format("{}: {}", file, sound.error().message()));
  // The sweeps it goes on from, as `run` looks them up.
  const auto home = std::filesystem::absolute(new_home_directory(options.output_dir));
  const auto warm_start = read_warm_start(loaded.spec, home);
  if (!warm_start) fail(kWrong, fmt::format("{}: {}", file, warm_start.error().message()));
  const auto warnings = static_cast<long long>(loaded.problems.size());
  const auto& parameters = loaded.spec.space.parameters;
  const auto conditional = std::count_if(parameters.begin(), parameters.end(),
                                         [](const Parameter& each) { return each.condition; });
  const std::string grid = combinations_text(loaded.spec);
  print(fmt::format("{}: ok, {}{}{}, {}{}\n", file,
                    base::plural(static_cast<long long>(parameters.size()), "parameter"),
                    conditional > 0 ? fmt::format(", {} of them conditional", conditional) : "",
                    grid.empty() ? "" : ", " + grid,
                    base::plural(loaded.spec.max_total_runs, "run"),
                    warnings == 0 ? "" : ", " + base::plural(warnings, "warning")));
  for (const std::string& note : warm_start->notes) print(printable(note) + "\n");
  if (loaded.spec.command.empty())
    complain(fmt::format("no command to train with yet: hdrive run {} -- COMMAND gives one", file));
  return kDone;
}

}  // namespace

Action setup_validate(ArgumentParser& parser, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  add_config_options(parser, options->config);
  parser.flag("--azure", options->azure,
              "Also tell what Azure itself would refuse or treat differently");
  add_new_home_option(parser, options->output_dir);
  take_words(parser, options->config, arguments);
  return [options] { return validate(*options); };
}

}  // namespace hdrive::cli
