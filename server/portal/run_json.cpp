// SPDX-License-Identifier: Apache-2.0
#include "server/portal/run_json.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "hdrive/begin.h"
#include "hdrive/ids.h"
#include "hdrive/overview.h"
#include "hdrive/policy.h"
#include "hdrive/state.h"
#include "hdrive/store.h"
#include "server/portal/model.h"

namespace hdrive::server::portal {
namespace {

constexpr std::size_t kMostRecord = 4 << 20;

Json figures_json(const MetricFigures& figures) {
  return {{"count", figures.count},         {"not_finite", figures.not_finite},
          {"last", number(figures.last)},   {"last_step", or_null(figures.last_step)},
          {"least", number(figures.least)}, {"greatest", number(figures.greatest)}};
}

// A record of the run directory; null where it is none, or of no JSON.
Json record(const std::filesystem::path& file) {
  const auto read = base::read_file(file, kMostRecord);
  Json json = read ? base::parse_ordered_json(*read) : Json();
  return json.is_object() ? json : Json();
}

// How the attempts before this one ended, as their directories tell.
Json attempts_json(const std::filesystem::path& directory, const StoredRun& stored) {
  constexpr int kMostAttempts = 50;
  Json list = Json::array();
  for (int attempt = std::max(1, stored.run.attempt - kMostAttempts); attempt < stored.run.attempt;
       ++attempt) {
    const Json ended = record(directory / ("attempt-" + std::to_string(attempt)) / "exit.json");
    Json one = {{"attempt", attempt},
                {"cause", "lost"},
                {"reason", "nothing tells how it ended"},
                {"time", nullptr}};
    const auto number = [&](const char* key) {
      const auto found = ended.is_null() ? ended.end() : ended.find(key);
      return found != ended.end() && found->is_number() ? *found : Json();
    };
    if (const Json code = number("exit_code"); !code.is_null()) {
      one["cause"] = "exited";
      one["reason"] = "exited with code " + base::json_text(code);
    } else if (const Json signal = number("signal"); !signal.is_null()) {
      one["cause"] = "signaled";
      one["reason"] = "killed by signal " + base::json_text(signal);
    }
    if (const Json time = number("ended"); !time.is_null())
      one["time"] = moment(Time{Duration{static_cast<std::int64_t>(time.get<double>() * 1e6)}});
    list.push_back(std::move(one));
  }
  if (stored.requeued && !list.empty()) {
    list.back()["cause"] = std::string(to_string(stored.requeued->cause));
    list.back()["reason"] = text(stored.requeued->reason);
  }
  return list;
}

Json verdict_json(const RunJudged& judged) {
  const Verdict& verdict = judged.verdict;
  return {{"what", verdict.action == Verdict::Action::stop ? "stopped" : "kept"},
          {"time", moment(judged.at)},
          {"reason", text(judged.reason)},
          {"interval", verdict.interval},
          {"peers", verdict.peers},
          {"value", number(verdict.value)},
          {"threshold", number(verdict.threshold)},
          {"leader", verdict.leader < 0 ? Json(nullptr) : Json(verdict.leader)}};
}

// What is called a secret is not shown: pages are looked at over shoulders, and pictures of them sent.
Json without_secrets(const Json& environment) {
  constexpr std::string_view kSecret[] = {"TOKEN",      "SECRET",  "PASSWORD",  "PASSWD",
                                          "CREDENTIAL", "API_KEY", "ACCESS_KEY"};
  Json shown = Json::object();
  if (!environment.is_object()) return shown;
  for (const auto& [name, value] : environment.items()) {
    const std::string folded = base::lower(name);
    const bool secret = std::any_of(
        std::begin(kSecret), std::end(kSecret),
        [&](std::string_view word) { return folded.find(base::lower(word)) != folded.npos; });
    shown[name] = secret ? Json("(not shown)") : value;
  }
  return shown;
}

std::optional<Duration> took(const Run& run) {
  if (run.started == Time{} || run.ended == Time{}) return std::nullopt;
  return run.ended - run.started;
}

}  // namespace

Json run_row(const StoredRun& stored, const SweepHeader& header) {
  Json json = base::parse_ordered_json(to_json(report_of(stored, header)));
  json["duration_seconds"] = seconds(took(stored.run));
  json["slot"] = or_null(stored.slot);
  json["cpu_seconds"] = seconds(stored.cpu_time);
  json["peak_memory_bytes"] = or_null(stored.peak_memory);
  json["metrics"] = Json::object();
  for (const MetricFigures& figures : stored.metrics)
    json["metrics"][base::to_utf8(figures.name)] = figures_json(figures);
  return json;
}

Result<Json> run_details(const SweepEntry& sweep, SweepReader& reader, RunId id) {
  const auto stored = reader.run(id);
  if (!stored) return stored.error();
  const auto judged = reader.judged(id);
  if (!judged) return judged.error();
  const Run& run = stored->run;
  const auto directory = run_directory(sweep.directory, id);

  Json json = run_row(*stored, sweep.header);
  json["parameters"] = parameters_json(run.parameters);
  json["metrics"] = Json::array();
  for (const MetricFigures& figures : stored->metrics) {
    Json one = {{"name", text(figures.name)}};
    one.update(figures_json(figures));
    json["metrics"].push_back(std::move(one));
  }
  json["start_point"] = stored->start_point;
  json["pid"] = stored->pid > 0 ? Json(stored->pid) : Json(nullptr);
  json["handle"] = text(stored->handle);
  json["reported"] = moment(stored->reported);
  json["stderr_tail"] = text(stored->stderr_tail);
  json["canceling"] = nullptr;
  if (stored->canceling != EndCause::none && !is_terminal(run.status))
    json["canceling"] = {{"cause", std::string(to_string(stored->canceling))},
                         {"reason", text(stored->canceling_reason)}};
  json["lost_contact"] = nullptr;
  if (const auto& lost = stored->lost_contact)
    json["lost_contact"] = {{"since", moment(lost->since)}, {"why", text(lost->why)}};
  json["verdict"] = *judged ? verdict_json(**judged) : Json(nullptr);
  json["policy_sentence"] = text(policy_sentence(*stored, *judged, sweep.header.metric));
  json["attempts"] = attempts_json(directory, *stored);
  json["directory"] = text(directory.string());
  json["outputs_directory"] = text((directory / "outputs").string());
  json["command_line"] = "";
  json["target"] = nullptr;
  const auto spec = spec_of(sweep.header, sweep.directory);
  if (spec && spec->targets.size() == 1) json["target"] = text(spec->targets.front());
  if (spec && !spec->command.empty())
    json["command_line"] =
        text(shell_quote(render_command(*spec, run.parameters, sweep.header.id, id).arguments));
  const Json started = record(directory / "run.json");
  for (const char* key : {"environment", "working_directory", "gpus", "cpus"}) {
    const auto found = started.is_null() ? started.end() : started.find(key);
    json[key] = found != started.end() ? *found : Json(nullptr);
  }
  json["environment"] = without_secrets(json["environment"]);
  return json;
}

namespace {

// All that happened but to this run, and then its reports one by one. `each(take)` gives the changes.
template <class Each>
Result<Json> thresholds_against(const Each& each, const SweepHeader& header, const Policy& policy,
                                RunId id) {
  SweepState state(header.metric, header.goal);
  std::vector<RunMetrics> own;
  const Result<void> read = each([&](const Change& change) {
    const auto* metrics = std::get_if<RunMetrics>(&change);
    const auto* ended = std::get_if<RunEnded>(&change);
    const auto* requeued = std::get_if<RunRequeued>(&change);
    if (metrics && metrics->run == id) return own.push_back(*metrics);
    if (ended && ended->run == id) return;
    if (requeued && requeued->run == id) own.clear();
    state.apply(change);
  });
  if (!read) return read.error();
  Json json = {{"metric", text(header.metric)}, {"policy", text(policy.describe())},
               {"places", Json::array()},       {"own", Json::array()},
               {"threshold", Json::array()},    {"verdict", Json::array()}};
  const History& history = state.history();
  for (const RunMetrics& metrics : own)
    state.apply(metrics, [&](RunId) {
      const Verdict verdict = policy.judge(id, history);
      const bool looked = verdict.finding == Verdict::Finding::within ||
                          verdict.finding == Verdict::Finding::beyond;
      const bool stops = verdict.action == Verdict::Action::stop;
      json["places"].push_back(json["own"].size() + 1);
      json["own"].push_back(number(history.best(id)));
      json["threshold"].push_back(looked ? number(verdict.threshold) : Json(nullptr));
      json["verdict"].push_back(looked ? Json(stops ? "stop" : "keep") : Json(nullptr));
    });
  return json;
}

Result<std::shared_ptr<const Policy>> policy_of(const SweepEntry& sweep) {
  const auto spec = spec_of(sweep.header, sweep.directory);
  if (!spec) return spec.error();
  auto policy = make_policy(spec->policy, spec->goal);
  if (!policy) return policy.error();
  return std::shared_ptr<const Policy>(*std::move(policy));
}

}  // namespace

Result<Json> thresholds(const SweepEntry& sweep, SweepReader& reader,
                        const std::vector<RunId>& runs, std::size_t most_changes) {
  const auto policy = policy_of(sweep);
  if (!policy) return policy.error();
  if (auto few = check_reports(sweep, reader); !few) return few.error();
  std::vector<Change> changes;
  const auto read = replay_sweep(sweep.directory, sweep.header.metric,
                                 [&](const Change& change) { changes.push_back(change); });
  if (!read) return read.error();
  const auto each = [&](const auto& take) {
    for (const Change& change : changes) take(change);
    return Result<void>();
  };
  Json all = Json::object();
  for (const RunId run : runs) {
    if ((all.size() + 1) * changes.size() > most_changes) break;
    auto one = thresholds_against(each, sweep.header, **policy, run);
    if (!one) return one;
    all[std::to_string(run)] = *std::move(one);
  }
  return all;
}

Result<Json> thresholds(const SweepEntry& sweep, SweepReader& reader, RunId id) {
  if (const auto known = reader.run(id); !known) return known.error();
  const auto policy = policy_of(sweep);
  if (!policy) return policy.error();
  if (auto few = check_reports(sweep, reader); !few) return few.error();
  const auto each = [&](const auto& take) {
    return replay_sweep(sweep.directory, sweep.header.metric, take);
  };
  return thresholds_against(each, sweep.header, **policy, id);
}

}  // namespace hdrive::server::portal
