// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/config_arguments.h"
#include "cli/edit.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/config.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep;
  std::string output_dir;
  std::vector<std::string> values;
};

int enqueue(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep);
  const SweepSpec spec = value_or_fail(stored_spec(sweep.header, sweep.directory));
  const Assignment point =
      value_or_fail(parse_point(spec.space, parse_settings(options.values, "")), kWrong);
  print(change_sweep(sweep, {{"start_points+", to_json(point)}}, options.output_dir));
  return kDone;
}

}  // namespace

Action setup_enqueue(CLI::App& app, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(app, options->sweep, "SWEEP", "The sweep");
  app.add_option("values", options->values, "The parameters to set; the others are drawn at random")
      ->option_text("NAME=VALUE...")
      ->required();
  add_home_option(app, options->output_dir);
  return [options] { return enqueue(*options); };
}

}  // namespace hdrive::cli
