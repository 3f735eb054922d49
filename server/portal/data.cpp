// SPDX-License-Identifier: Apache-2.0
#include "server/portal/data.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "hdrive/begin.h"
#include "hdrive/controller_log.h"
#include "hdrive/overview.h"
#include "hdrive/plot.h"
#include "server/portal/run_json.h"

namespace hdrive::server::portal {

Result<Json> runs_json(SweepReader& reader, const SweepHeader& header, const RunQuery& query) {
  const auto page = reader.runs(query);
  if (!page) return page.error();
  Json json = {{"matching", page->matching}, {"runs", Json::array()}};
  for (const StoredRun& run : page->runs) json["runs"].push_back(run_row(run, header));
  return json;
}

Result<Json> series_json(SweepReader& reader, const SeriesQuery& query) {
  const auto found = reader.series(query);
  if (!found) return found.error();
  Json json = {{"metric", text(query.metric)}, {"series", Json::array()}};
  for (const Series& series : *found) {
    Json one = {{"run", series.run},      {"attempt", series.attempt}, {"count", series.count},
                {"place", Json::array()}, {"step", Json::array()},     {"value", Json::array()},
                {"time", Json::array()}};
    for (const Series::Point& point : series.points) {
      one["place"].push_back(point.place);
      one["step"].push_back(or_null(point.step));
      one["value"].push_back(number(point.value));
      one["time"].push_back(number(epoch_seconds(point.time)));
    }
    json["series"].push_back(std::move(one));
  }
  return json;
}

Result<Json> decisions_json(SweepReader& reader, const SweepHeader& header,
                            std::optional<std::int64_t> before, std::int64_t limit) {
  RunQuery query{.filter = {.statuses = {RunStatus::failed, RunStatus::canceled}},
                 .order = {.by = RunOrder::By::ended, .descending = true},
                 .limit = 0};
  const auto count = reader.runs(query);
  if (!count) return count.error();
  const std::int64_t first = std::min(before.value_or(count->matching), count->matching);
  query.offset = count->matching - first;
  query.limit = limit;
  const auto page = reader.runs(query);
  if (!page) return page.error();
  Json json = {{"decisions", Json::array()}, {"more", first > limit}};
  for (const StoredRun& stored : page->runs) {
    const Run& run = stored.run;
    const auto judged = reader.judged(run.id);
    if (!judged) return judged.error();
    const bool stopped = run.ended_by == EndCause::policy;
    Json one = {{"index", first - 1 - std::ssize(json["decisions"])},
                {"time", moment(run.ended)},
                {"run", run.id},
                {"attempt", run.attempt},
                {"what", stopped                           ? "stopped"
                         : run.status == RunStatus::failed ? "failed"
                                                           : "canceled"},
                {"cause", std::string(to_string(run.ended_by))},
                {"reason", text(run.reason.empty() ? stored.canceling_reason : run.reason)},
                {"value", nullptr},
                {"threshold", nullptr},
                {"interval", nullptr}};
    if (stopped && *judged) {
      one["value"] = number((*judged)->verdict.value);
      one["threshold"] = number((*judged)->verdict.threshold);
      one["interval"] = (*judged)->verdict.interval;
    }
    const MetricFigures* primary = stored.metric(header.metric);
    one["best"] = number(primary ? primary->best(header.goal) : std::nullopt);
    json["decisions"].push_back(std::move(one));
  }
  return json;
}

Result<Json> importance_json(SweepReader& reader, const SweepEntry& sweep) {
  const auto spec = spec_of(sweep.header, sweep.directory);
  if (!spec) return spec.error();
  const auto importance = sweep_importance(reader, sweep.header, spec->space);
  if (!importance) return importance.error();
  Json json = {{"parameters", Json::array()}};
  for (const ParameterImportance& each : *importance)
    json["parameters"].push_back(
        {{"name", text(bare_name(each.name))}, {"share", number(each.share)}});
  return json;
}

Result<Json> log_json(const SweepEntry& sweep, std::uint64_t from) {
  ControllerLog log(sweep.header);
  const auto told = replay_sweep(sweep.directory, sweep.header.metric,
                                 [&](const Change& change) { log.add(change); });
  if (!told) return told.error();
  const std::string all = log.text();
  const std::uint64_t begin = std::min<std::uint64_t>(from, all.size());
  return Json{
      {"text", text(std::string_view(all).substr(begin))}, {"next", all.size()}, {"end", true}};
}

}  // namespace hdrive::server::portal
