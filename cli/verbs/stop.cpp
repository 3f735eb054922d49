// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "cli/lookup.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string selector;
  std::string output_dir;
  bool no_wait = false;
};

void check_stoppable(const SweepEntry& sweep) {
  const std::string id = short_id(sweep.header.id);
  if (is_over(sweep.status))
    fail(kCannot, fmt::format("{} has already ended ({})", id, sweep_status_text(sweep)));
  if (!sweep.engine)
    fail(kCannot, fmt::format("no process runs {}; hdrive resume {} goes on with it", id, id));
}

// What became of it, once it has ended.
std::string outcome(const Options& options, const Target& target) {
  const std::string id = short_id(target.sweep.header.id);
  for (auto pause = std::chrono::milliseconds{20};;) {
    const SweepEntry sweep = sweep_or_fail(options.output_dir, target.sweep.header.id);
    if (!target.run) {
      if (is_over(sweep.status) || !sweep.engine)
        return fmt::format("{}: {}", id, sweep_status_text(sweep));
    } else {
      const SweepState state = load_state(sweep);
      const Run& run = state.history().run(*target.run);
      if (is_terminal(run.status) || !sweep.engine)
        return fmt::format("{}/{}: {}", id, run.id, outcome_text(run.status, run.ended_by));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds{500});
  }
}

int stop(const Options& options) {
  const Target target = target_or_fail(options.output_dir, options.selector);
  if (target.run) {
    const SweepState state = load_state(target.sweep);
    const Run& run = state.history().run(*target.run);
    if (is_terminal(run.status))
      fail(kCannot,
           fmt::format("run {} of {} has already ended ({})", run.id,
                       short_id(target.sweep.header.id), outcome_text(run.status, run.ended_by)));
  }
  check_stoppable(target.sweep);
  const Request request{0, target.run ? Request::Kind::stop_run : Request::Kind::stop_sweep,
                        target.run};
  value_or_fail(leave_request(target.sweep.directory, request));
  if (options.no_wait) return kDone;
  print(outcome(options, target) + "\n");
  return kDone;
}

}  // namespace

Action setup_stop(CLI::App& app, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(app, options->selector, "SWEEP[/RUN]", "The sweep, or one of its runs");
  app.add_flag("--no-wait", options->no_wait, "Do not wait until it has ended");
  add_home_option(app, options->output_dir);
  return [options] { return stop(*options); };
}

}  // namespace hdrive::cli
