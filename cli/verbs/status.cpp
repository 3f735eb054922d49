// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/json.h"
#include "cli/lookup.h"
#include "cli/run_rows.h"
#include "cli/sweep_text.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/overview.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

constexpr std::int64_t kRowsOfTable = 50;  // unless more are asked for

struct Options {
  std::string sweep = "last";
  std::string output_dir;
  std::string sort = "number";
  std::vector<std::string> statuses;
  std::string text;
  std::optional<std::int64_t> last;
  Format format = Format::table;
};

// The newest N of those that fit are the ones from some number on.
void keep_newest(RunQuery& query, std::int64_t count, SweepReader& reader) {
  std::optional<RunId> first;
  const RunQuery newest{query.filter, {RunOrder::By::number, "", true}, count - 1, 1};
  ok_or_fail(reader.each_run(newest, [&](const StoredRun& run) { first = run.run.id; }));
  if (first) query.filter.from = first;
}

RunQuery query_of(const Options& options, SweepReader& reader) {
  RunQuery query;
  query.filter.statuses = statuses_or_fail(options.statuses);
  query.filter.text = options.text;
  query.order = order_or_fail(options.sort, reader);
  if (options.last) keep_newest(query, *options.last, reader);
  return query;
}

void print_table(const SweepEntry& sweep, SweepReader& reader, RunQuery query, bool asked) {
  print(sweep_text(sweep, value_or_fail(summarize(sweep, reader, make_steady_clock()->now()))));
  const bool by_number = query.order.by == RunOrder::By::number && !query.order.descending;
  if (!asked && by_number) keep_newest(query, kRowsOfTable, reader);
  if (!asked && !by_number) query.limit = kRowsOfTable;
  RunColumns::Names names;
  add_names(names, reader, sweep.header, Parameters::together);
  const RunColumns columns(sweep.header.metric, names);
  Listing listing;
  listing.columns = columns.columns();
  const RunPage page = value_or_fail(reader.runs(query));
  for (const StoredRun& run : page.runs) listing.rows.push_back(columns.row(run, sweep.header));
  if (listing.rows.empty()) return;
  print("\n");
  write(listing, Format::table);
  const auto shown = static_cast<std::int64_t>(page.runs.size());
  RunQuery all = query;
  all.filter.from.reset();
  all.limit = 0;
  const std::int64_t matching = asked ? shown : value_or_fail(reader.runs(all)).matching;
  if (shown < matching)
    print(fmt::format("the {} {} of {}; --last N shows more, hdrive export writes all\n",
                      by_number ? "last" : "first", shown, base::plural(matching, "run")));
}

void print_json(const SweepEntry& sweep, SweepReader& reader, const RunQuery& query) {
  std::string head = pretty(
      sweep_json(sweep, value_or_fail(summarize(sweep, reader, make_steady_clock()->now()))));
  head.resize(head.rfind('\n', head.size() - 2));
  print_data(head + ",\n  \"runs\": [");
  bool first = true;
  ok_or_fail(reader.each_run(query, [&](const StoredRun& run) {
    std::string object = "\n" + pretty(run_object(run, sweep.header));
    object.pop_back();
    for (std::size_t at = 0; (at = object.find('\n', at)) != std::string::npos; at += 5)
      object.insert(at + 1, "    ");
    print_data((std::exchange(first, false) ? "" : ",") + object);
  }));
  print_data(first ? "]\n}\n" : "\n  ]\n}\n");
}

void print_csv(const SweepEntry& sweep, SweepReader& reader, const RunQuery& query) {
  RunColumns::Names names;
  add_names(names, reader, sweep.header, Parameters::apart);
  const RunColumns columns(sweep.header.metric, names);
  RowText text(columns.columns(), RowText::Kind::csv);
  print_data(text.begin());
  ok_or_fail(reader.each_run(
      query, [&](const StoredRun& run) { print_data(text.row(columns.row(run, sweep.header))); }));
}

int status(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep, Several::newest);
  const auto reader = reader_or_fail(sweep);
  const RunQuery query = query_of(options, *reader);
  switch (options.format) {
    case Format::json:
      print_json(sweep, *reader, query);
      break;
    case Format::csv:
      print_csv(sweep, *reader, query);
      break;
    case Format::table:
      print_table(sweep, *reader, query, options.last.has_value());
  }
  return kDone;
}

}  // namespace

Action setup_status(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep (default: last)");
  parser
      .text("--sort", options->sort, "ORDER",
            "The order of the runs: number, best, last, status, created, started, ended, time, "
            "cpu, memory, attempt, or the name of a parameter or a metric; those without a value "
            "come last. \"-\" in front turns it around")
      .suggestions = order_words();
  parser
      .texts("--status", options->statuses, "STATUS",
             "Only runs that are queued, running, completed, failed or canceled; may be repeated")
      .suggestions = status_words();
  parser.text("--text", options->text, "TEXT",
              "Only runs with this in their parameters or in why they ended");
  parser.integer("--last", options->last, std::int64_t{1},
                 "Only the N newest of them (default: 50 in a table, else all)");
  add_format_option(parser, options->format);
  add_home_option(parser, options->output_dir);
  return [options] { return status(*options); };
}

}  // namespace hdrive::cli
