// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/experiments.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"
#include "server/mlflow/run_record.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;

std::optional<std::int64_t> number_of_id(const std::string& id) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc{} || end != id.data() + id.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

json Experiment::to_json() const {
  return {{"experiment_id", id},
          {"name", name},
          {"artifact_location", "mlflow-artifacts:/" + id},
          {"lifecycle_stage", deleted ? "deleted" : "active"},
          {"creation_time", created},
          {"last_update_time", updated},
          {"tags", json_of_pairs(tags)}};
}

Experiments::Experiments(const std::filesystem::path& sweep_directory, const std::string& name,
                         std::int64_t created)
    : folder_(sweep_directory / "mlflow"), journal_(folder_ / "experiments.jsonl") {
  for (const std::string id : {kDefaultExperiment, kSweepExperiment}) {
    const bool own = id == kSweepExperiment;
    // Two of one name there are not.
    const std::string called = own ? (name == "Default" ? "Default (sweep)" : name) : "Default";
    by_number_[*number_of_id(id)] = Experiment{id, called, created, created, false, {}};
  }
}

void Experiments::read() {
  // Only this server writes the file, and nobody takes it away from under it.
  journal_.read([] {}, [this](const json& entry) { apply(entry); });
}

void Experiments::apply(const json& entry) {
  const auto id = entry.find("experiment");
  if (id == entry.end() || !id->is_string()) return;
  const auto number = number_of_id(id->get<std::string>());
  if (!number) return;
  Experiment& experiment = by_number_[*number];
  experiment.id = id->get<std::string>();
  if (entry.contains("name")) experiment.name = text_in(entry, "name");
  if (entry.contains("tag")) experiment.tags[text_in(entry, "tag")] = text_in(entry, "value");
  if (entry.contains("untag")) experiment.tags.erase(text_in(entry, "untag"));
  if (const auto found = entry.find("deleted"); found != entry.end() && found->is_boolean())
    experiment.deleted = found->get<bool>();
  if (const auto time = entry.find("time"); time != entry.end() && time->is_number_integer()) {
    experiment.updated = time->get<std::int64_t>();
    if (experiment.created == 0) experiment.created = experiment.updated;
  }
}

const Experiment* Experiments::find(const std::string& id) {
  read();
  const auto number = number_of_id(id);
  const auto found = number ? by_number_.find(*number) : by_number_.end();
  return found == by_number_.end() ? nullptr : &found->second;
}

const Experiment* Experiments::find_by_name(const std::string& name) {
  for (const Experiment* experiment : all())
    if (experiment->name == name) return experiment;
  return nullptr;
}

std::vector<const Experiment*> Experiments::all() {
  read();
  std::vector<const Experiment*> list;
  for (const auto& [number, experiment] : by_number_) list.push_back(&experiment);
  return list;
}

std::string Experiments::create(const std::string& name, std::int64_t now) {
  read();
  const std::string id = std::to_string(by_number_.rbegin()->first + 1);
  log(id, {{"name", name}}, now);
  return id;
}

void Experiments::log(const std::string& id, json fact, std::int64_t now) {
  ok_or_fail(base::make_directories(folder_, 1));
  fact["experiment"] = id;
  fact["time"] = now;
  ok_or_fail(journal_.append({std::move(fact)}));
  read();
}

std::optional<double> SearchableExperiment::number(Entity entity, const std::string& key) const {
  if (entity != Entity::attribute) return std::nullopt;
  if (key == "creation_time") return static_cast<double>(experiment_.created);
  if (key == "last_update_time") return static_cast<double>(experiment_.updated);
  return std::nullopt;
}

std::optional<std::string> SearchableExperiment::text(Entity entity, const std::string& key) const {
  if (entity == Entity::tag) {
    const auto found = experiment_.tags.find(key);
    return found == experiment_.tags.end() ? std::nullopt : std::optional(found->second);
  }
  if (entity != Entity::attribute) return std::nullopt;
  return key == "name" ? experiment_.name : experiment_.id;
}

}  // namespace hdrive::server::mlflow
