// SPDX-License-Identifier: Apache-2.0
//
// The registry of models of one sweep: names, each with numbered versions that point to what a run has logged. Kept in
// mlflow/registry.jsonl of the sweep's directory. Called from the server's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "server/mlflow/filter.h"
#include "server/mlflow/journal.h"

namespace hdrive::server::mlflow {

struct ModelVersion {
  std::int64_t number = 0;
  std::string source;  ///< where its files are: "mlflow-artifacts:/...", "models:/m-..."
  std::string run_id, model_id, description;
  std::string stage = "None";
  std::int64_t created = 0, updated = 0;  ///< milliseconds since 1970
  std::map<std::string, std::string> tags;
};

struct RegisteredModel {
  std::string name, description;
  std::int64_t created = 0, updated = 0;
  std::int64_t highest = 0;  ///< version there ever was
  std::map<std::string, std::string> tags;
  std::map<std::string, std::int64_t> aliases;
  std::map<std::int64_t, ModelVersion> versions;

  /// The latest version of each stage, by stage.
  std::map<std::string, const ModelVersion*> latest() const;
  nlohmann::json to_json() const;
  nlohmann::json to_json(const ModelVersion& version) const;
};

class Registry {
 public:
  explicit Registry(const std::filesystem::path& sweep_directory);

  /// Null: there is none of that name. Good until the next call.
  const RegisteredModel* find(const std::string& name);
  const std::map<std::string, RegisteredModel>& all();
  /// Appends facts about a model: {"created": true}, {"deleted": true}, {"alias": ..., "number": ...}, {"unalias": ...},
  /// and of it, or with {"number": 1} of that version: {"source": ...}, {"description": ...}, {"stage": ...},
  /// {"tag": ..., "value": ...}, {"untag": ...}, {"deleted": true}.
  void log(const std::string& name, std::vector<nlohmann::json> facts, std::int64_t now);

 private:
  void read();
  void apply(const nlohmann::json& entry);

  std::filesystem::path folder_;
  Journal journal_;
  std::map<std::string, RegisteredModel> models_;
};

const Attributes& attributes_of_registered_models();
const Attributes& attributes_of_model_versions();

class SearchableRegistered final : public Searchable {
 public:
  explicit SearchableRegistered(const RegisteredModel& model) : model_(model) {}
  std::optional<double> number(Entity entity, const std::string& key) const override;
  std::optional<std::string> text(Entity entity, const std::string& key) const override;
  std::vector<std::string> dataset_texts(const std::string&) const override { return {}; }

 private:
  const RegisteredModel& model_;
};

class SearchableVersion final : public Searchable {
 public:
  SearchableVersion(const RegisteredModel& model, const ModelVersion& version)
      : model_(model), version_(version) {}
  std::optional<double> number(Entity entity, const std::string& key) const override;
  std::optional<std::string> text(Entity entity, const std::string& key) const override;
  std::vector<std::string> dataset_texts(const std::string&) const override { return {}; }

 private:
  const RegisteredModel& model_;
  const ModelVersion& version_;
};

}  // namespace hdrive::server::mlflow
