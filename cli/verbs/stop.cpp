// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>

#include "cli/argument_parser.h"
#include "cli/edit.h"
#include "cli/foreground.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/overview.h"
#include "hdrive/reader.h"
#include "hdrive/requests.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string selector;
  std::string output_dir;
  bool no_wait = false;
};

void check_stoppable(const SweepEntry& sweep, bool run, const std::string& hint) {
  const std::string id = short_id(sweep.header.id);
  if (is_over(sweep.status))
    fail(kCannot, fmt::format("{} has already ended ({})", id, sweep_status_text(sweep)));
  if (!sweep.engine && run)
    fail(kCannot,
         fmt::format("no process runs {0}; hdrive resume {0}{1} goes on with it", id, hint));
}

// Its engine is gone, but its runs may train on: what a resumed sweep does first, and nothing else.
int end_what_is_left(const SweepEntry& sweep, const Options& options) {
  Foreground foreground;
  foreground.spec = value_or_fail(stored_spec(sweep.header, sweep.directory));
  foreground.directory = sweep.directory;
  foreground.output_dir = options.output_dir;
  foreground.quiet = true;
  foreground.open = [&] {
    const OwnedSweep owned = own_or_fail(sweep);
    value_or_fail(leave_request(sweep.directory, Request{}));
    return owned;
  };
  const int code = run_in_foreground(foreground);
  return code == kInterrupted ? kDone : code;
}

// What became of it, once it has ended. An engine that has not heard of the request ends nothing:
// the one that was asked has died, and another has taken up its sweep.
std::string outcome(const Options& options, const Target& target, std::int64_t request,
                    SuspensionNotice& notice) {
  const std::string id = short_id(target.sweep.header.id);
  for (auto pause = std::chrono::milliseconds{20};;) {
    const SweepEntry sweep = sweep_or_fail(options.output_dir, target.sweep.header.id);
    if (!target.run) {
      if (is_over(sweep.status) || !sweep.engine)
        return fmt::format("{}: {}", id, sweep_status_text(sweep));
    } else {
      const RunStanding run = value_or_fail(read_run(sweep.directory, *target.run));
      if (is_terminal(run.status) || !sweep.engine)
        return fmt::format("{}/{}: {}", id, *target.run, outcome_text(run.status, run.ended_by));
    }
    const auto answer = value_or_fail(read_answer(target.sweep.directory, request));
    if (answer && !answer->accepted)
      fail(kCannot, fmt::format("{}: {}", id, printable(answer->text)));
    if (!answer) notice.look_at(sweep);
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds{500});
  }
}

int stop(const Options& options) {
  const Target target = target_or_fail(options.output_dir, options.selector);
  if (target.run) {
    const RunStanding run = value_or_fail(read_run(target.sweep.directory, *target.run));
    if (is_terminal(run.status))
      fail(kCannot,
           fmt::format("run {} of {} has already ended ({})", *target.run,
                       short_id(target.sweep.header.id), outcome_text(run.status, run.ended_by)));
  }
  check_stoppable(target.sweep, target.run.has_value(), home_hint(options.output_dir));
  if (!target.sweep.engine) return end_what_is_left(target.sweep, options);
  const Request request{0, target.run ? Request::Kind::stop_run : Request::Kind::stop_sweep,
                        target.run};
  SuspensionNotice notice;
  notice.look_at(target.sweep);
  const std::int64_t asked = value_or_fail(leave_request(target.sweep.directory, request));
  if (options.no_wait) return kDone;
  print(outcome(options, target, asked, notice) + "\n");
  return kDone;
}

}  // namespace

Action setup_stop(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->selector, "SWEEP[/RUN]", "The sweep, or one of its runs");
  parser.flag("--no-wait", options->no_wait, "Do not wait until it has ended");
  add_home_option(parser, options->output_dir);
  return [options] { return stop(*options); };
}

}  // namespace hdrive::cli
