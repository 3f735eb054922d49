// SPDX-License-Identifier: Apache-2.0
//
// How early winners show: the place of the final best runs among all curves, report by report. Lines that cross late
// mean that a policy should wait.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "plot/chart.h"
#include "plot/words.h"

namespace hdrive::plot {
namespace {

constexpr double kNotThere = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kWinners = 10;
constexpr std::int64_t kPlaces = 48;

struct Ranks {
  std::vector<double> places;              // reports, from 1
  std::vector<std::vector<double>> ranks;  // of the final best runs, best first; 1 is best
  double worst = 2;
};

std::int64_t last_place(const Series& series) { return series.points.back().place + 1; }

std::vector<double> places_of(const std::vector<Series>& all) {
  std::int64_t last = 0;
  for (const Series& series : all) last = std::max(last, last_place(series));
  const std::int64_t step = std::max<std::int64_t>(1, (last + kPlaces - 1) / kPlaces);
  std::vector<double> places;
  for (std::int64_t place = 1; place <= last; place += step)
    places.push_back(static_cast<double>(place));
  if (!places.empty() && places.back() != static_cast<double>(last))
    places.push_back(static_cast<double>(last));
  return places;
}

// The best so far of each curve at each place; a run that has ended keeps what it reached.
std::vector<std::vector<double>> best_at(const std::vector<Series>& all,
                                         const std::vector<double>& places, Goal goal) {
  std::vector<std::vector<double>> result;
  for (const Series& series : all) {
    std::vector<double> values;
    double best = kNotThere;
    std::size_t next = 0;
    for (const double place : places) {
      for (; next < series.points.size() &&
             static_cast<double>(series.points[next].place + 1) <= place;
           ++next) {
        const double value = series.points[next].value;
        if (std::isfinite(value) &&
            (std::isnan(best) || (goal == Goal::minimize ? value < best : value > best)))
          best = value;
      }
      values.push_back(best);
    }
    result.push_back(std::move(values));
  }
  return result;
}

Ranks ranks_of(const std::vector<Series>& all, Goal goal) {
  Ranks result;
  result.places = places_of(all);
  const auto best = best_at(all, result.places, goal);
  const double sign = goal == Goal::minimize ? 1 : -1;
  std::vector<std::size_t> winners;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!std::isnan(best[i].back())) winners.push_back(i);
  std::stable_sort(winners.begin(), winners.end(), [&](std::size_t a, std::size_t b) {
    return sign * best[a].back() < sign * best[b].back();
  });
  winners.resize(std::min(winners.size(), kWinners));
  result.ranks.resize(winners.size());
  for (std::size_t k = 0; k < result.places.size(); ++k) {
    std::vector<double> values;
    for (const auto& curve : best)
      if (!std::isnan(curve[k])) values.push_back(sign * curve[k]);
    std::sort(values.begin(), values.end());
    for (std::size_t w = 0; w < winners.size(); ++w) {
      const double own = sign * best[winners[w]][k];
      const bool there = static_cast<double>(last_place(all[winners[w]])) >= result.places[k];
      const auto above = std::lower_bound(values.begin(), values.end(), own) - values.begin();
      result.ranks[w].push_back(there && !std::isnan(own) ? static_cast<double>(1 + above)
                                                          : kNotThere);
      if (there && !std::isnan(own)) result.worst = std::max(result.worst, result.ranks[w].back());
    }
  }
  return result;
}

void draw_ranks(SvgPainter& p, const Box& box, const Ranks& ranks, const Theme& theme) {
  const Frame frame = lay_out(
      box, {.range = {1, ranks.places.back()}, .label = "report", .pad = 0.01},
      {.kind = ScaleKind::log, .range = {1, ranks.worst}, .label = "rank, 1 is best", .pad = 0.05});
  draw_axes(p, frame, theme, {.x = true, .y = false});
  const Box& inner = frame.box;
  // Rank 1 stands at the top.
  const auto y = [&](double rank) { return inner.bottom() - (frame.y(rank) - inner.y); };
  for (const Tick& tick : frame.y.ticks(6)) {
    if (std::floor(tick.value) != tick.value) continue;
    const double at = std::floor(y(tick.value)) + 0.5;
    p.line({inner.x, at}, {inner.right(), at}, {theme.line});
    p.text(inner.x - 7, at, tick.label, {.color = theme.ink_3, .anchor = Anchor::end});
  }
  for (std::size_t i = ranks.ranks.size(); i-- > 0;) {
    std::vector<double> xs, ys;
    for (std::size_t k = 0; k < ranks.places.size(); ++k) {
      xs.push_back(frame.x(ranks.places[k]));
      ys.push_back(y(ranks.ranks[i][k]));
    }
    const auto shade = static_cast<std::size_t>(
        std::lround(60 - 44 * static_cast<double>(i) / static_cast<double>(ranks.ranks.size())));
    p.line(xs, ys,
           {i == 0 ? theme.best : std::string_view(theme.shades[shade]), i == 0 ? 2.5 : 1.5, 0.9});
  }
}

}  // namespace

Result<Chart> make_rank(const Scene& scene) {
  auto curves = sweep_curves(scene.reader, scene.header.goal, {.metric = scene.metric});
  if (!curves) return curves.error();
  if (curves->series.empty()) return no_value(scene);
  if (curves->series.size() < 2)
    return Error{"", "a rank takes two runs with values of " + scene.metric,
                 Error::Kind::not_found};
  Chart chart;
  chart.width = 560;
  chart.about =
      "The place of the final best runs among all curves, report by report: how early winners "
      "show.";
  chart.legend.push_back({LegendEntry::Mark::line, scene.theme.best, "the final best"});
  chart.legend.push_back({.text = "and the nine behind it, among " +
                                  count_text(std::ssize(curves->series)) + " curves"});
  chart.draw = [ranks = ranks_of(curves->series, scene.header.goal), &scene](
                   SvgPainter& p, const Box& box) { draw_ranks(p, box, ranks, scene.theme); };
  if (curves->series.size() < kWinners)
    chart.legend.back().text =
        "and those behind it, among " + count_text(std::ssize(curves->series)) + " curves";
  return chart;
}

}  // namespace hdrive::plot
