// SPDX-License-Identifier: Apache-2.0
//
// Who ran when: a line for each slot, a bar for each run. Gaps are time in which a slot had nothing to do.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "base/text.h"
#include "plot/chart.h"

namespace hdrive::plot {
namespace {

struct Bars {
  std::vector<Path> shaded{kShades};
  Path stopped, failed, running, other, best;
};

Path& bar_of(Bars& bars, const Runs& runs, std::size_t row, std::uint8_t shade, bool best) {
  if (best) return bars.best;
  if (runs.ended_by[row] == EndCause::policy) return bars.stopped;
  if (runs.status[row] == RunStatus::failed) return bars.failed;
  if (runs.status[row] == RunStatus::running) return bars.running;
  return shade == Runs::kNoShade ? bars.other : bars.shaded[shade];
}

void draw_bars(SvgPainter& p, const Frame& frame, const Runs& runs, std::size_t slots,
               const Theme& theme) {
  const Box& box = frame.box;
  const double lane = box.height / static_cast<double>(slots);
  const double thick = std::max(0.6, lane - std::max(0.4, lane * 0.18));
  std::vector<std::size_t> order(runs.rows());
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](std::size_t row) { return std::isnan(runs.started.data[row]); });
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return runs.started.data[a] < runs.started.data[b];
  });
  const auto shades = runs.shades();
  const auto best = runs.best();
  Bars bars;
  std::vector<double> last(slots, -1);
  for (const std::size_t row : order) {
    if (std::isnan(runs.slot.data[row]) || std::isnan(runs.duration.data[row])) continue;
    const auto slot = static_cast<std::size_t>(runs.slot.data[row]);
    const double from = frame.x(runs.started.data[row]);
    const double to = frame.x(runs.started.data[row] + runs.duration.data[row]);
    const bool is_best = best && row == *best;
    // Within a pixel of what is there already nothing new is seen.
    if (to < last[slot] + 0.8 && !is_best) continue;
    last[slot] = to;
    const double width = std::max(0.8, to - from - (to - from > 4 ? 1 : 0));
    const double y = box.y + (static_cast<double>(slot) + 0.5) * lane;
    bar_of(bars, runs, row, shades[row], is_best).rect(from, y - thick / 2, width, thick);
  }
  for (std::size_t shade = 0; shade < kShades; ++shade)
    p.area(bars.shaded[shade], {theme.shades[shade]});
  p.area(bars.other, {theme.canceled});
  p.area(bars.stopped, {theme.stopped});
  p.area(bars.failed, {theme.failed});
  p.area(bars.running, {theme.running});
  p.area(bars.best, {theme.best});
}

}  // namespace

Result<Chart> make_timeline(const Scene& scene) {
  auto read = scene.runs();
  if (!read) return read.error();
  const auto runs = std::make_shared<const Runs>(*std::move(read));
  const double greatest = extent(runs->slot.data).high;
  if (std::isnan(greatest) || std::isnan(extent(runs->started.data).low))
    return Error{"", "no run has started yet", Error::Kind::not_found};
  const auto slots = static_cast<std::size_t>(greatest) + 1;
  std::vector<double> ends;
  for (std::size_t row = 0; row < runs->rows(); ++row)
    ends.push_back(runs->started.data[row] + runs->duration.data[row]);
  const double end = std::max(1e-3, extent(ends).high);

  using Mark = LegendEntry::Mark;
  Chart chart;
  chart.width = 960;
  chart.height =
      std::clamp(110 + 22 * static_cast<int>(std::min<std::size_t>(slots, 100)), 170, 640);
  chart.about = "Which run each slot had when; gaps are slots without a run.";
  const auto has = [&](const auto& column, auto what) {
    return std::find(column.begin(), column.end(), what) != column.end();
  };
  if (runs->best()) chart.legend.push_back({Mark::dots, scene.theme.best, "best run"});
  if (has(runs->status, RunStatus::running))
    chart.legend.push_back({Mark::dots, scene.theme.running, "running"});
  if (has(runs->ended_by, EndCause::policy))
    chart.legend.push_back({Mark::dots, scene.theme.stopped, "stopped early"});
  if (has(runs->status, RunStatus::failed))
    chart.legend.push_back({Mark::dots, scene.theme.failed, "failed"});
  chart.legend.push_back(ramp_entry(*runs));
  chart.draw = [runs, slots, end, &scene](SvgPainter& p, const Box& box) {
    const double count = static_cast<double>(slots);
    const Frame frame = lay_out(box,
                                {.kind = ScaleKind::duration,
                                 .range = {0, end},
                                 .label = "time since the first run began",
                                 .pad = 0.005},
                                {.kind = ScaleKind::integer,
                                 .range = {-0.5, count - 0.5},
                                 .label = base::plural(static_cast<long long>(slots), "slot"),
                                 .pad = 0});
    draw_axes(p, frame, scene.theme, {.x = true, .y = false});
    const double lane = frame.box.height / count;
    const auto every = static_cast<std::size_t>(
        std::ceil(count / std::max(1.0, std::floor(frame.box.height / 18))));
    for (std::size_t slot = 0; slot < slots; slot += every)
      p.text(frame.box.x - 8, frame.box.y + (static_cast<double>(slot) + 0.5) * lane,
             std::to_string(slot), {.color = scene.theme.ink_3, .anchor = Anchor::end});
    draw_bars(p, frame, *runs, slots, scene.theme);
  };
  return chart;
}

}  // namespace hdrive::plot
