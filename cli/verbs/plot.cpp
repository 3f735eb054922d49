// SPDX-License-Identifier: Apache-2.0
#include "hdrive/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/command.h"
#include "cli/lookup.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep = "last";
  std::string output_dir;
  std::string file;
  std::string theme = "light";
  std::vector<std::string> parameters;
  std::int64_t width = 0, height = 0;
  PlotOptions plot;
};

// The library names its own members; here they are options.
[[noreturn]] void fail_with(const Error& error, const std::string& output_dir) {
  if (error.kind != Error::Kind::invalid || error.where.empty())
    fail(kCannot, error_text(error, output_dir));
  std::string option = error.where == "parameters" ? "params" : error.where;
  for (char& c : option)
    if (c == '_') c = '-';
  fail(kWrong, fmt::format("--{}: {}", option, error.what));
}

int plot(Options options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep, Several::newest);
  options.plot.theme = options.theme == "dark" ? PlotTheme::dark : PlotTheme::light;
  // What is too great stays so, and is told with the other options.
  const auto pixels = [](std::int64_t size) {
    return static_cast<int>(std::min<std::int64_t>(size, kGreatestPlotSize + 1));
  };
  options.plot.width = pixels(options.width);
  options.plot.height = pixels(options.height);
  for (const std::string& list : options.parameters)
    for (const std::string_view name : base::split(list, ','))
      if (!base::trim(name).empty()) options.plot.parameters.emplace_back(base::trim(name));
  const std::string name = fmt::format("{}-{}.svg", short_id(sweep.header.id), options.plot.kind);
  const std::string file = options.file.empty() ? name : options.file;
  refuse_directory(file);
  const auto svg = plot_svg(sweep.directory, options.plot);
  if (!svg) fail_with(svg.error(), options.output_dir);
  write_output(file, *svg);
  return kDone;
}

}  // namespace

Action setup_plot(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep (default: last)");
  std::vector<std::string> kinds;
  std::string told = "What to draw (default: history):";
  for (const PlotKind& kind : plot_kinds()) {
    kinds.emplace_back(kind.name);
    told += fmt::format("{} {}, {}", kinds.size() == 1 ? "" : ";", kind.name, kind.summary);
  }
  parser.choice("-k,--kind", options->plot.kind, std::move(kinds), "KIND", std::move(told));
  parser
      .text("-o,--output", options->file, "FILE",
            "The file to write (default: the beginning of the sweep's id and the kind, .svg); - is "
            "the standard output")
      .completion = Completion::files;
  parser.text("--metric", options->plot.metric, "NAME",
              "Another metric than the primary one; of each run its last value");
  parser
      .text("--x", options->plot.x, "NAME",
            "Along the horizontal axis: of history run, started or ended; of curves report, step "
            "or elapsed; of scatter and contour a parameter, of scatter also a metric, run, "
            "started, ended, duration or reports")
      .suggestions = {"run",  "started", "ended",    "report",
                      "step", "elapsed", "duration", "reports"};
  parser.text("--y", options->plot.y, "NAME", "Along the vertical axis of scatter and contour");
  parser.texts("--params", options->parameters, "NAMES",
               "The parameters of parallel and slice, in this order, with commas between them "
               "(default: all)");
  parser.flag("--log-x", options->plot.log_x,
              "A logarithmic horizontal axis; parameters that are drawn so have one");
  parser.flag("--log-y", options->plot.log_y, "A logarithmic vertical axis");
  parser.integer("--width", options->width, std::int64_t{kLeastPlotSize}, "The width in pixels");
  parser.integer("--height", options->height, std::int64_t{kLeastPlotSize}, "The height in pixels");
  parser.choice("--theme", options->theme, {"light", "dark"}, "THEME",
                "light or dark (default: light)");
  parser.text("--title", options->plot.title, "TEXT", "A title above the picture (default: none)");
  add_home_option(parser, options->output_dir);
  return [options] { return plot(*options); };
}

}  // namespace hdrive::cli
