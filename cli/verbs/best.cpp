// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/json.h"
#include "cli/lookup.h"
#include "cli/parameters.h"
#include "cli/run_rows.h"
#include "cli/run_text.h"
#include "cli/sweep_text.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/ids.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep = "last";
  std::string output_dir;
  Format format = Format::table;
};

std::string best_text(const SweepEntry& sweep, const Run& run, double value) {
  std::string text =
      labelled("run", fmt::format("{} ({}), {}", run.id, run_id(sweep.header.id, run.id),
                                  outcome_text(run.status, run.ended_by)));
  text += labelled("metric", fmt::format("{} = {}", sweep.header.metric, base::shortest(value)));
  for (const Binding& binding : run.parameters)
    text += fmt::format("  {} = {}\n", printable(binding.name), printable(to_text(binding.value)));
  if (const auto command = command_line(sweep, run); !command.empty())
    text += labelled("command", command);
  return text + labelled("outputs", outputs_text(sweep.directory, run.id));
}

int best(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep, Several::newest);
  const auto reader = reader_or_fail(sweep);
  const auto leader = value_or_fail(reader->totals()).best;
  if (!leader)
    fail(kNoneSucceeded, fmt::format("{}: no run has reported {} yet, so none is the best",
                                     short_id(sweep.header.id), sweep.header.metric));
  const StoredRun run = value_or_fail(reader->run(*leader));
  switch (options.format) {
    case Format::json:
      print_data(pretty(run_object(run, sweep.header)));
      break;
    case Format::csv: {
      RunColumns::Names names;
      add_names(names, *reader, sweep.header, Parameters::together);
      for (const Binding& binding : run.run.parameters) names.parameters.push_back(binding.name);
      const RunColumns columns(sweep.header.metric, names);
      write(Listing{columns.columns(), {columns.row(run, sweep.header)}}, Format::csv);
      break;
    }
    case Format::table:
      print(best_text(sweep, run.run, *report_of(run, sweep.header).best_primary_metric));
  }
  return kDone;
}

}  // namespace

Action setup_best(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep (default: last)");
  add_format_option(parser, options->format);
  add_home_option(parser, options->output_dir);
  return [options] { return best(*options); };
}

}  // namespace hdrive::cli
