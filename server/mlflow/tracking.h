// SPDX-License-Identifier: Apache-2.0
//
// What MLflow's clients can reach: the runs of a sweep, the runs and models that scripts have created, the
// experiments. All of it lies in files of the sweep's directory (docs/run-directory.md); what is held in memory is
// read again at need, and is bounded. Called from the server's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "hdrive/clock.h"
#include "server/mlflow/experiments.h"
#include "server/mlflow/models.h"
#include "server/mlflow/registry.h"
#include "server/mlflow/run_record.h"

namespace hdrive::server::mlflow {

class Tracking {
 public:
  /// `experiment`: the name of the sweep's.
  Tracking(std::filesystem::path sweep_directory, std::string sweep_id,
           const std::string& experiment);

  std::int64_t now();  ///< milliseconds since 1970
  Experiments& experiments() { return experiments_; }
  Registry& registry() { return registry_; }

  /// The run of that id, or a Fault. Good until the next call of any of these.
  RunRecord& run(const std::string& run_id);
  /// A run of the sweep by its number; null: there is none.
  RunRecord* run_of_sweep(RunId run);
  /// A new one. `scope`: the run of the sweep whose script creates it, if it is known.
  RunRecord& create_run(std::optional<RunId> scope, std::vector<nlohmann::json> facts);
  /// Calls for each run there is, in no order.
  void each_run(const std::function<void(RunRecord&)>& call);

  ModelRecord& model(const std::string& model_id);
  ModelRecord& create_model(std::optional<RunId> scope, const std::string& source_run,
                            std::vector<nlohmann::json> facts);
  void each_model(const std::function<void(ModelRecord&)>& call);

 private:
  std::string run_id_of(RunId run) const;
  std::optional<RunId> number_of(const std::string& run_id) const;
  Owner owner_of(std::optional<RunId> scope) const;
  void look_for_created();
  void look_in(const Owner& owner);
  RunRecord* find_run(const std::string& run_id);
  std::unique_ptr<RunRecord> make_run(const std::string& run_id);
  std::vector<RunId> numbers() const;

  const std::filesystem::path directory_;
  const std::string sweep_id_;
  const std::shared_ptr<Clock> clock_ = make_steady_clock();
  Experiments experiments_;
  Registry registry_;
  OpenFiles files_;  // that the runs append to

  // Runs in use, the latest first; those not used for long are read again from their files.
  struct Held {
    std::unique_ptr<RunRecord> run;
    std::list<std::string>::iterator use;
  };
  std::unordered_map<std::string, Held> held_;
  std::list<std::string> uses_;

  // Where created runs and models are; looked for once, and kept up to date from then on.
  bool looked_ = false;
  std::unordered_map<std::string, Owner> created_runs_, models_;
  std::unique_ptr<ModelRecord> model_;  // the latest asked for
};

}  // namespace hdrive::server::mlflow
