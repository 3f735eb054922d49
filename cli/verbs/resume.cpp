// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/config_arguments.h"
#include "cli/lookup.h"
#include "cli/session.h"
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
  bool quiet = false;
};

bool will_be_tried_again(const Run& run) {
  return !is_terminal(run.status) || run.ended_by == EndCause::interrupt ||
         run.ended_by == EndCause::budget;
}

// Why a session could start no run, and what would change that; nothing if it can.
std::string nothing_left(const SweepEntry& sweep, const SweepSpec& spec, bool changed) {
  const SweepState state = load_state(sweep);
  const History& history = state.history();
  const std::string command = fmt::format("hdrive resume {}", short_id(sweep.header.id));
  const auto limit = std::chrono::duration_cast<std::chrono::minutes>(spec.max_duration);
  if (state.active() >= spec.max_duration)
    return fmt::format("its {} are used up; raise them: {} --set max_duration_minutes={}",
                       base::plural(limit.count(), "minute"), command, 2 * limit.count() + 1);
  for (RunId id = 0; id < history.size(); ++id)
    if (will_be_tried_again(history.run(id))) return "";
  if (history.size() >= spec.max_total_runs)
    return fmt::format("all of its {} have ended; raise their number: {} --set max_total_runs={}",
                       base::plural(history.size(), "run"), command, 2 * history.size());
  if (sweep.end == SweepEnd::exhausted && !changed)
    return fmt::format("its search space has nothing left after {}",
                       base::plural(history.size(), "run"));
  return "";
}

int resume(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep);
  const std::string id = short_id(sweep.header.id);
  const auto store = value_or_fail(open_sqlite_store(sweep.directory));
  LoadedConfig loaded = load_stored(store->header(), sweep.directory, parse_settings(options.set));
  report_problems(loaded, id);
  ok_or_fail(check(loaded.spec), kWrong);
  if (loaded.spec.command.empty())
    fail(kWrong, fmt::format("{} has no command, since a program asked for its runs; go on with: "
                             "hdrive session --resume {}{}",
                             id, id, home_hint(options.output_dir)));
  if (const std::string why = nothing_left(sweep, loaded.spec, !options.set.empty());
      !why.empty()) {
    print(fmt::format("{}: nothing left to do: {}{}\n", id, why, home_hint(options.output_dir)));
    return kDone;
  }
  if (!options.set.empty())
    ok_or_fail(store->append(std::vector<Change>{SweepEdited{
        to_hdconfig(loaded.spec), base::join(options.set, ", "), make_steady_clock()->now()}}));

  Session session;
  session.spec = loaded.spec;
  session.directory = sweep.directory;
  session.output_dir = options.output_dir;
  session.quiet = options.quiet;
  session.open_store = [&] { return store; };
  if (!options.quiet)
    tell(fmt::format("sweep {} goes on: {} of {} so far\n", id, sweep.runs,
                     base::plural(loaded.spec.max_total_runs, "run")));
  return run_session(session);
}

}  // namespace

Action setup_resume(CLI::App& app, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(app, options->sweep, "SWEEP", "The sweep");
  add_set_option(app, options->set);
  app.add_flag("--quiet", options->quiet, "Only warnings, errors and one line about the best run");
  add_home_option(app, options->output_dir);
  return [options] { return resume(*options); };
}

}  // namespace hdrive::cli
