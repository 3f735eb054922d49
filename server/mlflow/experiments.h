// SPDX-License-Identifier: Apache-2.0
//
// The experiments of a sweep's server: MLflow's "Default", that of the sweep, and those that scripts create. Kept in
// mlflow/experiments.jsonl of the sweep's directory. Called from the server's thread.
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

struct Experiment {
  std::string id, name;
  std::int64_t created = 0, updated = 0;  ///< milliseconds since 1970
  bool deleted = false;
  std::map<std::string, std::string> tags;

  nlohmann::json to_json() const;
};

class Experiments {
 public:
  /// `name` is that of the sweep's experiment.
  Experiments(const std::filesystem::path& sweep_directory, const std::string& name,
              std::int64_t created);

  const Experiment* find(const std::string& id);
  const Experiment* find_by_name(const std::string& name);
  /// In the order of their ids, which are numbers.
  std::vector<const Experiment*> all();
  /// The id of a new one.
  std::string create(const std::string& name, std::int64_t now);
  /// Appends a fact about an experiment: {"name": ...}, {"tag": ..., "value": ...}, {"untag": ...}, {"deleted": ...}.
  void log(const std::string& id, nlohmann::json fact, std::int64_t now);

 private:
  void read();
  void apply(const nlohmann::json& entry);

  std::filesystem::path folder_;
  Journal journal_;
  std::map<std::int64_t, Experiment> by_number_;
};

class SearchableExperiment final : public Searchable {
 public:
  explicit SearchableExperiment(const Experiment& experiment) : experiment_(experiment) {}
  std::optional<double> number(Entity entity, const std::string& key) const override;
  std::optional<std::string> text(Entity entity, const std::string& key) const override;
  std::vector<std::string> dataset_texts(const std::string&) const override { return {}; }

 private:
  const Experiment& experiment_;
};

}  // namespace hdrive::server::mlflow
