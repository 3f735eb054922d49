// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/lookup.h"
#include "cli/parameters.h"
#include "cli/sweep_text.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep = "last";
  std::string output_dir;
  std::string sort = "number";
  Format format = Format::table;
};

int status(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep, Several::newest);
  const SweepState state = load_state(sweep);
  std::vector<RunReport> runs = report_runs(state, sweep.header.id);
  if (options.sort == "best") sort_by_primary_metric(runs, sweep.header.goal);
  switch (options.format) {
    case Format::json: {
      OrderedJson object = sweep_json(sweep, summary_now(sweep, state));
      object["runs"] = OrderedJson::array();
      for (const RunReport& run : runs) object["runs"].push_back(OrderedJson::parse(to_json(run)));
      print_data(pretty(object));
      break;
    }
    case Format::csv:
      write(runs_listing(runs, sweep.header.metric, Parameters::apart), Format::csv);
      break;
    case Format::table:
      print(sweep_text(sweep, summary_now(sweep, state)));
      if (!runs.empty()) {
        print("\n");
        write(runs_listing(runs, sweep.header.metric, Parameters::together), Format::table);
      }
  }
  return kDone;
}

}  // namespace

Action setup_status(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep (default: last)");
  parser.choice("--sort", options->sort, {"number", "best"}, "ORDER",
                "The order of the runs: number, or best (those without a value last)");
  add_format_option(parser, options->format);
  add_home_option(parser, options->output_dir);
  return [options] { return status(*options); };
}

}  // namespace hdrive::cli
