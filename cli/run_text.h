// SPDX-License-Identifier: Apache-2.0
//
// Everything about one run, for `show SWEEP/RUN` and `best`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/listing.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {

struct RunFacts {
  const SweepEntry& sweep;
  const SweepState& state;
  RunId run = 0;
  const std::vector<StoredMetric>& metrics;  ///< of the run, all attempts
};

/// The run's own row.
RunReport report_of(const SweepState& state, const std::string& sweep_id, RunId run);

/// Why it was stopped, or why no policy stopped it: one sentence.
std::string policy_sentence(const SweepState& state, RunId run);

/// The command line it is started with; empty where the configuration has no command or cannot be read.
std::string command_line(const SweepEntry& sweep, const Run& run);

/// The run's folder for outputs, and whether there is nothing in it.
std::string outputs_text(const std::filesystem::path& sweep, RunId run);

std::string run_text(const RunFacts& facts);
OrderedJson run_json(const RunFacts& facts);

}  // namespace hdrive::cli
