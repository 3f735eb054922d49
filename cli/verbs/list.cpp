// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/json.h"
#include "cli/listing.h"
#include "cli/lookup.h"
#include "cli/source_text.h"
#include "cli/sweep_choice.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "hdrive/catalog.h"
#include "hdrive/housekeeping.h"
#include "hdrive/overview.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string output_dir;
  SweepChoice choice;
  std::vector<std::string> statuses;
  std::optional<std::int64_t> last;
  Format format = Format::table;
};

// Active time up to now: that of a sweep that runs goes on since something was last recorded of it.
Duration active_time(const SweepEntry& sweep, Time now) {
  const bool counts = sweep.engine && sweep.status == SweepStatus::running;
  return sweep.active + (counts ? std::max(Duration{}, now - sweep.latest) : Duration{});
}

// Looking at more files than these would keep the user waiting; then the sizes say "more than".
constexpr std::int64_t kMostEntries = 200'000;

Cell size_cell(const DiskUse& use) {
  return {static_cast<std::int64_t>(use.bytes), (use.complete ? "" : ">") + size_text(use.bytes)};
}

std::vector<Cell> row_of(const SweepEntry& sweep, const SweepTotals& totals, const DiskUse& use,
                         Time now) {
  const SweepHeader& header = sweep.header;
  const Duration active = active_time(sweep, now);
  const auto integer = [](std::int64_t number) { return Cell{number, std::to_string(number)}; };
  return {{header.id, short_id(header.id)},
          {header.name, printable(header.name)},
          {header.experiment, printable(header.experiment)},
          {sweep_status_text(sweep), sweep_status_text(sweep)},
          {std::string(to_string(sweep.end)), ""},
          integer(sweep.runs),
          integer(sweep.live),
          integer(sweep.completed),
          integer(totals.stopped),
          integer(sweep.failed),
          integer(sweep.canceled - totals.stopped),
          {header.metric, printable(header.metric)},
          {totals.best ? JsonValue(totals.best_value) : JsonValue(),
           totals.best ? number_text(totals.best_value) : ""},
          {std::string(to_string(header.goal)), ""},
          {JsonValue::time(header.created), time_text(header.created)},
          {JsonValue::seconds(active), duration_text(active)},
          size_cell(use),
          {sweep.engine, ""},
          {sweep.directory.string(), ""},
          {sweep.reason, ""},
          {header.snapshot, ""},
          {JsonValue::json(compact(git_json(header))), ""}};
}

// As sweep_status_text tells them, in small letters.
const std::vector<std::string>& status_words() {
  static const std::vector<std::string> kWords{"running",  "completed", "failed",
                                               "canceled", "paused",    "interrupted"};
  return kWords;
}

// In small letters, too.
std::vector<std::string> statuses_or_fail(const std::vector<std::string>& given) {
  std::vector<std::string> statuses;
  for (const std::string& word : given)
    statuses.push_back(word_or_fail("--status", word, status_words()));
  return statuses;
}

void keep_asked(std::vector<SweepEntry>& sweeps, const Options& options) {
  const std::vector<std::string> statuses = statuses_or_fail(options.statuses);
  std::erase_if(sweeps, [&](const SweepEntry& sweep) {
    if (!is_chosen(sweep, options.choice)) return true;
    const std::string status = base::lower(sweep_status_text(sweep));
    return !statuses.empty() &&
           std::find(statuses.begin(), statuses.end(), status) == statuses.end();
  });
  const auto last = static_cast<std::size_t>(options.last.value_or(0));
  if (options.last && sweeps.size() > last)
    sweeps.erase(sweeps.begin(), sweeps.end() - *options.last);
}

int list(const Options& options) {
  const auto home = home_directory(options.output_dir);
  std::vector<Error> problems;
  std::map<std::filesystem::path, SweepTotals> totals;
  auto sweeps = list_sweeps(home, &problems, [&](const SweepEntry& sweep, SweepReader& reader) {
    const auto of = reader.totals();
    if (of) totals[sweep.directory] = *of;
    return of ? Result<void>() : of.error();
  });
  const bool none = sweeps.empty();
  keep_asked(sweeps, options);
  for (const Error& problem : problems)
    complain("warning: " + error_text(problem, options.output_dir));
  if (none && !problems.empty())
    fail(kCannot, fmt::format("no sweep in {} can be read, of {}", home.string(),
                              base::plural(static_cast<long long>(problems.size()), "sweep")));
  if (sweeps.empty() && options.format == Format::table) {
    complain((none ? "no sweeps in " : "none of those asked for is among the sweeps in ") +
             home.string());
    return kDone;
  }
  Listing listing;
  listing.columns = {{"sweep_id", "SWEEP"},
                     {"name", "NAME", Align::left, 8, 1},
                     {"experiment", "EXPERIMENT", Align::left, 8, 11},
                     {"status", "STATUS"},
                     {"end", ""},
                     {"runs", "RUNS", Align::right},
                     {"live", "LIVE", Align::right, 0, 10},
                     {"completed", "COMPLETED", Align::right, 0, 8},
                     {"stopped", "STOPPED", Align::right, 0, 7},
                     {"failed", "FAILED", Align::right, 0, 6},
                     {"canceled", "CANCELED", Align::right, 0, 9},
                     {"metric", "METRIC", Align::left, 8, 12},
                     {"best_primary_metric", "BEST", Align::right, 0, 2},
                     {"goal", ""},
                     {"created", "CREATED", Align::left, 0, 5},
                     {"active_seconds", "TIME", Align::right, 0, 3},
                     {"size_bytes", "SIZE", Align::right, 0, 4},
                     {"engine", ""},
                     {"directory", ""},
                     {"reason", ""},
                     {"snapshot", ""},
                     {"git", ""}};
  const Time now = make_steady_clock()->now();
  std::int64_t left = kMostEntries;
  for (const SweepEntry& sweep : sweeps) {
    const DiskUse use = disk_use(sweep.directory, left);
    left = std::max<std::int64_t>(0, left - use.entries);
    listing.rows.push_back(row_of(sweep, totals[sweep.directory], use, now));
  }
  write(listing, options.format);
  return kDone;
}

}  // namespace

Action setup_list(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_choice_options(parser, options->choice);
  parser
      .texts(
          "--status", options->statuses, "STATUS",
          "Only sweeps that are running, completed, failed, canceled, paused or interrupted; may "
          "be repeated")
      .suggestions = status_words();
  parser.integer("--last", options->last, std::int64_t{1}, "Only the N newest of them");
  add_format_option(parser, options->format);
  add_home_option(parser, options->output_dir);
  return [options] { return list(*options); };
}

}  // namespace hdrive::cli
