// SPDX-License-Identifier: Apache-2.0
//
// The metrics of one run: its metrics.jsonl, its stdout.log where patterns read it, and what it
// logged with MLflow from another machine. Owned by a target, one for each live run; used on the
// sweep's thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "compute/line_file.h"
#include "compute/output_patterns.h"
#include "hdrive/target.h"

namespace hdrive::compute {

/// How much one call of the target's `wait` may still tell.
struct IntakeBudget {
  std::size_t metrics = 64 << 10;
  std::size_t bytes = 4 << 20;
  bool spent() const { return metrics == 0 || bytes == 0; }
};

class Intake {
 public:
  Intake() = default;
  /// `output` is left closed where there are no patterns. `patterns` outlives this.
  Intake(RunId run, int attempt, base::UniqueFd metrics, base::UniqueFd output,
         const IntakePosition& position, const OutputPatterns* patterns);

  /// The file that the sweep's server writes for a run on another machine, whose metrics.jsonl has
  /// another writer; before the first `read`. Its lines are told behind those of metrics.jsonl.
  void take_mlflow(base::UniqueFd mlflow);

  /// Where metrics.jsonl lies: another file in its place is read, too, when the run has ended.
  void look_at_the_end_for(std::filesystem::path metrics) { metrics_path_ = std::move(metrics); }

  /// Appends what the run logged since: one RunReported, and notes on lines that cannot be used.
  /// With `last` unfinished last lines count too. False: there is more to read.
  bool read(std::string& buffer, IntakeBudget& budget, bool last, std::vector<TargetEvent>& events);

  /// Up to where all was told.
  IntakePosition position() const;

  /// One note of each kind on what was not told one by one, if there was any.
  void close(std::vector<TargetEvent>& events);

 private:
  struct Source {
    const char* name;
    LineFile file;
    std::uint64_t began_anew = 0;  // how often
  };

  bool read_file(Source& source, std::string& buffer, IntakeBudget& budget, bool last,
                 std::vector<TargetEvent>& events, const LineFile::Sink& sink);
  bool take_replacement(std::vector<TargetEvent>& events);
  void take_metric_line(Source& source, const LineFile::Line& line,
                        std::vector<TargetEvent>& events);
  void take_output_line(const LineFile::Line& line, std::vector<TargetEvent>& events);
  void note(Source& source, const LineFile::Line& line, const std::string& what,
            std::vector<TargetEvent>& events);

  RunId run_ = 0;
  int attempt_ = 1;
  Source metrics_{"metrics.jsonl", {}, 0}, output_{"stdout.log", {}, 0};
  Source mlflow_{"mlflow-metrics.jsonl", {}, 0};
  IntakePosition began_;                // of files that are not there, this stays what it was
  std::filesystem::path metrics_path_;  // until it was looked at
  const OutputPatterns* patterns_ = nullptr;
  std::vector<Metric> found_;  // in this call of `read`
  std::uint64_t faults_ = 0, faults_told_ = 0;
  bool fault_found_ = false;  // in this call of `read`
  // What patterns do wrong, of which one example shows enough: told already?
  bool misread_ = false, no_number_ = false;
};

}  // namespace hdrive::compute
