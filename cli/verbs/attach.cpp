// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "cli/argument_parser.h"
#include "cli/display.h"
#include "cli/follower.h"
#include "cli/foreground.h"
#include "cli/lookup.h"
#include "cli/signals.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"

namespace hdrive::cli {
namespace {

constexpr std::chrono::milliseconds kTurn{50};
// Where much changes reading it takes a while; it is read so rarely that this is a hundredth of the
// time at most.
constexpr int kRest = 100;
constexpr Duration kAtLeast = std::chrono::milliseconds{200};

struct Options {
  std::string sweep;
  std::string output_dir;
  bool quiet = false;
  bool watch = false;  // only look: also while no engine runs it
};

// Until the sweep is over, or the user has seen enough (false).
bool follow(Follower& follower, Display& display, const StopSignal& stop, bool watch) {
  const auto clock = make_steady_clock();
  Time next{};
  bool waits = false;  // for an engine
  while (true) {
    const Time now = clock->now();
    if (now >= next) {
      follower.look(display);
      next = clock->now() + std::max(kAtLeast, kRest * (clock->now() - now));
      const bool nobody = !is_over(follower.sweep().status) && !follower.sweep().engine;
      if (watch && nobody != waits) {
        waits = nobody;
        display.on_trouble(waits ? "no process runs the sweep; `hdrive resume " +
                                       short_id(follower.sweep().header.id) +
                                       "` goes on with it, and is shown here"
                                 : "");
      }
      if (follower.over() && !waits) {
        // An engine records the end before it lets go of the sweep: both are there now, if it did.
        follower.look(display);
        return true;
      }
    }
    display.on_turn(follower.state(), clock->now());
    if (stop.level() > 0) return false;
    std::this_thread::sleep_for(kTurn);
  }
}

// What it ended with, for one who only looks: that is no error of looking.
int watched(const Foreground& foreground, const Follower& follower) {
  conclude(foreground, follower.sweep().header.id, summarize(follower.state()));
  return kDone;
}

int attach(const Options& options) {
  Follower follower(sweep_or_fail(options.output_dir, options.sweep, Several::newest));
  Foreground foreground;
  foreground.spec = value_or_fail(stored_spec(follower.sweep().header, follower.sweep().directory));
  foreground.directory = follower.sweep().directory;
  foreground.output_dir = options.output_dir;
  foreground.quiet = options.quiet;

  const StopSignal stop;
  std::optional<SignalWatcher> watcher(std::in_place, stop);
  // A signal of its own, never given: Ctrl-C cancels nothing here.
  const auto display = make_display(foreground.spec, options.quiet, StopSignal(),
                                    [&](RunId run) { return follower.glimpse(run); });
  follower.look(*display);
  bool over = options.watch ? is_over(follower.sweep().status) : follower.over();
  if (!over) {  // of one that is, the summary tells all
    if (!options.quiet) tell(beginning_line(follower.sweep().header, foreground.spec));
    over = follow(follower, *display, stop, options.watch);
    display->finish();
    watcher.reset();
    display->drain();
  }
  const SweepEntry& sweep = follower.sweep();
  const std::string id = short_id(sweep.header.id), hint = home_hint(options.output_dir);
  if (!over) {
    tell(fmt::format("{0} goes on; hdrive {2} {0}{1} shows it again, hdrive stop {0}{1} ends it\n",
                     id, hint, options.watch ? "watch" : "attach"));
    return options.watch ? kDone : kInterrupted;
  }
  if (options.watch) return watched(foreground, follower);
  if (!is_over(sweep.status))
    fail(kCannot,
         fmt::format("no process runs {0}: its engine is gone, and what it had started trains on; "
                     "hdrive resume {0}{1} goes on with it",
                     id, hint));
  return conclude(foreground, sweep.header.id, summarize(follower.state()));
}

Action setup(ArgumentParser& parser, bool watch) {
  auto options = std::make_shared<Options>();
  options->watch = watch;
  if (watch) options->sweep = "last";
  add_sweep_argument(parser, options->sweep, "SWEEP",
                     watch ? "The sweep (default: last)" : "The sweep");
  parser.flag("--quiet", options->quiet, "Only warnings, errors and one line about the best run");
  add_home_option(parser, options->output_dir);
  return [options] { return attach(*options); };
}

}  // namespace

Action setup_attach(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  return setup(parser, false);
}

Action setup_watch(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  return setup(parser, true);
}

}  // namespace hdrive::cli
