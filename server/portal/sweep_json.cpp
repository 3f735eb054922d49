// SPDX-License-Identifier: Apache-2.0
#include "server/portal/sweep_json.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/text.h"
#include "hdrive/begin.h"
#include "hdrive/housekeeping.h"
#include "hdrive/ids.h"
#include "hdrive/overview.h"
#include "hdrive/sampler.h"
#include "server/portal/space_json.h"

namespace hdrive::server::portal {
namespace {

constexpr std::size_t kMostImprovements = 60;
// More files than these nobody waits for to learn a size.
constexpr std::int64_t kMostCounted = 20'000;
constexpr std::int64_t kMostRunning = 1'000;

// The steps of the best value so far, thinned out between the first and the last.
Json improvements_json(const std::vector<Improvement>& all) {
  Json list = Json::array();
  const std::size_t count = std::min(all.size(), kMostImprovements);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = count < 2 ? 0 : i * (all.size() - 1) / (count - 1);
    list.push_back({all[at].run, number(all[at].value)});
  }
  return list;
}

Result<std::optional<Time>> expected_end(const SweepSpec& spec, const SweepEntry& sweep,
                                         SweepReader& reader, const SweepSummary& summary,
                                         Time now) {
  if (!sweep.engine || sweep.status != SweepStatus::running) return std::optional<Time>();
  const auto ended = reader.totals();
  if (!ended) return ended.error();
  const auto running =
      reader.runs({.filter = {.statuses = {RunStatus::running}}, .limit = kMostRunning});
  if (!running) return running.error();
  Pace pace;
  pace.to_start =
      std::max<std::int64_t>(0, spec.max_total_runs - summary.runs) + ended->of(RunStatus::queued);
  pace.at_once = spec.max_concurrent_runs;
  for (const StoredRun& each : running->runs)
    pace.running.push_back(std::max(Duration{}, now - each.run.started));
  pace.ended = summary.runs - ended->of(RunStatus::queued) - ended->of(RunStatus::running);
  pace.ended_total = ended->compute;
  pace.budget_left = spec.max_duration - summary.elapsed;
  const auto rest = expected_rest(pace);
  return rest ? std::optional(now + *rest) : std::nullopt;
}

const char* state_word(const SweepEntry& sweep) {
  if (is_over(sweep.status)) return "over";
  return sweep.engine ? "live" : "orphaned";
}

Result<Json> short_json(const SweepEntry& sweep, SweepReader& reader, const Result<SweepSpec>& spec,
                        const SweepSummary& summary, Time now) {
  const SweepHeader& header = sweep.header;
  const auto improvements = reader.improvements();
  if (!improvements) return improvements.error();
  std::optional<Time> end;
  if (spec) {
    const auto expected = expected_end(*spec, sweep, reader, summary, now);
    if (!expected) return expected.error();
    end = *expected;
  }
  Json json;
  json["id"] = header.id;
  json["short_id"] = header.id.substr(0, 11);
  json["name"] = text(header.name);
  json["experiment"] = text(header.experiment);
  json["directory"] = text(sweep.directory.string());
  json["status"] = sweep_status_text(sweep);
  json["state"] = state_word(sweep);
  json["reason"] = text(sweep.reason);
  json["engine"] = or_null(sweep.engine);
  json["created"] = moment(header.created);
  json["changed"] = moment(sweep.changed);
  json["latest"] = moment(sweep.latest);
  json["active_seconds"] = seconds(summary.elapsed);
  json["runs"] = summary.runs;
  json["live"] = sweep.live;
  json["completed"] = summary.completed;
  json["failed"] = summary.failed;
  json["canceled"] = summary.canceled + summary.stopped;
  json["stopped"] = summary.stopped;
  json["max_total_runs"] = spec ? Json(spec->max_total_runs) : Json(nullptr);
  json["max_concurrent_runs"] = spec ? Json(spec->max_concurrent_runs) : Json(nullptr);
  json["metric"] = text(header.metric);
  json["goal"] = std::string(to_string(header.goal));
  json["best"] = nullptr;
  if (summary.best) json["best"] = {{"run", *summary.best}, {"value", number(summary.best_value)}};
  json["improvements"] = improvements_json(*improvements);
  json["sampler"] = spec ? Json(spec->sampling.name) : Json(nullptr);
  json["policy"] =
      spec && spec->policy.name != "no_termination" ? Json(spec->policy.name) : Json("");
  json["tags"] = Json::object();
  json["targets"] = Json::array();
  json["description"] = "";
  if (spec) {
    for (const auto& [name, value] : spec->tags) json["tags"][base::to_utf8(name)] = text(value);
    for (const std::string& target : spec->targets) json["targets"].push_back(text(target));
    json["description"] = text(spec->description);
  }
  json["expected_end"] = moment(end);
  json["damaged"] = nullptr;
  return json;
}

Json policy_json(const AlgorithmSpec& policy) {
  if (policy.name == "no_termination") return nullptr;
  Json json = {{"kind", policy.name}};
  for (const auto& [name, value] : policy.options) json[name] = value_json(value);
  return json;
}

Json notes_json(const std::vector<Noted>& notes) {
  Json list = Json::array();
  for (const Noted& note : notes)
    list.push_back({{"time", moment(note.at)},
                    {"level", note.level == Noted::Level::info      ? "info"
                              : note.level == Noted::Level::warning ? "warning"
                                                                    : "error"},
                    {"run", or_null(note.run)},
                    {"text", text(note.text)}});
  return list;
}

Json metrics_json(const std::vector<MetricTotals>& metrics) {
  Json list = Json::array();
  for (const MetricTotals& each : metrics)
    list.push_back({{"name", text(each.name)},
                    {"runs", each.runs},
                    {"count", each.count},
                    {"least", number(each.least)},
                    {"greatest", number(each.greatest)}});
  return list;
}

// What the specification adds; of one that cannot be read any more nothing.
void add_specification(Json& json, const SweepSpec& spec) {
  json["space"] = space_json(spec.space);
  json["policy_settings"] = policy_json(spec.policy);
  json["command"] = text(shell_quote(spec.command));
  const SamplerContext context{spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs};
  if (const auto sampler = make_sampler(spec.sampling, spec.space, context))
    json["sampler_text"] = text((*sampler)->describe());
  if (const auto policy = make_policy(spec.policy, spec.goal))
    json["policy_text"] = text((*policy)->describe());
}

}  // namespace

