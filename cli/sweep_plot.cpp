// SPDX-License-Identifier: Apache-2.0
#include "cli/sweep_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "cli/canvas.h"
#include "cli/command.h"
#include "cli/stored_spec.h"
#include "cli/text.h"
#include "hdrive/plot.h"

namespace hdrive::cli {
namespace {

constexpr int kHeight = 14;
constexpr int kMostMetrics = 6;
// So many curves can be followed in dots; the charts of `plot` and `ui` have more.
constexpr std::int64_t kMostCurves = 16;

bool low_is_good(const SweepHeader& header) { return header.goal == Goal::minimize; }

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string history(const SweepHeader& header, SweepReader& reader, int width, bool utf8) {
  TextChart chart;
  const std::string metric = printable(header.metric);
  chart.title = fmt::format("history: {} of each run, and the best so far", metric);
  TextChart::Series runs, best;
  runs.dots = true;
  const auto outlines = value_or_fail(reader.outlines());
  for (const RunOutline& run : outlines) {
    if (!run.best) continue;
    const double x = static_cast<double>(run.run);
    runs.x.push_back(x);
    runs.y.push_back(*run.best);
    const bool rises = best.y.empty() || (low_is_good(header) ? *run.best < best.y.back()
                                                              : *run.best > best.y.back());
    if (!rises) continue;
    if (!best.x.empty()) {
      best.x.push_back(x);
      best.y.push_back(best.y.back());
    }
    best.x.push_back(x);
    best.y.push_back(*run.best);
  }
  if (runs.x.empty()) return fmt::format("history: no run has a value of {} yet\n", metric);
  best.x.push_back(runs.x.back());
  best.y.push_back(best.y.back());
  std::tie(chart.low, chart.high) = main_range(runs.y, low_is_good(header));
  chart.x_low = fmt::format("run {}", static_cast<long long>(runs.x.front()));
  chart.x_high = fmt::format("run {}", static_cast<long long>(runs.x.back()));
  chart.series = {std::move(runs), std::move(best)};
  return text_of(chart_lines(chart, width, kHeight, utf8));
}

TextChart::Series series_of(const Series& from, double& last) {
  TextChart::Series series;
  for (const Series::Point& point : from.points) {
    series.x.push_back(static_cast<double>(point.place + 1));
    series.y.push_back(point.value);
    last = std::max(last, series.x.back());
  }
  return series;
}

std::string curves(const SweepHeader& header, SweepReader& reader, int width, bool utf8) {
  const auto drawn = value_or_fail(sweep_curves(
      reader, header.goal, {.metric = header.metric, .points = 2 * width, .most = kMostCurves}));
  const std::string metric = printable(header.metric);
  if (drawn.series.empty()) return fmt::format("curves: no run has reported {} yet\n", metric);
  TextChart chart;
  chart.title =
      fmt::format("curves: {} of {}", metric, drawn.chosen == "all" ? "all runs" : drawn.chosen);
  std::vector<double> values;
  double last = 1;
  for (const Series& each : drawn.series) {
    chart.series.push_back(series_of(each, last));
    const auto& y = chart.series.back().y;
    values.insert(values.end(), y.begin(), y.end());
  }
  std::tie(chart.low, chart.high) = main_range(std::move(values), low_is_good(header));
  chart.x_low = "report 1";
  chart.x_high = fmt::format("report {}", static_cast<long long>(last));
  return text_of(chart_lines(chart, width, kHeight, utf8));
}

std::string importance(const SweepEntry& sweep, SweepReader& reader, int width, bool utf8) {
  const SweepSpec spec = value_or_fail(stored_spec(sweep.header, sweep.directory));
  const auto shares = sweep_importance(reader, sweep.header, spec.space);
  if (!shares) return "importance: " + shares.error().message() + "\n";
  std::vector<std::pair<std::string, double>> bars;
  for (const ParameterImportance& each : *shares)
    bars.emplace_back(printable(bare_name(each.name)), each.share);
  return "importance: how differently the best tenth of the finished runs is spread\n" +
         text_of(bar_lines(bars, width, utf8));
}

}  // namespace

std::string sweep_plot(const SweepEntry& sweep, SweepReader& reader, int width, bool utf8) {
  return history(sweep.header, reader, width, utf8) + "\n" +
         curves(sweep.header, reader, width, utf8) + "\n" + importance(sweep, reader, width, utf8);
}

std::string run_plot(const SweepEntry& sweep, SweepReader& reader, RunId run, int width,
                     bool utf8) {
  const StoredRun stored = value_or_fail(reader.run(run));
  std::vector<std::string> names;
  for (const MetricFigures& figures : stored.metrics) names.push_back(figures.name);
  // The primary one first, the others by name.
  std::stable_partition(names.begin(), names.end(),
                        [&](const std::string& name) { return name == sweep.header.metric; });
  std::string text;
  int shown = 0;
  for (const std::string& name : names) {
    if (shown == kMostMetrics) {
      text += fmt::format("\nand {} more; `hdrive show {}/{}` lists them\n",
                          base::plural(std::ssize(names) - shown, "metric"),
                          short_id(sweep.header.id), run);
      break;
    }
    const auto found = value_or_fail(reader.series({{run}, name, 2 * width}));
    if (found.empty() || found.front().points.empty()) continue;
    TextChart chart;
    double last = 1;
    chart.title = fmt::format("run {}: {}", run, printable(name));
    chart.series.push_back(series_of(found.front(), last));
    chart.x_low = "report 1";
    chart.x_high = fmt::format("report {}", static_cast<long long>(last));
    text += (shown++ == 0 ? "" : "\n") + text_of(chart_lines(chart, width, kHeight, utf8));
  }
  return text.empty() ? fmt::format("run {} has logged no metric yet\n", run) : text;
}

}  // namespace hdrive::cli
