// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "base/file.h"
#include "cli/argument_parser.h"
#include "cli/lookup.h"
#include "cli/parameters.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/backup.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep = "last";
  std::string output_dir;
  std::string file;
  std::string database;
  Format format = Format::csv;
  bool metrics = false;
};

std::string as_text(const Listing& listing, Format format) {
  switch (format) {
    case Format::json:
      return listing.json();
    case Format::csv:
      return listing.csv();
    case Format::table:
      break;
  }
  return listing.table(0);
}

std::string metrics_text(const SweepEntry& sweep, Format format) {
  Listing listing;
  listing.columns = {
      {"run_id", ""},     {"number", "RUN", Align::right},  {"attempt", ""},
      {"name", "METRIC"}, {"value", "VALUE", Align::right}, {"step", "STEP", Align::right},
      {"time", "TIME"}};
  for (const StoredMetric& stored : value_or_fail(read_metrics(sweep.directory, std::nullopt))) {
    const Metric& metric = stored.metric;
    const Time time = metric.time.value_or(Time{});
    listing.rows.push_back({{run_id(sweep.header.id, stored.run), ""},
                            {stored.run, std::to_string(stored.run)},
                            {stored.attempt, ""},
                            {metric.name, printable(metric.name)},
                            {json_number(metric.value), number_text(metric.value)},
                            {metric.step ? OrderedJson(*metric.step) : OrderedJson(nullptr),
                             metric.step ? std::to_string(*metric.step) : ""},
                            {json_time(time), time_text(time)}});
  }
  return as_text(listing, format);
}

std::string runs_text(const SweepEntry& sweep, Format format) {
  const auto runs = report_runs(load_state(sweep), sweep.header.id);
  if (format != Format::json)
    return as_text(runs_listing(runs, sweep.header.metric,
                                format == Format::csv ? Parameters::apart : Parameters::together),
                   format);
  std::string text = "[";
  for (const RunReport& run : runs) text += (text.size() == 1 ? "\n" : ",\n") + to_json(run);
  return text + (runs.empty() ? "]\n" : "\n]\n");
}

int export_sweep(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep, Several::newest);
  if (!options.database.empty()) {
    ok_or_fail(back_up_sweep(sweep.directory, options.database));
    return kDone;
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(options.file, ignored))
    fail(kWrong, fmt::format("--output {}: is a directory; name a file in it", options.file));
  const std::string text =
      options.metrics ? metrics_text(sweep, options.format) : runs_text(sweep, options.format);
  if (options.file.empty() || options.file == "-")
    print_data(text);
  else
    ok_or_fail(base::write_output(options.file, text));
  return kDone;
}

}  // namespace

Action setup_export(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep (default: last)");
  parser
      .text("-o,--output", options->file, "FILE",
            "The file to write (default: the standard output)")
      .completion = Completion::files;
  parser
      .text("--db", options->database, "FILE",
            "Copy the database, as it is at this moment, into a new file instead")
      .completion = Completion::files;
  parser.flag("--metrics", options->metrics, "All logged values instead of the runs");
  add_format_option(parser, options->format);
  add_home_option(parser, options->output_dir);
  return [options] { return export_sweep(*options); };
}

}  // namespace hdrive::cli
