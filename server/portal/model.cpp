// SPDX-License-Identifier: Apache-2.0
#include "server/portal/model.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "hdrive/begin.h"
#include "hdrive/model_view.h"
#include "hdrive/state.h"
#include "hdrive/store.h"

namespace hdrive::server::portal {
namespace {

// More reports than these take seconds to put in order.
constexpr std::int64_t kMostReports = 2'000'000;
constexpr std::size_t kMostModels = 16;

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(number(value));
  return list;
}

Json view_json(const ModelView& view, const std::string& metric) {
  Json json = {{"metric", text(metric)},
               {"results", view.results},
               {"noise", number(view.noise)},
               {"why", nullptr},
               {"parameters", Json::array()}};
  for (const ModelView::Slice& slice : view.slices) {
    Json values = Json::array();
    for (const Value& value : slice.values) values.push_back(value_json(value));
    json["parameters"].push_back({{"name", text(bare_name(slice.parameter))},
                                  {"label", text(bare_name(slice.label))},
                                  {"run", or_null(slice.run)},
                                  {"values", std::move(values)},
                                  {"mean", numbers(slice.mean)},
                                  {"low", numbers(slice.low)},
                                  {"high", numbers(slice.high)}});
  }
  return json;
}

// Changes whenever a run ends, or its sweep is another one.
Result<std::string> results_of(const SweepEntry& sweep, SweepReader& reader) {
  const auto totals = reader.totals();
  if (!totals) return totals.error();
  const auto ended = reader.runs(
      {.filter = {.statuses = {RunStatus::completed, RunStatus::failed, RunStatus::canceled}},
       .order = {.by = RunOrder::By::ended, .descending = true},
       .limit = 1});
  if (!ended) return ended.error();
  std::string of = sweep.header.id + " " + sweep.header.config;
  for (const std::int64_t count : totals->by_status) of += " " + std::to_string(count);
  for (const StoredRun& run : ended->runs) of += " " + iso_time(run.run.ended);
  return of;
}

}  // namespace

Result<void> check_reports(const SweepEntry& sweep, SweepReader& reader) {
  const auto totals = reader.metric_totals();
  if (!totals) return totals.error();
  for (const MetricTotals& each : *totals)
    if (each.name == sweep.header.metric && each.count > kMostReports)
      return Error{"",
                   "there are more than " + std::to_string(kMostReports) + " reports of " +
                       each.name + ", which take too long to be read through for this",
                   Error::Kind::no_resources};
  return {};
}

Result<Json> model_json(const SweepEntry& sweep, SweepReader& reader) {
  const auto spec = spec_of(sweep.header, sweep.directory);
  if (!spec) return spec.error();
  const auto none = [&](const Error& error) {
    return Json{{"metric", text(sweep.header.metric)},
                {"results", 0},
                {"noise", nullptr},
                {"why", text(error.message())},
                {"parameters", Json::array()}};
  };
  if (auto few = check_reports(sweep, reader); !few) return none(few.error());
  SweepState state(sweep.header.metric, spec->goal);
  const auto told = replay_sweep(sweep.directory, sweep.header.metric,
                                 [&](const Change& change) { state.apply(change); });
  if (!told) return told.error();
  const SamplerContext context{spec->goal, spec->seed, spec->max_total_runs,
                               spec->max_concurrent_runs};
  const auto view = view_model(spec->sampling, spec->space, context, state.history());
  if (!view) return none(view.error());
  return view_json(*view, sweep.header.metric);
}

Result<Json> Models::get(const SweepEntry& sweep, SweepReader& reader) {
  auto of = results_of(sweep, reader);
  if (!of) return of.error();
  const std::lock_guard lock(mutex_);
  Kept& kept = kept_[sweep.directory.string()];
  kept.used = ++uses_;
  if (kept.of != *of) {
    kept.json = model_json(sweep, reader);
    kept.of = *std::move(of);
  }
  Result<Json> json = kept.json;
  if (kept_.size() > kMostModels)
    kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    }));
  return json;
}

}  // namespace hdrive::server::portal
