// SPDX-License-Identifier: Apache-2.0
//
// Running a sweep in the foreground: display, signals, summary. Shared by `run`, `resume` and
// `stop`; `attach` shares the end.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/lookup.h"
#include "hdrive/report.h"
#include "hdrive/spec.h"
#include "hdrive/stop_signal.h"

namespace hdrive::cli {

struct Foreground {
  SweepSpec spec;
  std::filesystem::path directory;  ///< the sweep's
  std::string output_dir;           ///< as given on the command line; for the hints
  bool quiet = false;
  bool ui = false;                 ///< serve the page beside it
  std::optional<int> announce_to;  ///< detached: where the caller listens (cli/detach.h)
  /// Of several sweeps at once: what ends them all. Whoever runs them listens to signals, and each
  /// is shown by lines.
  std::optional<StopSignal> shared_stop;
  /// Makes or opens the sweep; called when everything else is ready. Without a state its store is
  /// replayed.
  std::function<OwnedSweep()> open;
};

/// Runs it to its end and prints the summary; gives the exit code.
int run_in_foreground(const Foreground& foreground);

/// Prints the summary of a sweep, or of a session of it, that is over; gives the exit code.
int conclude(const Foreground& foreground, const std::string& sweep_id,
             const SweepSummary& summary);

}  // namespace hdrive::cli
