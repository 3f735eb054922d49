// SPDX-License-Identifier: Apache-2.0
//
// A sweep as one file: the page, and the answers its server would give.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "hdrive/begin.h"
#include "hdrive/catalog.h"
#include "hdrive/config.h"
#include "hdrive/portal.h"
#include "hdrive/version.h"
#include "server/portal/columns.h"
#include "server/portal/data.h"
#include "server/portal/model.h"
#include "server/portal/page.h"
#include "server/portal/run_json.h"
#include "server/portal/sweep_json.h"

namespace hdrive {
namespace server::portal {
namespace {

constexpr std::string_view kPlace = "<!--hdrive-report-->";
// So that a thousand runs of a hundred reports make a file below 3 MB.
constexpr std::int64_t kPointsOfPrimary = 40'000, kPointsOfOthers = 8'000;
constexpr std::int64_t kMostCurves = 1'000;
constexpr std::size_t kMostDrawnMetrics = 6;
constexpr std::int64_t kBest = 30, kFailed = 20, kStopped = 30;
// A second or two.
constexpr std::size_t kMostReplayed = 4'000'000;
constexpr std::int64_t kMostDecisions = 500;
constexpr std::size_t kMostLog = 200'000;

std::string columns_of(SweepReader& reader, const SweepHeader& header, Result<void>& result) {
  RunTable table(header.metric, header.goal);
  result = reader.each_run({}, [&](const StoredRun& run) { table.take(run, 1); });
  return base::base64(table.encode(0, {{"version", "report"}, {"replaced", true}}));
}

Result<Json> all_curves(SweepReader& reader, const SweepHeader& header, std::int64_t runs) {
  Json json = Json::object();
  auto names = reader.metric_names();
  if (!names) return names.error();
  std::stable_partition(names->begin(), names->end(),
                        [&](const std::string& name) { return name == header.metric; });
  if (names->size() > kMostDrawnMetrics) names->resize(kMostDrawnMetrics);
  for (const std::string& name : *names) {
    const std::int64_t points = name == header.metric ? kPointsOfPrimary : kPointsOfOthers;
    const std::int64_t most = std::min(kMostCurves, points / 8);
    const std::int64_t of_each =
        std::clamp<std::int64_t>(points / std::max<std::int64_t>(1, std::min(runs, most)), 8, 300);
    auto bytes = curves(reader, header, {name, of_each, most});
    if (!bytes) return bytes.error();
    json[base::to_utf8(name)] = base::base64(*bytes);
  }
  return json;
}

// The runs whose details somebody will want, those first whose thresholds tell most.
Result<std::vector<RunId>> chosen_runs(SweepReader& reader) {
  std::vector<RunId> chosen;
  const auto add = [&](RunId run) {
    if (std::find(chosen.begin(), chosen.end(), run) == chosen.end()) chosen.push_back(run);
  };
  const auto stopped = reader.runs({.filter = {.statuses = {RunStatus::canceled}},
                                    .order = {.by = RunOrder::By::ended, .descending = true},
                                    .limit = kStopped});
  if (!stopped) return stopped.error();
  for (const StoredRun& run : stopped->runs)
    if (run.run.ended_by == EndCause::policy) add(run.run.id);
  for (const RunQuery& query : {RunQuery{.order = {.by = RunOrder::By::best}, .limit = kBest},
                                RunQuery{.filter = {.statuses = {RunStatus::failed}},
                                .order = {.by = RunOrder::By::ended, .descending = true},
                                .limit = kFailed}}) {
    const auto page = reader.runs(query);
    if (!page) return page.error();
    for (const StoredRun& run : page->runs) add(run.run.id);
  }
  return chosen;
}

// Without what may be secret.
Result<Json> details_of(const std::vector<RunId>& chosen, const SweepEntry& sweep,
                        SweepReader& reader) {
  Json json = Json::object();
  for (const RunId run : chosen) {
    auto details = run_details(sweep, reader, run);
    if (!details) return details.error();
    details->erase("environment");
    json[std::to_string(run)] = *std::move(details);
  }
  return json;
}

// The configuration without what may be secret in it.
std::string public_config(const SweepEntry& sweep) {
  auto spec = spec_of(sweep.header, sweep.directory);
  if (!spec || spec->environment_variables.empty()) return sweep.header.config;
  for (auto& [name, value] : spec->environment_variables) value = "...";
  return to_hdconfig(*spec);
}

Result<Json> embedded(const std::filesystem::path& directory) {
  auto opened = SweepReader::open(directory);
  if (!opened) return opened.error();
  SweepReader& reader = **opened;
  const auto entry = reader.entry();
  if (!entry) return entry.error();
  const Time now = make_steady_clock()->now();
  auto sweep = sweep_details(*entry, reader, now);
  if (!sweep) return sweep.error();
  (*sweep)["config"] = text(public_config(*entry));
  Result<void> read;
  const std::string columns = columns_of(reader, entry->header, read);
  if (!read) return read.error();
  auto curves = all_curves(reader, entry->header, entry->runs);
  if (!curves) return curves.error();
  const auto chosen = chosen_runs(reader);
  if (!chosen) return chosen.error();
  auto runs = details_of(*chosen, *entry, reader);
  if (!runs) return runs.error();
  auto decisions = decisions_json(reader, entry->header, std::nullopt, kMostDecisions);
  if (!decisions) return decisions.error();
  // Of a sweep without a policy, or with too many reports, there are none to show.
  auto compared = thresholds(*entry, reader, *chosen, kMostReplayed);
  auto model = model_json(*entry, reader);
  if (!model) return model.error();
  const auto importance = importance_json(reader, *entry);
  auto log = log_json(*entry, 0);
  if (!log) return log.error();
  std::string lines = (*log)["text"].get<std::string>();
  if (lines.size() > kMostLog)
    lines = "...\n" + lines.substr(lines.find('\n', lines.size() - kMostLog) + 1);
  return Json{
      {"about",
       {{"version", std::string(version())},
        {"api", 1},
        {"home", ""},
        {"home_hint", ""},
        {"host", ""},
        {"read_only", true},
        {"ends_with", nullptr},
        {"now", moment(now)}}},
      {"sweep", *std::move(sweep)},
      {"columns", columns},
      {"curves", *std::move(curves)},
      {"decisions", (*decisions)["decisions"]},
      {"importance", importance ? (*importance)["parameters"] : Json(importance.error().message())},
      {"log", base::to_utf8(lines)},
      {"runs", *std::move(runs)},
      {"model", *std::move(model)},
      {"thresholds", compared ? *std::move(compared) : Json::object()}};
}

}  // namespace
}  // namespace server::portal

Result<std::string> sweep_report(const std::filesystem::path& directory) {
  using namespace server::portal;
  const std::string_view page = report_template();
  const std::size_t place = page.find(kPlace);
  if (place == page.npos)
    return Error{"",
                 "this build has no page, and so no report: Node.js was missing when it was built",
                 Error::Kind::not_found};
  const auto data = embedded(directory);
  if (!data) return data.error();
  // No "<" in it, so that nothing a script wrote ends the element.
  std::string json;
  for (const char c : base::json_text(*data))
    json += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return std::string(page.substr(0, place)) +
         "<script type=\"application/json\" id=\"hdrive-report\">" + json + "</script>" +
         std::string(page.substr(place + kPlace.size()));
}

}  // namespace hdrive
