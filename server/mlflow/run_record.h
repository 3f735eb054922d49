// SPDX-License-Identifier: Apache-2.0
//
// One MLflow run, and what of it lies in files: a run of the sweep, whose beginning and end its supervisor tells, or
// one that a script has created (a nested run). Called from the server's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/history.h"
#include "server/mlflow/filter.h"
#include "server/mlflow/journal.h"
#include "server/mlflow/metrics_file.h"

namespace hdrive::server::mlflow {

/// The experiments that are always there: MLflow's own, and that of the sweep.
inline constexpr char kDefaultExperiment[] = "0", kSweepExperiment[] = "1";

/// Of runs and models: where what they belong to is kept.
struct Owner {
  std::optional<RunId>
      run;  ///< of the sweep; nothing: of no run, made by somebody who has the token
  std::filesystem::path directory;  ///< its run directory; without one, the sweep's
};

class RunRecord {
 public:
  /// Of a run of the sweep: `run_id` is hdrive's, the directory its run directory. `files` must outlive it.
  static RunRecord of_sweep(OpenFiles& files, std::string run_id, RunId run,
                            std::filesystem::path directory);
  /// Of one that a script has created; its journal begins with what it was created with.
  static RunRecord created(OpenFiles& files, std::string run_id, Owner owner,
                           std::filesystem::path directory);

  struct State {
    std::string experiment;
    std::string name, user;
    std::string status = "RUNNING";
    std::int64_t start_time = 0, end_time = 0;  ///< milliseconds since 1970; 0: not yet
    bool deleted = false;
    bool ended = false;  ///< of a run of the sweep: its process has
    std::map<std::string, std::string> params, tags;
    std::vector<std::string> datasets, model_inputs, model_outputs;  ///< JSON, as they were sent
  };
  /// As it is now: what was appended to its files is read.
  const State& state();
  MetricsFile& metrics() { return metrics_; }

  /// Appends to the journal what `state` tells from then on.
  void log(const std::vector<nlohmann::json>& entries);
  /// Appends metrics; a Fault where the run, as `state` last told, takes none any more.
  void log_metrics(const std::vector<Point>& points);

  const std::string& id() const { return id_; }
  const Owner& owner() const { return owner_; }
  bool is_of_sweep() const { return of_sweep_; }
  const std::filesystem::path& directory() const { return directory_; }
  /// Where its artifacts are; may be missing as long as there are none.
  std::filesystem::path artifacts() const { return directory_ / "outputs"; }
  std::string artifact_uri() const;
  nlohmann::json info();
  nlohmann::json to_json();  ///< info, data, inputs, outputs

  /// Of a run of the sweep that lives: whether nothing was logged to it, nor was it taken up.
  bool is_untouched();
  /// The experiment that its script has chosen before it took the run up; what is chosen later is for runs it creates.
  void choose_experiment(const std::string& experiment);

 private:
  RunRecord(OpenFiles& files, std::string run_id, Owner owner, std::filesystem::path directory,
            bool of_sweep);
  void apply(const nlohmann::json& entry);
  void read_end();
  std::filesystem::path journal_path() const { return directory_ / "mlflow.jsonl"; }

  std::string id_;
  Owner owner_;
  std::filesystem::path directory_;
  bool of_sweep_;
  State state_;
  Journal journal_;
  MetricsFile metrics_;
  std::string chosen_experiment_;
};

/// A run as filters see it; of its metrics the latest.
class SearchableRun final : public Searchable {
 public:
  explicit SearchableRun(RunRecord& run) : run_(run), state_(run.state()) {}
  std::optional<double> number(Entity entity, const std::string& key) const override;
  std::optional<std::string> text(Entity entity, const std::string& key) const override;
  std::vector<std::string> dataset_texts(const std::string& key) const override;

 private:
  RunRecord& run_;
  const RunRecord::State& state_;
};

}  // namespace hdrive::server::mlflow
