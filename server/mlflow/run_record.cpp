// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/run_record.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/json.h"
#include "base/json_words.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kMostBytesOfEnd = 64 << 10, kMostBytesOfRun = std::size_t{64} << 20;

json read_object(const fs::path& path, std::size_t most) {
  const auto text = base::read_file(path, most);
  if (!text || base::nests_deeper(*text, 128)) return json::object();
  json record = base::parse_json(*text);
  return record.is_object() ? record : json::object();
}

std::int64_t milliseconds(const json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end() || !found->is_number()) return 0;
  const double seconds = found->get<double>();
  return seconds > 0 && seconds < 1e10 ? std::llround(seconds * 1000) : 0;
}

json parsed(const std::vector<std::string>& texts) {
  json list = json::array();
  for (const std::string& text : texts) list.push_back(base::parse_json(text));
  return list;
}

}  // namespace

RunRecord::RunRecord(OpenFiles& files, std::string run_id, Owner owner, fs::path directory,
                     bool of_sweep)
    : id_(std::move(run_id)),
      owner_(std::move(owner)),
      directory_(std::move(directory)),
      of_sweep_(of_sweep),
      journal_(journal_path()),
      metrics_(files, directory_ / "metrics.jsonl", !of_sweep) {}

RunRecord RunRecord::of_sweep(OpenFiles& files, std::string run_id, RunId run, fs::path directory) {
  Owner owner{run, directory};
  RunRecord record(files, std::move(run_id), std::move(owner), std::move(directory), true);
  record.chosen_experiment_ = kSweepExperiment;
  return record;
}

RunRecord RunRecord::created(OpenFiles& files, std::string run_id, Owner owner,
                             fs::path directory) {
  return RunRecord(files, std::move(run_id), std::move(owner), std::move(directory), false);
}

void RunRecord::choose_experiment(const std::string& experiment) {
  state();
  if (state_.experiment.empty()) chosen_experiment_ = experiment;
}

bool RunRecord::is_untouched() {
  state();
  return of_sweep_ && state_.experiment.empty() && state_.params.empty() && state_.tags.empty() &&
         !state_.ended && metrics_.latest().empty();
}

// ---- what its files tell ------------------------------------------------------------------------

const RunRecord::State& RunRecord::state() {
  journal_.read([this] { state_ = State(); }, [this](const json& entry) { apply(entry); });
  if (!of_sweep_) return state_;
  if (state_.start_time == 0)
    state_.start_time =
        milliseconds(read_object(directory_ / "run.json", kMostBytesOfRun), "proposed");
  read_end();
  return state_;
}

void RunRecord::apply(const json& entry) {
  for (const auto& [key, value] : entry.items()) {
    if (key == "param") state_.params[text_in(entry, "param")] = text_in(entry, "value");
    if (key == "tag") state_.tags[text_in(entry, "tag")] = text_in(entry, "value");
    if (key == "untag") state_.tags.erase(text_in(entry, "untag"));
    if (key == "status" && value.is_string()) state_.status = value.get<std::string>();
    if (key == "name" && value.is_string()) state_.name = value.get<std::string>();
    if (key == "user" && value.is_string()) state_.user = value.get<std::string>();
    if (key == "experiment" && value.is_string()) state_.experiment = value.get<std::string>();
    if (key == "start_time" && value.is_number()) state_.start_time = value.get<std::int64_t>();
    if (key == "end_time" && value.is_number()) state_.end_time = value.get<std::int64_t>();
    if (key == "deleted" && value.is_boolean()) state_.deleted = value.get<bool>();
    if (key == "dataset") state_.datasets.push_back(base::json_text(value));
    if (key == "model_input") state_.model_inputs.push_back(base::json_text(value));
    if (key == "model_output") state_.model_outputs.push_back(base::json_text(value));
  }
}

// How the process ended decides, whatever the script has said before.
void RunRecord::read_end() {
  const fs::path path = directory_ / "exit.json";
  if (!is_there(path)) {
    // The run was tried again: what its earlier attempt ended with lies aside.
    if (std::exchange(state_.ended, false)) {
      state_.status = "RUNNING";
      state_.end_time = 0;
    }
    return;
  }
  const json end = read_object(path, kMostBytesOfEnd);
  const auto code = end.find("exit_code");
  const bool killed = end.value("canceled", json(false)) == true || end.contains("signal");
  state_.status = killed ? "KILLED" : code != end.end() && *code == 0 ? "FINISHED" : "FAILED";
  state_.end_time = milliseconds(end, "ended");
  state_.ended = true;
}

