// SPDX-License-Identifier: Apache-2.0
//
// Going on with a sweep: the verb `resume`, and `run --name` where the sweep of that name was
// interrupted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/detach.h"
#include "hdrive/stop_signal.h"

namespace hdrive::cli {

struct ResumeOptions {
  std::string sweep;
  std::string output_dir;
  std::vector<std::string> set;
  std::string advertise;
  bool quiet = false, ui = false;
  Detach detach;
  std::optional<StopSignal> shared_stop = {};  ///< as in cli/foreground.h
};

/// Gives the exit code. Where nothing is left to do it says so.
int resume_sweep(const ResumeOptions& options);

}  // namespace hdrive::cli
