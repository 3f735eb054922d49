// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/models.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// As MLflow's server limits what a run may log, so that a loop that never ends does not fill the memory.
constexpr std::size_t kMostMetricsOfModel = 100'000;

std::string key_of_metric(const json& metric) {
  return text_in(metric, "key") + '\n' + text_in(metric, "run_id") + '\n' +
         text_in(metric, "dataset_name") + '\n' + text_in(metric, "dataset_digest");
}

}  // namespace

fs::path models_folder(const Owner& owner) { return owner.directory / "mlflow" / "models"; }

fs::path model_journal(const Owner& owner, const std::string& model_id) {
  return models_folder(owner) / (model_id + ".jsonl");
}

ModelRecord::ModelRecord(std::string model_id, Owner owner, const fs::path& artifacts)
    : id_(std::move(model_id)),
      owner_(std::move(owner)),
      artifacts_(artifacts),
      journal_(model_journal(owner_, id_)) {}

const ModelRecord::State& ModelRecord::state() {
  journal_.read([this] { state_ = State(); }, [this](const json& entry) { apply(entry); });
  return state_;
}

void ModelRecord::apply(const json& entry) {
  if (entry.contains("experiment")) state_.experiment = text_in(entry, "experiment");
  if (entry.contains("name")) state_.name = text_in(entry, "name");
  if (entry.contains("type")) state_.type = text_in(entry, "type");
  if (entry.contains("source_run")) state_.source_run = text_in(entry, "source_run");
  if (entry.contains("status")) state_.status = text_in(entry, "status");
  if (entry.contains("param")) state_.params[text_in(entry, "param")] = text_in(entry, "value");
  if (entry.contains("tag")) state_.tags[text_in(entry, "tag")] = text_in(entry, "value");
  if (entry.contains("untag")) state_.tags.erase(text_in(entry, "untag"));
  if (const auto found = entry.find("deleted"); found != entry.end() && found->is_boolean())
    state_.deleted = found->get<bool>();
  if (const auto metric = entry.find("metric"); metric != entry.end() && metric->is_object())
    if (state_.metrics.size() < kMostMetricsOfModel ||
        state_.metrics.contains(key_of_metric(*metric)))
      state_.metrics[key_of_metric(*metric)] = base::json_text(*metric);
  if (const auto time = entry.find("time"); time != entry.end() && time->is_number_integer()) {
    state_.updated = time->get<std::int64_t>();
    if (state_.created == 0) state_.created = state_.updated;
  }
}

void ModelRecord::log(std::vector<json> entries, std::int64_t now) {
  ok_or_fail(base::make_directories(models_folder(owner_), 3));
  for (json& entry : entries) entry["time"] = now;
  ok_or_fail(journal_.append(entries));
  state();
}

std::string ModelRecord::artifact_uri() {
  return "mlflow-artifacts:/" + state().experiment + "/models/" + id_ + "/artifacts";
}

json ModelRecord::to_json() {
  state();
  json metrics = json::array();
  for (const auto& [key, text] : state_.metrics) metrics.push_back(base::parse_json(text));
  return {{"info",
           {{"model_id", id_},
            {"experiment_id", state_.experiment},
            {"name", state_.name},
            {"creation_timestamp_ms", state_.created},
            {"last_updated_timestamp_ms", state_.updated},
            {"artifact_uri", artifact_uri()},
            {"status", state_.status},
            {"model_type", state_.type},
            {"source_run_id", state_.source_run},
            {"tags", json_of_pairs(state_.tags)}}},
          {"data", {{"params", json_of_pairs(state_.params)}, {"metrics", std::move(metrics)}}}};
}

std::optional<double> SearchableModel::number(Entity entity, const std::string& key) const {
  if (entity == Entity::metric) {
    for (const auto& [name, text] : state_.metrics) {
      if (!name.starts_with(key + '\n')) continue;
      const json metric = base::parse_json(text);
      const auto value = metric.find("value");
      if (value != metric.end() && value->is_number()) return value->get<double>();
    }
    return std::nullopt;
  }
  if (entity != Entity::attribute) return std::nullopt;
  if (key.starts_with("creation_time")) return static_cast<double>(state_.created);
  if (key.starts_with("last_updated_time")) return static_cast<double>(state_.updated);
  return std::nullopt;
}

std::optional<std::string> SearchableModel::text(Entity entity, const std::string& key) const {
  if (entity == Entity::param || entity == Entity::tag) {
    const auto& map = entity == Entity::param ? state_.params : state_.tags;
    const auto found = map.find(key);
    return found == map.end() ? std::nullopt : std::optional(found->second);
  }
  if (entity != Entity::attribute) return std::nullopt;
  if (key == "name") return state_.name;
  if (key == "model_id") return model_.id();
  if (key == "model_type") return state_.type;
  if (key == "source_run_id") return state_.source_run;
  if (key == "experiment_id") return state_.experiment;
  if (key == "artifact_location") return model_.artifact_uri();
  // "READY", as MLflow's clients write it.
  if (key == "status")
    return state_.status.substr(std::min(state_.status.size(), sizeof "LOGGED_MODEL_" - 1));
  return std::nullopt;
}

}  // namespace hdrive::server::mlflow
