// SPDX-License-Identifier: Apache-2.0
//
// One session of a sweep in the foreground: display, signals, summary. Shared by `run` and `resume`.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "hdrive/sweep.h"

namespace hdrive::cli {

struct Session {
  SweepSpec spec;
  std::filesystem::path directory;  ///< the sweep's
  std::string output_dir;           ///< as given on the command line; for the hints
  bool quiet = false;
  /// Makes or opens the store; called when everything else is ready.
  std::function<std::shared_ptr<Store>()> open_store;
};

/// Runs it to its end and prints the summary; gives the exit code.
int run_session(const Session& session);

}  // namespace hdrive::cli
