// SPDX-License-Identifier: Apache-2.0
//
// The curves of a metric that are drawn where all runs are asked for, and how all runs stand.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "hdrive/plot.h"

namespace hdrive {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
// For the envelope a run is read in more detail than it is drawn.
constexpr std::int64_t kReadPoints = 500;
constexpr std::size_t kEnvelopePlaces = 60;

struct Chosen {
  std::vector<RunId> runs;
  std::set<RunId> even;  // those that stand for all
  std::string how;
};

Chosen choose(std::vector<RunOutline> outlines, Goal goal, std::int64_t most) {
  Chosen chosen;
  std::erase_if(outlines, [](const RunOutline& run) { return !run.started; });
  const auto all = std::ssize(outlines);
  if (all <= most) {
    for (const RunOutline& run : outlines) chosen.even.insert(run.run);
    chosen.runs.assign(chosen.even.begin(), chosen.even.end());
    chosen.how = "all";
    return chosen;
  }
  std::set<RunId> picked;
  std::int64_t live = 0;
  for (const RunOutline& run : outlines)
    if (!is_terminal(run.status) && live < most / 4) live += picked.insert(run.run).second;
  std::vector<const RunOutline*> ranked;
  for (const RunOutline& run : outlines)
    if (run.best) ranked.push_back(&run);
  const auto best = std::min<std::ptrdiff_t>(most / 4, std::ssize(ranked));
  std::partial_sort(ranked.begin(), ranked.begin() + best, ranked.end(),
                    [&](const RunOutline* a, const RunOutline* b) {
                      return goal == Goal::maximize ? *a->best > *b->best : *a->best < *b->best;
                    });
  for (std::ptrdiff_t i = 0; i < best; ++i) picked.insert(ranked[static_cast<std::size_t>(i)]->run);
  const std::int64_t rest = most - std::ssize(picked);
  for (std::int64_t i = 0; i < rest; ++i) {
    const RunId run = outlines[static_cast<std::size_t>(i * all / rest)].run;
    chosen.even.insert(run);
    picked.insert(run);
  }
  chosen.runs.assign(picked.begin(), picked.end());
  chosen.how = "the best " + std::to_string(best) + ", " +
               (live > 0 ? std::to_string(live) + " that run, " : "") + "and " +
               base::plural(rest, "other") + " spread evenly";
  return chosen;
}

// The best of the first so many reports, at each of the places.
std::vector<double> best_so_far(const Series& series, const std::vector<std::int64_t>& places,
                                Goal goal) {
  std::vector<double> values(places.size(), kNone);
  double best = kNone;
  std::size_t next = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (; next < series.points.size() && series.points[next].place <= places[i]; ++next) {
      const double value = series.points[next].value;
      if (std::isfinite(value) &&
          (std::isnan(best) || (goal == Goal::maximize ? value > best : value < best)))
        best = value;
    }
    // A run that ended before says nothing of what comes later.
    if (places[i] < series.count) values[i] = best;
  }
  return values;
}

// Of how the runs stand at each place: the middle, the tenth from each end, and the best.
SweepCurves::Envelope envelope_of(const std::vector<Series>& all, const std::set<RunId>& even,
                                  Goal goal) {
  std::int64_t longest = 0;
  for (const Series& series : all) longest = std::max(longest, series.count);
  std::vector<std::int64_t> places;
  const std::size_t count =
      std::min<std::size_t>(kEnvelopePlaces, static_cast<std::size_t>(longest));
  for (std::size_t i = 0; i < count; ++i)
    places.push_back(count < 2 ? 0
                               : static_cast<std::int64_t>(i) * (longest - 1) /
                                     static_cast<std::int64_t>(count - 1));
  std::vector<std::vector<double>> at(places.size()), at_all(places.size());
  for (const Series& series : all) {
    const auto values = best_so_far(series, places, goal);
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (std::isnan(values[i])) continue;
      at_all[i].push_back(values[i]);
      if (even.count(series.run)) at[i].push_back(values[i]);
    }
  }
  SweepCurves::Envelope envelope;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (at[i].empty()) continue;
    std::sort(at[i].begin(), at[i].end());
    const auto quantile = [&](double part) {
      return at[i][static_cast<std::size_t>(
          std::lround(part * static_cast<double>(at[i].size() - 1)))];
    };
    const auto [least, greatest] = std::minmax_element(at_all[i].begin(), at_all[i].end());
    envelope.place.push_back(places[i]);
    envelope.low.push_back(quantile(0.1));
    envelope.median.push_back(quantile(0.5));
    envelope.high.push_back(quantile(0.9));
    envelope.best.push_back(goal == Goal::maximize ? *greatest : *least);
    envelope.runs.push_back(std::ssize(at[i]));
  }
  return envelope;
}

}  // namespace

Result<SweepCurves> sweep_curves(SweepReader& reader, Goal goal, const CurvesQuery& query) {
  auto outlines = reader.outlines();
  if (!outlines) return outlines.error();
  SweepCurves curves;
  curves.of = std::ssize(*outlines);
  Chosen chosen = choose(*std::move(outlines), goal, query.most);
  const std::int64_t points = query.points == 0 ? 0 : std::max(kReadPoints, query.points);
  auto found = reader.series({chosen.runs, query.metric, points});
  if (!found) return found.error();
  std::erase_if(*found, [](const Series& series) { return series.points.empty(); });
  curves.chosen = std::move(chosen.how);
  curves.envelope = envelope_of(*found, chosen.even, goal);
  for (Series& series : *found) series.points = thin_out(std::move(series.points), query.points);
  curves.series = *std::move(found);
  return curves;
}

}  // namespace hdrive
