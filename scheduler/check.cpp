// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>
#include <utility>

#include "hdrive/sweep.h"

namespace hdrive {

Result<void> check(const SweepSpec& spec) {
  const auto wrong = [](const std::string& key, const std::string& what) -> Result<void> {
    return Error{key, what};
  };
  if (spec.primary_metric.empty())
    return wrong("primary_metric", "is empty; give the exact name the training script logs");
  if (spec.max_total_runs < 1)
    return wrong("max_total_runs",
                 "is " + std::to_string(spec.max_total_runs) + "; it must be at least 1");
  if (spec.nodes_per_run < 1 || spec.processes_per_node < 1)
    return wrong("resources", "nodes and processes_per_node must be at least 1");
  if (spec.distribution.workers < 0 || spec.distribution.parameter_servers < 0 ||
      (spec.distribution.parameter_servers > 0 && spec.distribution.workers == 0))
    return wrong("distribution",
                 "parameter servers need at least one worker, and neither is negative");
  if (spec.max_concurrent_runs < 1)
    return wrong("max_concurrent_runs",
                 "is " + std::to_string(spec.max_concurrent_runs) + "; it must be at least 1");
  if (spec.max_duration.count() <= 0) return wrong("max_duration", "must be positive");
  if (spec.max_run_duration.count() <= 0) return wrong("max_run_duration", "must be positive");
  if (spec.cancel_grace.count() < 0) return wrong("cancel_grace", "must not be negative");
  if (spec.max_silent.count() < 0) return wrong("max_silent", "must not be negative");
  const std::pair<const char*, std::int64_t> counts[] = {
      {"max_lost_retries", spec.max_lost_retries},
      {"max_failed_retries", spec.max_failed_retries},
      {"stop_after_consecutive_failures", spec.stop_after_consecutive_failures},
      {"stop_without_progress", spec.stop_without_progress}};
  for (const auto& [key, count] : counts)
    if (count < 0) return wrong(key, "must not be negative");
  if (spec.stop_at && !std::isfinite(*spec.stop_at)) return wrong("stop_at", "must be finite");
  for (const char* variable : {"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"})
    if (!spec.gpus.empty() && spec.environment_variables.contains(variable))
      return wrong("environment_variables",
                   std::string("sets ") + variable +
                       ", which `gpus` sets for each run; remove one of the two");
  if (spec.mlflow == MlflowServer::always &&
      spec.environment_variables.contains("MLFLOW_TRACKING_URI"))
    return wrong(
        "environment_variables",
        "sets MLFLOW_TRACKING_URI, which `mlflow: always` sets for each run; remove one of "
        "the two");
  if (spec.space.parameters.empty())
    return wrong("space", "has no parameters; give at least one to draw values for");
  if (auto sound = check(spec.space); !sound) return sound;
  for (std::size_t i = 0; i < spec.start_points.size(); ++i)
    if (const auto fits = partial_point(spec.space, spec.start_points[i]); !fits)
      return wrong("start point " + std::to_string(i + 1), fits.error().message());
  return {};
}

}  // namespace hdrive
