// SPDX-License-Identifier: Apache-2.0
//
// Everything about one run, for `show SWEEP/RUN` and `best`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/json_fwd.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/report.h"
#include "hdrive/state.h"

namespace hdrive::cli {

struct RunFacts {
  const SweepEntry& sweep;
  const StoredRun& stored;
  const std::optional<RunJudged>& judged;
};

/// The command line it is started with; empty where the configuration has no command or cannot be
/// read.
std::string command_line(const SweepEntry& sweep, const Run& run);

/// The run's folder for outputs, and whether there is nothing in it.
std::string outputs_text(const std::filesystem::path& sweep, RunId run);

std::string run_text(const RunFacts& facts);
OrderedJson run_json(const RunFacts& facts);

}  // namespace hdrive::cli
