// SPDX-License-Identifier: Apache-2.0
//
// MLflow 3's logged models: a name, a status, tags, params and metrics beside the files, each in a journal of its own,
// mlflow/models/<id>.jsonl of the run that made it. Their files lie in that run's outputs/models/<id>. Called from the
// server's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "server/mlflow/filter.h"
#include "server/mlflow/journal.h"
#include "server/mlflow/run_record.h"

namespace hdrive::server::mlflow {

class ModelRecord {
 public:
  ModelRecord(std::string model_id, Owner owner, const std::filesystem::path& artifacts);

  struct State {
    std::string experiment, name, type, source_run, status = "LOGGED_MODEL_PENDING";
    std::int64_t created = 0, updated = 0;  ///< milliseconds since 1970
    bool deleted = false;
    std::map<std::string, std::string> params, tags;
    std::map<std::string, std::string> metrics;  ///< JSON, the latest by metric, run and dataset
  };
  const State& state();
  /// Each entry gets the time `now`.
  void log(std::vector<nlohmann::json> entries, std::int64_t now);

  const std::string& id() const { return id_; }
  std::filesystem::path artifacts() const { return artifacts_; }
  std::string artifact_uri();
  nlohmann::json to_json();

 private:
  void apply(const nlohmann::json& entry);

  std::string id_;
  Owner owner_;
  std::filesystem::path artifacts_;
  State state_;
  Journal journal_;
};

/// The folder of a run's models, and the journal of one of them.
std::filesystem::path models_folder(const Owner& owner);
std::filesystem::path model_journal(const Owner& owner, const std::string& model_id);

class SearchableModel final : public Searchable {
 public:
  explicit SearchableModel(ModelRecord& model) : model_(model), state_(model.state()) {}
  std::optional<double> number(Entity entity, const std::string& key) const override;
  std::optional<std::string> text(Entity entity, const std::string& key) const override;
  std::vector<std::string> dataset_texts(const std::string&) const override { return {}; }

 private:
  ModelRecord& model_;
  const ModelRecord::State& state_;
};

}  // namespace hdrive::server::mlflow
