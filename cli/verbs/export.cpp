// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/command.h"
#include "cli/event_export.h"
#include "cli/json.h"
#include "cli/lookup.h"
#include "cli/output_file.h"
#include "cli/run_rows.h"
#include "cli/source_text.h"
#include "cli/stored_spec.h"
#include "cli/sweep_choice.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/backup.h"
#include "hdrive/catalog.h"
#include "hdrive/ids.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::vector<std::string> sweeps;
  SweepChoice choice;
  std::string output_dir;
  std::string file;
  std::string database;
  Format format = Format::csv;
  bool metrics = false;
  bool tensorboard = false;
};

RowText::Kind kind_of(Format format) {
  return format == Format::json ? RowText::Kind::json : RowText::Kind::csv;
}

// Rows one by one: as they are read, nothing is kept. A table needs all of them to know its widths.
class Rows {
 public:
  Rows(std::vector<Column> columns, Format format, OutputFile& output)
      : format_(format), text_(columns, kind_of(format)), output_(output) {
    listing_.columns = std::move(columns);
    if (format_ != Format::table) output_.write(text_.begin());
  }
  void add(std::vector<Cell> row) {
    if (format_ == Format::table)
      listing_.rows.push_back(std::move(row));
    else
      output_.write(text_.row(row));
  }
  void end() { output_.write(format_ == Format::table ? listing_.table(0) : text_.end()); }

 private:
  Format format_;
  RowText text_;
  OutputFile& output_;
  Listing listing_;
};

void export_metrics(const std::vector<SweepEntry>& sweeps, Format format, OutputFile& output) {
  Rows rows({{"run_id", ""},
             {"number", "RUN", Align::right},
             {"attempt", ""},
             {"name", "METRIC"},
             {"value", "VALUE", Align::right},
             {"step", "STEP", Align::right},
             {"time", "TIME"}},
            format, output);
  for (const SweepEntry& sweep : sweeps)
    ok_or_fail(reader_or_fail(sweep)->each_metric(std::nullopt, [&](const StoredMetric& stored) {
      const Metric& metric = stored.metric;
      const Time time = metric.time.value_or(Time{});
      rows.add({{run_id(sweep.header.id, stored.run), ""},
                {stored.run, std::to_string(stored.run)},
                {stored.attempt, ""},
                {metric.name, printable(metric.name)},
                {metric.value, number_text(metric.value)},
                {metric.step, metric.step ? std::to_string(*metric.step) : ""},
                {JsonValue::time(time), time_text(time)}});
    }));
  rows.end();
}

void export_objects(const std::vector<SweepEntry>& sweeps, OutputFile& output) {
  bool first = true;
  output.write("[");
  for (const SweepEntry& sweep : sweeps)
    ok_or_fail(reader_or_fail(sweep)->each_run({}, [&](const StoredRun& run) {
      OrderedJson object = run_object(run, sweep.header);
      object["snapshot"] = sweep.header.snapshot;
      object["git"] = git_json(sweep.header);
      if (sweeps.size() > 1) {
        object["sweep_id"] = sweep.header.id;
        object["sweep_name"] = sweep.header.name;
        object["experiment"] = sweep.header.experiment;
      }
      output.write((std::exchange(first, false) ? "\n" : ",\n") + compact(object));
    }));
  output.write(first ? "]\n" : "\n]\n");
}

void export_runs(const std::vector<SweepEntry>& sweeps, Format format, OutputFile& output) {
  if (format == Format::json) return export_objects(sweeps, output);
  const auto parameters = format == Format::csv ? Parameters::apart : Parameters::together;
  RunColumns::Names names;
  for (const SweepEntry& sweep : sweeps)
    add_names(names, *reader_or_fail(sweep), sweep.header, parameters);
  RunColumns columns(sweeps.empty() ? "" : sweeps.front().header.metric, names);
  columns.name_source();
  if (sweeps.size() > 1) columns.name_sweeps();
  Rows rows(columns.columns(), format, output);
  for (const SweepEntry& sweep : sweeps) {
    // One that comes meanwhile may have a parameter for which there is no column.
    RunQuery known;
    known.filter.below = sweep.runs;
    ok_or_fail(reader_or_fail(sweep)->each_run(
        known, [&](const StoredRun& run) { rows.add(columns.row(run, sweep.header)); }));
  }
  rows.end();
}

void write_rows(const std::vector<SweepEntry>& sweeps, const Options& options, OutputFile& output) {
  if (options.metrics)
    export_metrics(sweeps, options.format, output);
  else
    export_runs(sweeps, options.format, output);
  ok_or_fail(output.finish());
}

// A folder of event files; of several sweeps one in it for each.
int export_to_tensorboard(const std::vector<SweepEntry>& sweeps, const Options& options) {
  if (options.file.empty() || options.metrics)
    fail(kWrong, options.file.empty()
                     ? "--format tensorboard writes a folder of event files; name it: -o DIR"
                     : "--metrics: event files hold the metrics in any case");
  for (const SweepEntry& sweep : sweeps) {
    const auto spec = value_or_fail(stored_spec(sweep.header, sweep.directory));
    std::filesystem::path directory = options.file;
    if (sweeps.size() > 1) directory /= sweep.header.id;
    export_events(sweep, spec, *reader_or_fail(sweep), directory);
  }
  tell(fmt::format("tensorboard --logdir {}\n", shell_quote({options.file})));
  return kDone;
}

int export_sweeps(const Options& options) {
  const auto sweeps = chosen_or_fail(options.output_dir, options.sweeps, options.choice);
  if (!options.database.empty()) {
    if (sweeps.size() > 1) fail(kWrong, "--db copies the database of one sweep; say which");
    ok_or_fail(back_up_sweep(sweeps.front().directory, options.database));
    return kDone;
  }
  if (options.tensorboard) return export_to_tensorboard(sweeps, options);
  std::error_code ignored;
  if (std::filesystem::is_directory(options.file, ignored))
    fail(kWrong, fmt::format("--output {}: is a directory; name a file in it", options.file));
  OutputFile output = value_or_fail(OutputFile::open(options.file));
  try {
    // What is read is compared with its digests while it is written.
    write_rows(sweeps, options, output);
  } catch (Failure& failure) {
    if (failure.error && output.was_seen())
      failure.error->what += "; what was written of it until then is incomplete";
    throw;
  }
  return kDone;
}

}  // namespace

Action setup_export(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  Argument& sweeps = parser.texts("sweeps", options->sweeps, "SWEEP", "The sweeps (default: last)");
  sweeps.completion = Completion::sweeps;
  add_choice_options(parser, options->choice);
  parser
      .text("-o,--output", options->file, "FILE",
            "The file to write (default: the standard output); with -f tensorboard the folder")
      .completion = Completion::files;
  parser
      .text("--db", options->database, "FILE",
            "Copy the database, as it is at this moment, into a new file instead")
      .completion = Completion::files;
  parser.flag("--metrics", options->metrics, "All logged values instead of the runs");
  parser
      .add("-f,--format", "FORMAT",
           "table, json, csv (default), or tensorboard: event files for TensorBoard",
           [options = options.get()](const std::string& name) {
             options->tensorboard = name == "tensorboard";
             if (name == "table") options->format = Format::table;
             if (name == "json") options->format = Format::json;
             return std::string();
           })
      .choices = {"table", "json", "csv", "tensorboard"};
  add_home_option(parser, options->output_dir);
  return [options] { return export_sweeps(*options); };
}

}  // namespace hdrive::cli