Result<Json> sweep_json(const SweepEntry& sweep, SweepReader& reader, Time now) {
  const auto summary = summarize(sweep, reader, now);
  if (!summary) return summary.error();
  return short_json(sweep, reader, spec_of(sweep.header, sweep.directory), *summary, now);
}

Result<Json> sweep_details(const SweepEntry& sweep, SweepReader& reader, Time now) {
  const auto summary = summarize(sweep, reader, now);
  if (!summary) return summary.error();
  const auto spec = spec_of(sweep.header, sweep.directory);
  auto json = short_json(sweep, reader, spec, *summary, now);
  if (!json) return json;
  const auto edits = reader.edits();
  if (!edits) return edits.error();
  const auto notes = reader.notes();
  if (!notes) return notes.error();
  const auto metrics = reader.metric_totals();
  if (!metrics) return metrics.error();
  const auto parameters = reader.parameter_names();
  if (!parameters) return parameters.error();
  const DiskUse use = disk_use(sweep.directory, kMostCounted);

  Json& all = *json;
  all["config"] = text(sweep.header.config);
  all["edits"] = Json::array();
  for (const SweepEdited& edit : *edits)
    all["edits"].push_back({{"time", moment(edit.at)}, {"what", text(edit.what)}});
  all["notes"] = notes_json(*notes);
  all["space"] = Json::array();
  all["policy_settings"] = nullptr;
  all["command"] = "";
  all["sampler_text"] = all["policy_text"] = "";
  if (spec)
    add_specification(all, *spec);
  else
    all["problem"] = text(spec.error().message());
  all["compute_seconds"] = seconds(summary->compute);
  all["saved_seconds"] = seconds(summary->saved);
  all["metrics"] = metrics_json(*metrics);
  all["parameters"] = Json::array();
  for (const std::string& name : *parameters) all["parameters"].push_back(text(bare_name(name)));
  all["properties"] = Json::object();
  if (!sweep.header.snapshot.empty()) all["properties"]["snapshot"] = text(sweep.header.snapshot);
  for (const auto& [name, value] : sweep.header.properties)
    all["properties"][base::to_utf8(name)] = text(value);
  all["size_bytes"] = use.bytes;
  all["size_is_complete"] = use.complete;
  return json;
}

}  // namespace hdrive::server::portal
