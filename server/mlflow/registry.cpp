// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/registry.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;

std::int64_t integer_in(const json& entry, const char* name) {
  const auto found = entry.find(name);
  return found != entry.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

// What models and versions have alike.
template <class Item>
void apply_to(Item& item, const json& entry) {
  if (entry.contains("description")) item.description = text_in(entry, "description");
  if (entry.contains("tag")) item.tags[text_in(entry, "tag")] = text_in(entry, "value");
  if (entry.contains("untag")) item.tags.erase(text_in(entry, "untag"));
  item.updated = integer_in(entry, "time");
  if (item.created == 0) item.created = item.updated;
}

template <class Item>
std::optional<double> time_of(const Item& item, const std::string& key) {
  if (key == "creation_timestamp") return static_cast<double>(item.created);
  if (key == "last_updated_timestamp") return static_cast<double>(item.updated);
  return std::nullopt;
}

std::optional<std::string> tag_of(const std::map<std::string, std::string>& tags,
                                  const std::string& key) {
  const auto found = tags.find(key);
  if (found != tags.end()) return found->second;
  // MLflow's clients ask for all that is no prompt, which nothing here is, as `!= 'true'`.
  return key == "mlflow.prompt.is_prompt" ? std::optional<std::string>("false") : std::nullopt;
}

}  // namespace

std::map<std::string, const ModelVersion*> RegisteredModel::latest() const {
  std::map<std::string, const ModelVersion*> latest;
  for (const auto& [number, version] : versions) latest[version.stage] = &version;
  return latest;
}

json RegisteredModel::to_json() const {
  json known = json::array(), names = json::array();
  for (const auto& [stage, version] : latest()) known.push_back(to_json(*version));
  for (const auto& [alias, number] : aliases)
    names.push_back({{"alias", alias}, {"version", std::to_string(number)}});
  return {{"name", name},
          {"description", description},
          {"creation_timestamp", created},
          {"last_updated_timestamp", updated},
          {"latest_versions", std::move(known)},
          {"aliases", std::move(names)},
          {"tags", json_of_pairs(tags)}};
}

json RegisteredModel::to_json(const ModelVersion& version) const {
  json names = json::array();
  for (const auto& [alias, number] : aliases)
    if (number == version.number) names.push_back(alias);
  return {{"name", name},
          {"version", std::to_string(version.number)},
          {"creation_timestamp", version.created},
          {"last_updated_timestamp", version.updated},
          {"current_stage", version.stage},
          {"description", version.description},
          {"source", version.source},
          {"run_id", version.run_id},
          {"model_id", version.model_id},
          {"status", "READY"},
          {"aliases", std::move(names)},
          {"tags", json_of_pairs(version.tags)}};
}

Registry::Registry(const std::filesystem::path& sweep_directory)
    : folder_(sweep_directory / "mlflow"), journal_(folder_ / "registry.jsonl") {}

void Registry::read() {
  // Only this server writes the file, and nobody takes it away from under it.
  journal_.read([] {}, [this](const json& entry) { apply(entry); });
}

void Registry::apply(const json& entry) {
  const std::string name = text_in(entry, "model");
  const std::int64_t number = integer_in(entry, "number");
  const bool deleted = entry.value("deleted", json(false)) == true;
  if (deleted && number == 0) {
    models_.erase(name);
    return;
  }
  if (name.empty() || (!entry.contains("created") && !models_.count(name))) return;
  RegisteredModel& model = models_[name];
  model.name = name;
  if (entry.contains("alias")) model.aliases[text_in(entry, "alias")] = number;
  if (entry.contains("unalias")) model.aliases.erase(text_in(entry, "unalias"));
  if (number == 0 || entry.contains("alias")) return apply_to(model, entry);
  if (deleted) {
    model.versions.erase(number);
    std::erase_if(model.aliases, [&](const auto& alias) { return alias.second == number; });
    return;
  }
  ModelVersion& version = model.versions[number];
  version.number = number;
  model.highest = std::max(model.highest, number);
  if (entry.contains("source")) {
    version.source = text_in(entry, "source");
    version.run_id = text_in(entry, "run_id");
    version.model_id = text_in(entry, "model_id");
  }
  if (entry.contains("stage")) version.stage = text_in(entry, "stage");
  apply_to(version, entry);
  model.updated = version.updated;
}

const RegisteredModel* Registry::find(const std::string& name) {
  read();
  const auto found = models_.find(name);
  return found == models_.end() ? nullptr : &found->second;
}

const std::map<std::string, RegisteredModel>& Registry::all() {
  read();
  return models_;
}

void Registry::log(const std::string& name, std::vector<json> facts, std::int64_t now) {
  ok_or_fail(base::make_directories(folder_, 1));
  for (json& fact : facts) {
    fact["model"] = name;
    fact["time"] = now;
  }
  ok_or_fail(journal_.append(facts));
}

const Attributes& attributes_of_registered_models() {
  static const Attributes rows = {
      {"name"}, {"creation_timestamp", "last_updated_timestamp"}, {"name"}};
  return rows;
}

const Attributes& attributes_of_model_versions() {
  static const Attributes rows = {
      {"name", "run_id", "source_path", "current_stage"},
      {"version_number", "creation_timestamp", "last_updated_timestamp"},
      {"name", "run_id"}};
  return rows;
}

std::optional<double> SearchableRegistered::number(Entity entity, const std::string& key) const {
  return entity == Entity::attribute ? time_of(model_, key) : std::nullopt;
}

std::optional<std::string> SearchableRegistered::text(Entity entity, const std::string& key) const {
  if (entity == Entity::tag) return tag_of(model_.tags, key);
  return entity == Entity::attribute ? std::optional(model_.name) : std::nullopt;
}

std::optional<double> SearchableVersion::number(Entity entity, const std::string& key) const {
  if (entity != Entity::attribute) return std::nullopt;
  return key == "version_number" ? static_cast<double>(version_.number) : time_of(version_, key);
}

std::optional<std::string> SearchableVersion::text(Entity entity, const std::string& key) const {
  if (entity == Entity::tag) return tag_of(version_.tags, key);
  if (entity != Entity::attribute) return std::nullopt;
  if (key == "run_id") return version_.run_id;
  if (key == "source_path") return version_.source;
  return key == "current_stage" ? version_.stage : model_.name;
}

}  // namespace hdrive::server::mlflow
