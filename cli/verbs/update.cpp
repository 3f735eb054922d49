// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/config_arguments.h"
#include "cli/edit.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"

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
  if (sweep.engine) {
    print(ask(sweep, {0, Request::Kind::update_sweep, std::nullopt, write_settings(settings)}));
    return kDone;
  }
  const auto store = value_or_fail(open_sqlite_store(sweep.directory));
  std::string text = edit_or_fail(*store, sweep, settings);
  const SweepEntry now = sweep_or_fail(options.output_dir, sweep.header.id);
  if (!nothing_left(value_or_fail(stored_spec(store->header(), sweep.directory)), load_state(now)))
    text += fmt::format("hdrive resume {}{} goes on with it\n", short_id(sweep.header.id),
                        home_hint(options.output_dir));
  print(text);
  return kDone;
}

}  // namespace

Action setup_update(CLI::App& app, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(app, options->sweep, "SWEEP", "The sweep");
  add_set_option(app, options->set);
  add_home_option(app, options->output_dir);
  return [options] { return update(*options); };
}

}  // namespace hdrive::cli
