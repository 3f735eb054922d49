// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "server/portal/columns.h"
#include "server/portal/data.h"

namespace hdrive::server::portal {
namespace {

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
               (live > 0 ? std::to_string(live) + " that run, " : "") + "and every " +
               std::to_string(all / rest) + "th run";
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
Json envelope(const std::vector<Series>& all, const std::set<RunId>& even, Goal goal) {
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
  Json json = {{"place", Json::array()}, {"low", Json::array()},  {"median", Json::array()},
               {"high", Json::array()},  {"best", Json::array()}, {"runs", Json::array()}};
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (at[i].empty()) continue;
    std::sort(at[i].begin(), at[i].end());
    const auto quantile = [&](double part) {
      return at[i][static_cast<std::size_t>(
          std::lround(part * static_cast<double>(at[i].size() - 1)))];
    };
    const auto [least, greatest] = std::minmax_element(at_all[i].begin(), at_all[i].end());
    json["place"].push_back(places[i]);
    json["low"].push_back(quantile(0.1));
    json["median"].push_back(quantile(0.5));
    json["high"].push_back(quantile(0.9));
    json["best"].push_back(goal == Goal::maximize ? *greatest : *least);
    json["runs"].push_back(at[i].size());
  }
  return json;
}

}  // namespace

Result<std::string> curves(SweepReader& reader, const SweepHeader& header,
                           const CurvesQuery& query) {
  auto outlines = reader.outlines();
  if (!outlines) return outlines.error();
  const auto of = std::ssize(*outlines);
  Chosen chosen = choose(*std::move(outlines), header.goal, query.most);
  auto found = reader.series({chosen.runs, query.metric, kReadPoints});
  if (!found) return found.error();
  std::erase_if(*found, [](const Series& series) { return series.points.empty(); });

  Json head = {
      {"metric", text(query.metric)}, {"of", of}, {"rows", found->size()}, {"chosen", chosen.how}};
  head["envelope"] = envelope(*found, chosen.even, header.goal);
  std::vector<std::int32_t> runs, starts, places;
  std::vector<double> steps, values, times;
  for (Series& series : *found) {
    runs.push_back(static_cast<std::int32_t>(series.run));
    starts.push_back(static_cast<std::int32_t>(places.size()));
    for (const Series::Point& point : thin_out(std::move(series.points), query.points)) {
      places.push_back(static_cast<std::int32_t>(point.place));
      steps.push_back(point.step ? static_cast<double>(*point.step) : kNone);
      values.push_back(point.value);
      times.push_back(epoch_seconds(point.time));
    }
  }
  starts.push_back(static_cast<std::int32_t>(places.size()));
  BinaryTable table("HDV1");
  table.add({{"name", "run"}}, runs);
  table.add({{"name", "start"}}, starts);
  table.add({{"name", "place"}}, places);
  table.add({{"name", "step"}}, steps);
  table.add({{"name", "value"}}, values);
  table.add({{"name", "time"}}, times);
  return table.bytes(std::move(head));
}

}  // namespace hdrive::server::portal