// ---- writing ------------------------------------------------------------------------------------

void RunRecord::log(const std::vector<json>& entries) {
  if (entries.empty()) return;
  state();
  ok_or_fail(journal_.append(entries));
  state();
}

void RunRecord::log_metrics(const std::vector<Point>& points) {
  if (points.empty()) return;
  const auto ended = [&] {
    throw Fault{
        400, "INVALID_STATE",
        "the run " + id_ + " has no process that could log: its sweep takes no more metrics"};
  };
  // What is logged to a run that has ended, nobody would read.
  if (state_.ended) ended();
  const auto done = metrics_.append(points);
  if (!done && of_sweep_ && done.error().kind == Error::Kind::not_found) ended();
  ok_or_fail(done);
}

// ---- as MLflow's clients see it -----------------------------------------------------------------

std::string RunRecord::artifact_uri() const {
  return "mlflow-artifacts:/" +
         (state_.experiment.empty() ? std::string(kSweepExperiment) : state_.experiment) + "/" +
         id_ + "/artifacts";
}

json RunRecord::info() {
  state();
  const std::string name = !state_.name.empty() ? state_.name
                           : of_sweep_          ? "run-" + std::to_string(*owner_.run)
                                                : "run-" + id_.substr(0, 8);
  json info = {
      {"run_id", id_},
      {"run_uuid", id_},
      {"run_name", name},
      {"experiment_id", state_.experiment.empty() ? chosen_experiment_ : state_.experiment},
      {"user_id", state_.user},
      {"status", state_.status},
      {"start_time", state_.start_time},
      {"artifact_uri", artifact_uri()},
      {"lifecycle_stage", state_.deleted ? "deleted" : "active"}};
  if (state_.end_time > 0) info["end_time"] = state_.end_time;
  return info;
}

json RunRecord::to_json() {
  json run = {{"info", info()}};
  json metrics = json::array();
  for (const auto& [name, point] : metrics_.latest())
    metrics.push_back({{"key", name},
                       {"value", json_of(point.value)},
                       {"timestamp", point.timestamp},
                       {"step", point.step}});
  auto tags = state_.tags;
  tags.emplace("mlflow.runName", run["info"]["run_name"].get<std::string>());
  run["data"] = {{"metrics", std::move(metrics)},
                 {"params", json_of_pairs(state_.params)},
                 {"tags", json_of_pairs(tags)}};
  run["inputs"] = {{"dataset_inputs", parsed(state_.datasets)},
                   {"model_inputs", parsed(state_.model_inputs)}};
  run["outputs"] = {{"model_outputs", parsed(state_.model_outputs)}};
  return run;
}

// ---- as filters see it --------------------------------------------------------------------------

std::optional<double> SearchableRun::number(Entity entity, const std::string& key) const {
  if (entity == Entity::metric) {
    const auto& latest = run_.metrics().latest();
    const auto found = latest.find(key);
    return found == latest.end() ? std::nullopt : std::optional(found->second.value);
  }
  if (entity != Entity::attribute) return std::nullopt;
  if (key == "start_time") return static_cast<double>(state_.start_time);
  if (key == "end_time" && state_.end_time > 0) return static_cast<double>(state_.end_time);
  return std::nullopt;
}

std::optional<std::string> SearchableRun::text(Entity entity, const std::string& key) const {
  if (entity == Entity::param || entity == Entity::tag) {
    const auto& map = entity == Entity::param ? state_.params : state_.tags;
    const auto found = map.find(key);
    if (found != map.end()) return found->second;
    if (entity == Entity::param || key != "mlflow.runName") return std::nullopt;
    return run_.info()["run_name"].get<std::string>();
  }
  if (entity != Entity::attribute) return std::nullopt;
  const json info = run_.info();
  const auto found = info.find(key);
  return found != info.end() && found->is_string() ? std::optional(found->get<std::string>())
                                                   : std::nullopt;
}

std::vector<std::string> SearchableRun::dataset_texts(const std::string& key) const {
  std::vector<std::string> texts;
  for (const std::string& text : state_.datasets) {
    const json input = base::parse_json(text);
    if (key == "context") {
      for (const json& tag : input.value("tags", json::array()))
        if (text_in(tag, "key") == "mlflow.data.context") texts.push_back(text_in(tag, "value"));
    } else if (const auto dataset = input.find("dataset"); dataset != input.end()) {
      texts.push_back(text_in(*dataset, key.c_str()));
    }
  }
  return texts;
}

}  // namespace hdrive::server::mlflow
