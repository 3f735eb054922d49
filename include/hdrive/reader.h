// SPDX-License-Identifier: Apache-2.0
//
// Reading a stored sweep without owning it, also while an engine runs it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/changes.h"
#include "hdrive/history.h"
#include "hdrive/result.h"
#include "hdrive/target.h"

namespace hdrive {

/// Replays a sweep on disk without owning it.
Result<void> replay_sweep(const std::filesystem::path& directory, const std::string& only_metric,
                          const std::function<void(const Change&)>& tell);

/// How one run stands.
struct RunStanding {
  int attempt = 1;
  RunStatus status = RunStatus::queued;
  EndCause ended_by = EndCause::none;
};

/// Asks for one run without a replay: one row is read. Fails if there is no such run.
Result<RunStanding> read_run(const std::filesystem::path& directory, RunId run);

/// One logged value with its run, as stored.
struct StoredMetric {
  RunId run = 0;
  int attempt = 1;
  Metric metric;  ///< `time` is always set
};

/// The metrics of one run (all attempts), or of all, oldest first.
Result<std::vector<StoredMetric>> read_metrics(const std::filesystem::path& directory,
                                               std::optional<RunId> run);

}  // namespace hdrive
