// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "cli/argument_parser.h"
#include "cli/edit.h"
#include "cli/lookup.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/clock.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::string output_dir;
};

std::string name_of(const SweepEntry& sweep, RunId run) {
  return fmt::format("{}/{}", short_id(sweep.header.id), run);
}

void retry_live(const SweepEntry& sweep, const std::vector<RunId>& runs) {
  for (const RunId run : runs) print(ask(sweep, {0, Request::Kind::retry_run, run}));
}

// Nobody runs the sweep: the runs wait until it is resumed.
void retry_at_rest(const SweepEntry& sweep, const std::vector<RunId>& runs,
                   const std::string& output_dir) {
  const OwnedSweep owned = own_or_fail(sweep);
  std::vector<Change> changes;
  const Time now = std::max(make_steady_clock()->now(), owned.state->latest() + Duration{1});
  std::string text;
  for (const RunId run : runs) {
    const Run& record = owned.state->history().run(run);
    if (!is_terminal(record.status))
      fail(kCannot, fmt::format("{} has not ended ({}); hdrive resume goes on with it",
                                name_of(sweep, run), to_string(record.status)));
    const int attempt = record.attempt + 1;
    changes.emplace_back(
        RunRequeued{run, attempt, "tried again by `hdrive retry`", now, EndCause::user});
    text += fmt::format("{}: it is tried again, as attempt {}\n", name_of(sweep, run), attempt);
  }
  ok_or_fail(owned.store->append(changes));
  print(text + fmt::format("hdrive resume {}{} goes on with {}\n", short_id(sweep.header.id),
                           home_hint(output_dir), runs.size() == 1 ? "it" : "them"));
}

int retry(const Options& options) {
  std::map<std::string, std::pair<SweepEntry, std::vector<RunId>>> sweeps;
  for (const std::string& selector : options.runs) {
    Target target = target_or_fail(options.output_dir, selector);
    if (!target.run)
      fail(kWrong, fmt::format("{} is a sweep; name the runs to try again: hdrive retry {}/RUN",
                               printable(selector), printable(selector)));
    auto& [sweep, runs] = sweeps[target.sweep.header.id];
    sweep = std::move(target.sweep);
    if (std::find(runs.begin(), runs.end(), *target.run) == runs.end()) runs.push_back(*target.run);
  }
  for (const auto& [id, of] : sweeps)
    if (of.first.engine)
      retry_live(of.first, of.second);
    else
      retry_at_rest(of.first, of.second, options.output_dir);
  return kDone;
}

}  // namespace

Action setup_retry(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  Argument& runs =
      parser.texts("SWEEP/RUN", options->runs, "SWEEP/RUN", "The runs, which have ended");
  runs.required = true;
  runs.completion = Completion::runs;
  add_home_option(parser, options->output_dir);
  return [options] { return retry(*options); };
}

}  // namespace hdrive::cli
