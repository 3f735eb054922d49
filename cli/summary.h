// SPDX-License-Identifier: Apache-2.0
//
// What `run` and `resume` say at the end, and the exit code that goes with it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/model_pick.h"
#include "hdrive/repeats.h"
#include "hdrive/report.h"
#include "hdrive/spec.h"

namespace hdrive::cli {

struct SummaryContext {
  std::string sweep_id;
  std::filesystem::path directory;  ///< the sweep's
  std::string home_hint;            ///< " --output-dir DIR" for commands to type, or nothing
  std::vector<RepeatedRun> repeated = {};
  std::optional<ModelPick> pick = {};  ///< where the best run is probably only lucky
};

/// Best run with its parameters and value, counts, compute saved, outputs, and where to read on.
std::string summary_text(const SweepSummary& summary, const SweepSpec& spec,
                         const SummaryContext& context);

/// The one line of `--quiet`: "best run 3  accuracy 0.97  lr=0.01", or why there is none.
std::string quiet_line(const SweepSummary& summary, const SweepSpec& spec);

/// 0, 1, 3, 5 or 130 (docs/cli.md).
int exit_code(const SweepSummary& summary);

/// Whether a session that ended so left something that `hdrive resume` is meant to go on with.
bool waits_to_be_resumed(SweepEnd end);

}  // namespace hdrive::cli
