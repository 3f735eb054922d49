// SPDX-License-Identifier: Apache-2.0
#include "cli/verbs/resume.h"

#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/built_environment.h"
#include "cli/config_arguments.h"
#include "cli/edit.h"
#include "cli/foreground.h"
#include "cli/lookup.h"
#include "cli/page.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {
namespace {

// A paused sweep is not over: the engine that runs it goes on.
int go_on(const ResumeOptions& options, const SweepEntry& sweep) {
  if (!options.set.empty())
    print(ask(sweep, {0, Request::Kind::update_sweep, std::nullopt,
                      write_settings(parse_settings(options.set))}));
  print(ask(sweep, {0, Request::Kind::resume_sweep}));
  return kDone;
}

}  // namespace

int resume_sweep(const ResumeOptions& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep);
  if (sweep.engine && sweep.status == SweepStatus::paused) return go_on(options, sweep);
  const std::string id = short_id(sweep.header.id);
  const OwnedSweep owned = own_or_fail(sweep);
  if (!options.set.empty()) edit_or_fail(owned, sweep, parse_settings(options.set));
  const SweepSpec spec = value_or_fail(stored_spec(owned.store->header(), sweep.directory), kWrong);
  ok_or_fail(check(spec), kWrong);
  if (spec.command.empty())
    fail(kWrong, fmt::format("{} has no command, since a program asked for its runs; go on with: "
                             "hdrive session --resume {}{}",
                             id, id, home_hint(options.output_dir)));
  if (const auto left = nothing_left(spec, *owned.state)) {
    const std::string hint =
        left->setting.empty()
            ? ""
            : fmt::format("; raise this: hdrive resume {} --set {}", id, left->setting);
    print(fmt::format("{}: nothing left to do: {}{}{}\n", id, left->why, hint,
                      home_hint(options.output_dir)));
    return kDone;
  }

  Foreground foreground;
  foreground.spec =
      startable_spec(with_environment(owned.store->header(), spec, options.quiet), sweep.directory);
  foreground.directory = sweep.directory;
  foreground.output_dir = options.output_dir;
  foreground.quiet = options.quiet;
  foreground.ui = options.ui;
  foreground.announce_to = options.detach.announce_to;
  foreground.shared_stop = options.shared_stop;
  foreground.open = [&] { return owned; };
  if (!options.quiet)
    tell(fmt::format("sweep {} goes on: {} of {} so far\n", id, sweep.runs,
                     base::plural(spec.max_total_runs, "run")));
  return run_in_foreground(foreground);
}

Action setup_resume(ArgumentParser& parser, std::vector<std::string>& arguments) {
  auto options = std::make_shared<ResumeOptions>();
  add_detach_option(parser, options->detach, "resume", arguments);
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep");
  add_set_option(parser, options->set);
  add_advertise_option(parser, options->advertise);
  parser.flag("--quiet", options->quiet, "Only warnings, errors and one line about the best run");
  parser.flag("--ui", options->ui, "Serve the page of all sweeps beside it, and tell its address");
  add_home_option(parser, options->output_dir);
  return [options] {
    no_page_when_detached(options->ui, options->detach.asked);
    set_advertise(options->advertise, options->set);
    return options->detach.asked ? start_detached(options->detach, options->output_dir)
                                 : resume_sweep(*options);
  };
}

}  // namespace hdrive::cli
