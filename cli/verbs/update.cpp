// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/argument_parser.h"
#include "cli/config_arguments.h"
#include "cli/edit.h"
#include "cli/lookup.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep;
  std::string output_dir;
  std::vector<std::string> set;
};

int update(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep);
  const Settings settings = parse_settings(options.set);
  if (settings.empty())
    fail(kWrong,
         "what is to change? hdrive update SWEEP --set KEY=VALUE (see: hdrive update --help)");
  print(change_sweep(sweep, settings, options.output_dir));
  return kDone;
}

}  // namespace

Action setup_update(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep");
  add_set_option(parser, options->set);
  add_home_option(parser, options->output_dir);
  return [options] { return update(*options); };
}

}  // namespace hdrive::cli
