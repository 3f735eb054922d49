// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/lookup.h"
#include "cli/run_rows.h"
#include "cli/source_text.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/housekeeping.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::vector<std::string> sweeps;
  std::string output_dir;
  std::optional<std::int64_t> keep_best;
  std::string older_than;
  bool failed = false;
  bool outputs = false;
  bool yes = false;
};

// "30d", "12h", "2w"; a number alone counts days.
Duration age_or_fail(const std::string& text) {
  constexpr std::pair<std::string_view, int> kHours[] = {{"", 24}, {"h", 1}, {"d", 24}, {"w", 168}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = base::parse_number(text.substr(0, digits));
  for (const auto& [unit, hours] : kHours)
    if (number && text.substr(digits) == unit && *number < 1e6)
      return Duration(static_cast<std::int64_t>(*number * hours * 3.6e9));
  fail(kWrong, fmt::format("--older-than {}: expected an age such as 30d, 12h or 2w", text));
}

// All that are named are found, and none is alive, before anything is deleted.
std::vector<SweepEntry> chosen(const Options& options) {
  std::vector<SweepEntry> result;
  for (const std::string& selector : options.sweeps) {
    result.push_back(sweep_or_fail(options.output_dir, selector));
    at_rest_or_fail(result.back(), "nothing was deleted", options.output_dir);
  }
  if (!options.sweeps.empty()) return result;
  std::vector<Error> problems;
  result = list_sweeps(home_directory(options.output_dir), &problems);
  for (const Error& problem : problems)
    complain("warning: " + error_text(problem, options.output_dir));
  return result;
}

// The runs whose files go. One that has not ended may go on from its checkpoints.
std::vector<RunId> runs_to_prune(const SweepEntry& sweep, const Options& options) {
  RunQuery query;
  if (options.keep_best) query = {{}, {RunOrder::By::best}, *options.keep_best};
  std::vector<RunId> result;
  ok_or_fail(reader_or_fail(sweep)->each_run(query, [&](const StoredRun& stored) {
    const Run& run = stored.run;
    if (is_terminal(run.status) && (!options.failed || run.status == RunStatus::failed))
      result.push_back(run.id);
  }));
  return result;
}

struct Plan {
  SweepEntry sweep;
  bool whole = false;       // the sweep itself goes
  std::vector<RunId> runs;  // else of these
  DiskUse use;
};

std::vector<Plan> plan(const Options& options) {
  std::vector<Plan> plans;
  const bool whole = !options.older_than.empty();
  const Time now = make_steady_clock()->now();
  const Time limit = whole ? now - age_or_fail(options.older_than) : Time{};
  for (SweepEntry& sweep : chosen(options)) {
    if (sweep.engine || !expect_no_living_runs(sweep.directory)) continue;
    Plan one;
    if (whole) {
      if (std::max(sweep.changed, sweep.header.created) >= limit) continue;
      one.whole = true;
      one.use = disk_use(sweep.directory);
    } else {
      one.runs = runs_to_prune(sweep, options);
      one.use = prunable(sweep.directory, one.runs);
      if (one.use.entries == 0) continue;
    }
    one.sweep = std::move(sweep);
    plans.push_back(std::move(one));
  }
  return plans;
}

int prune(const Options& options) {
  if (options.keep_best.has_value() + !options.older_than.empty() + options.failed +
          options.outputs !=
      1)
    fail(kWrong, "say what goes: one of --keep-best N, --older-than AGE, --failed and --outputs");
  DiskUse all;
  const auto plans = plan(options);
  for (const Plan& one : plans) {
    if (options.yes)
      ok_or_fail(one.whole ? delete_sweep(one.sweep.directory)
                           : prune_runs(one.sweep.directory, one.runs));
    all += one.use;
    const std::string& name = one.sweep.header.name;
    print(fmt::format(
        "{:<12} {:<32} {:>10}{}\n", short_id(one.sweep.header.id),
        one.whole ? "the whole sweep"
                  : fmt::format("outputs and checkpoints of {}",
                                base::plural(static_cast<std::int64_t>(one.runs.size()), "run")),
        size_text(one.use.bytes), name.empty() ? "" : "  " + printable(name)));
  }
  if (plans.empty()) {
    print("There is nothing of that kind to delete.\n");
    return kDone;
  }
  print(freed_text(all, options.yes, home_directory(options.output_dir)));
  return kDone;
}

}  // namespace

Action setup_prune(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  parser.texts("sweep", options->sweeps, "SWEEP...", "Only of these sweeps (default: of all)")
      .completion = Completion::sweeps;
  parser.integer("--keep-best", options->keep_best, std::int64_t{0},
                 "Outputs and checkpoints of all runs but the best N of each sweep");
  parser.text("--older-than", options->older_than, "AGE",
              "Whole sweeps in which nothing has changed for so long: 30d, 12h, 2w");
  parser.flag("--failed", options->failed, "Outputs and checkpoints of failed runs");
  parser.flag("--outputs", options->outputs, "Outputs and checkpoints of all runs that have ended");
  parser.flag("-y,--yes", options->yes, "Do it; without it is only told what would be freed");
  add_home_option(parser, options->output_dir);
  return [options] { return prune(*options); };
}

}  // namespace hdrive::cli
