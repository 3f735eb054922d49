// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/config_arguments.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/config.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  ConfigArguments config;
  std::string output;
};

int convert(const Options& options) {
  const fs::path file = config_file(options.config);
  ConfigOverrides overrides;
  overrides.set = parse_settings(options.config.set);
  overrides.asset_map = asset_map_file(options.config);
  overrides.needs_command = false;
  // Where the result will lie, so that its relative paths count from there.
  const bool printed = options.output.empty() || options.output == "-";
  const fs::path directory =
      printed ? fs::current_path() : fs::absolute(options.output).parent_path();
  const Conversion conversion = convert_config(file, overrides, directory);
  for (const Problem& problem : conversion.problems) tell(problem.message() + "\n");
  const auto errors = std::count_if(
      conversion.problems.begin(), conversion.problems.end(),
      [](const Problem& problem) { return problem.severity == Problem::Severity::error; });
  if (errors > 0)
    fail(kWrong,
         fmt::format("{}: {}; nothing was written", file.string(), base::plural(errors, "error")));
  auto output = value_or_fail(OutputFile::open(options.output), kWrong);
  output.write(conversion.text);
  ok_or_fail(output.finish());
  return kDone;
}

}  // namespace

Action setup_convert(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  parser
      .text("config", options->config.file, "CONFIG", "The configuration (default: ./hdconfig.yml)")
      .completion = Completion::configurations;
  add_set_option(parser, options->config.set);
  add_asset_map_option(parser, options->config.asset_map);
  parser.text("-o,--output", options->output, "FILE", "Where to write it (default: print it)")
      .completion = Completion::files;
  return [options] { return convert(*options); };
}

}  // namespace hdrive::cli
