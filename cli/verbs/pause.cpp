// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "cli/argument_parser.h"
#include "cli/edit.h"
#include "cli/lookup.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/overview.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep;
  std::string output_dir;
};

int pause(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep);
  const std::string id = short_id(sweep.header.id);
  if (is_over(sweep.status))
    fail(kCannot, fmt::format("{} has already ended ({})", id, sweep_status_text(sweep)));
  if (!sweep.engine)
    fail(kCannot, fmt::format("no process runs {0}; hdrive resume {0}{1} goes on with it", id,
                              home_hint(options.output_dir)));
  print(ask(sweep, {0, Request::Kind::pause_sweep}));
  return kDone;
}

}  // namespace

Action setup_pause(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep");
  add_home_option(parser, options->output_dir);
  return [options] { return pause(*options); };
}

}  // namespace hdrive::cli
