// SPDX-License-Identifier: Apache-2.0
//
// The table of the kinds of charts, and what all of them have in common: options, title, legend.
#include "hdrive/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "base/text.h"
#include "hdrive/begin.h"
#include "plot/chart.h"

namespace hdrive {
namespace plot {
namespace {

constexpr double kMargin = 12, kTitleHeight = 26, kLegendLine = 18, kLegendSize = 11,
                 kMarkWidth = 16, kRampWidth = 64, kEntryGap = 18;
// As many curves as can be told apart at all.
constexpr std::int64_t kStillCurves = 400;

struct Row {
  PlotKind kind;
  Result<Chart> (*make)(const Scene&);
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {{.name = "history",
        .summary = "each run's value in the order of the runs, and the best so far",
        .metric = true,
        .x = true,
        .log_x = true,
        .log_y = true},
       make_history},
      {{.name = "curves",
        .summary = "the metric of each run over its reports, with the median of all",
        .metric = true,
        .x = true,
        .log_x = true,
        .log_y = true},
       make_curves},
      {{.name = "parallel",
        .summary = "parallel coordinates: a line for each run through its parameters and value",
        .metric = true,
        .parameters = true,
        .log_y = true},
       make_parallel},
      {{.name = "scatter",
        .summary = "two parameters or metrics against each other, in the colour of the value",
        .metric = true,
        .x = true,
        .y = true,
        .log_x = true,
        .log_y = true},
       make_scatter},
      {{.name = "slice",
        .summary = "the value over each parameter, side by side",
        .metric = true,
        .parameters = true,
        .log_y = true},
       make_slice},
      {{.name = "contour",
        .summary = "how good runs are around each pair of two parameters",
        .metric = true,
        .x = true,
        .y = true,
        .log_x = true,
        .log_y = true},
       make_contour},
      {{.name = "importance", .summary = "how much each parameter mattered"}, make_importance},
      {{.name = "edf",
        .summary = "the distribution: what share of the runs has at most each value",
        .metric = true,
        .log_x = true},
       make_edf},
      {{.name = "timeline", .summary = "which run each slot had when"}, make_timeline},
      {{.name = "rank", .summary = "the place of the final best runs, report by report"},
       make_rank},
      {{.name = "stopping",
        .summary = "what the early-termination policy would have done with the curves",
        .log_y = true},
       make_stopping}};
  return table;
}

// What the kind does not heed is an error: it would be asked for in vain.
Result<void> check_options(const PlotKind& kind, const PlotOptions& options) {
  const struct {
    bool given, heeded;
    bool PlotKind::*member;
    const char* option;
  } all[] = {{!options.metric.empty(), kind.metric, &PlotKind::metric, "metric"},
             {!options.x.empty(), kind.x, &PlotKind::x, "x"},
             {!options.y.empty(), kind.y, &PlotKind::y, "y"},
             {!options.parameters.empty(), kind.parameters, &PlotKind::parameters, "parameters"},
             {options.log_x, kind.log_x, &PlotKind::log_x, "log_x"},
             {options.log_y, kind.log_y, &PlotKind::log_y, "log_y"}};
  for (const auto& each : all) {
    if (!each.given || each.heeded) continue;
    std::vector<std::string> heeding;
    for (const PlotKind& other : plot_kinds())
      if (other.*each.member) heeding.emplace_back(other.name);
    return Error{each.option,
                 fmt::format("is nothing that kind {} heeds; leave it out, or draw one of: {}",
                             kind.name, base::join(heeding, ", ")),
                 Error::Kind::invalid};
  }
  const std::pair<const char*, int> sizes[] = {{"width", options.width},
                                               {"height", options.height}};
  for (const auto& [option, size] : sizes)
    if (size != 0 && (size < kLeastPlotSize || size > kGreatestPlotSize))
      return Error{option,
                   fmt::format("{} is not allowed; from {} to {} pixels", size, kLeastPlotSize,
                               kGreatestPlotSize),
                   Error::Kind::invalid};
  return {};
}

double mark_width(const LegendEntry& entry) {
  switch (entry.mark) {
    case LegendEntry::Mark::none:
      return 0;
    case LegendEntry::Mark::ramp:
      return kRampWidth;
    default:
      return kMarkWidth + 6;
  }
}

// Of a ramp the words at its ends.
std::pair<std::string, std::string> ramp_ends(const LegendEntry& entry) {
  const std::size_t bar = entry.text.find('|');
  return {entry.text.substr(0, bar), entry.text.substr(bar + 1)};
}

double entry_width(const LegendEntry& entry) {
  if (entry.mark != LegendEntry::Mark::ramp)
    return mark_width(entry) + text_width(entry.text, kLegendSize);
  const auto [low, high] = ramp_ends(entry);
  return text_width(low, kLegendSize) + text_width(high, kLegendSize) + kRampWidth + 12;
}

struct Placed {
  const LegendEntry* entry;
  double x = 0;
  int line = 0;
};

std::vector<Placed> place_legend(const std::vector<LegendEntry>& legend, double width) {
  std::vector<Placed> placed;
  double x = 0;
  int line = 0;
  for (const LegendEntry& entry : legend) {
    const double own = entry_width(entry);
    if (x > 0 && x + own > width) {
      x = 0;
      ++line;
    }
    placed.push_back({&entry, x, line});
    x += own + kEntryGap;
  }
  return placed;
}

void draw_entry(SvgPainter& p, const LegendEntry& entry, double x, double y, double room,
                const Theme& theme) {
  const TextStyle style{.color = theme.ink_2, .size = kLegendSize};
  using Mark = LegendEntry::Mark;
  const auto words = [&](double from, const std::string& text) {
    const double left = room - (from - x);
    p.text(from, y, cut(text, static_cast<std::size_t>(std::max(4.0, left / 5.6))), style);
  };
  switch (entry.mark) {
    case Mark::none:
      return words(x, entry.text);
    case Mark::line:
      p.line({x, y}, {x + kMarkWidth, y}, {entry.color, 3});
      break;
    case Mark::dashes:
      p.line({x, y}, {x + kMarkWidth, y}, {entry.color, 1.5, 1, "4 3"});
      break;
    case Mark::dots:
      p.circle({x + kMarkWidth / 2, y}, 4.5, {.color = entry.color});
      break;
    case Mark::ramp: {
      const auto [low, high] = ramp_ends(entry);
      p.text(x, y, low, style);
      const double from = x + text_width(low, kLegendSize) + 6;
      constexpr std::size_t kParts = 32;
      for (std::size_t i = 0; i < kParts; ++i)
        p.rect(std::round(from) + static_cast<double>(i) * kRampWidth / kParts, y - 4,
               kRampWidth / kParts, 8, {.color = theme.shades[i * (kShades - 1) / (kParts - 1)]});
      p.text(from + kRampWidth + 6, y, high, style);
      return;
    }
  }
  words(x + mark_width(entry), entry.text);
}

std::string draw(const Chart& chart, const Scene& scene) {
  const PlotOptions& options = scene.options;
  const int width = options.width > 0 ? options.width : chart.width;
  const int height = options.height > 0 ? options.height : chart.height;
  const Theme& theme = scene.theme;
  SvgPainter painter;
  double top = kMargin / 2;
  if (!options.title.empty()) {
    const auto most = static_cast<std::size_t>(std::max(8.0, (width - 2 * kMargin) / 8.2));
    painter.text(kMargin, top + kTitleHeight / 2, cut(options.title, most),
                 {.color = theme.ink, .size = 15, .weight = 600});
    top += kTitleHeight;
  }
  const double room = width - 2 * kMargin;
  const auto legend = place_legend(chart.legend, room);
  const double legend_height = legend.empty() ? 0 : (legend.back().line + 1) * kLegendLine;
  const double bottom = height - legend_height - kMargin / 2;
  chart.draw(painter, {kMargin, top, room, std::max(40.0, bottom - top - 6)});
  for (const Placed& placed : legend)
    draw_entry(painter, *placed.entry, kMargin + placed.x,
               bottom + (placed.line + 0.5) * kLegendLine, room - placed.x, theme);
  const std::string of = scene.header.name.empty() ? scene.header.id : scene.header.name;
  return painter.document(width, height, theme.surface,
                          options.title.empty() ? options.kind + " of sweep " + of : options.title,
                          chart.about);
}

}  // namespace

Result<SweepCurves> Scene::curves() const {
  return sweep_curves(reader, header.goal, {.metric = metric, .most = kStillCurves});
}

LegendEntry ramp_entry(const Runs& runs) {
  return {LegendEntry::Mark::ramp, "", runs.judged() ? "worse|better" : "low|high"};
}

Result<std::vector<const Column*>> chosen_parameters(const Runs& runs, const PlotOptions& options,
                                                     std::size_t least) {
  std::vector<const Column*> chosen;
  std::vector<std::string> allowed;
  for (const Column& column : runs.parameters) {
    allowed.push_back(column.label);
    if (options.parameters.empty()) chosen.push_back(&column);
  }
  for (const std::string& name : options.parameters) {
    const Column* column = runs.parameter(name);
    if (!column) return unknown_name("parameters", "parameter", name, allowed);
    chosen.push_back(column);
  }
  if (chosen.size() < least)
    return Error{"", "the sweep has no parameters to draw", Error::Kind::not_found};
  return chosen;
}

Error no_value(const Scene& scene) {
  return {"", "no run has a value of " + base::to_utf8(scene.metric) + " yet",
          Error::Kind::not_found};
}

Error nothing_above_zero(std::string_view option, const std::string& label) {
  return {std::string(option),
          "no value of " + label + " is above 0, so none has a logarithm; leave it out",
          Error::Kind::invalid};
}

Error unknown_name(std::string_view option, std::string_view what, const std::string& name,
                   const std::vector<std::string>& allowed) {
  const std::string meant = base::did_you_mean(name, allowed);
  return {std::string(option),
          fmt::format("unknown {} \"{}\"; allowed: {}{}{}", what, name, base::join(allowed, ", "),
                      meant.empty() ? "" : ";", meant),
          Error::Kind::invalid};
}

}  // namespace plot

const std::vector<PlotKind>& plot_kinds() {
  static const std::vector<PlotKind> kinds = [] {
    std::vector<PlotKind> all;
    for (const plot::Row& row : plot::rows()) all.push_back(row.kind);
    return all;
  }();
  return kinds;
}

Result<std::string> plot_svg(const std::filesystem::path& directory, const PlotOptions& options) {
  const auto& rows = plot::rows();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const plot::Row& each) {
    return each.kind.name == options.kind;
  });
  if (row == rows.end()) {
    std::vector<std::string> names;
    for (const PlotKind& kind : plot_kinds()) names.emplace_back(kind.name);
    return plot::unknown_name("kind", "kind of chart", options.kind, names);
  }
  if (const auto checked = plot::check_options(row->kind, options); !checked)
    return checked.error();
  const auto reader = SweepReader::open(directory);
  if (!reader) return reader.error();
  const auto header = (*reader)->header();
  if (!header) return header.error();
  const auto spec = spec_of(*header, directory);
  if (!spec) return spec.error();
  if (!options.metric.empty() && options.metric != header->metric) {
    const auto names = (*reader)->metric_names();
    if (!names) return names.error();
    if (std::find(names->begin(), names->end(), options.metric) == names->end()) {
      std::vector<std::string> allowed = *names;
      if (std::find(allowed.begin(), allowed.end(), header->metric) == allowed.end())
        allowed.push_back(header->metric);
      return plot::unknown_name("metric", "metric", options.metric, allowed);
    }
  }
  const plot::Scene scene{**reader,
                          *header,
                          *spec,
                          options,
                          plot::theme_of(options.theme),
                          options.metric.empty() ? header->metric : options.metric};
  const auto chart = row->make(scene);
  if (!chart) return chart.error();
  return plot::draw(*chart, scene);
}

}  // namespace hdrive
