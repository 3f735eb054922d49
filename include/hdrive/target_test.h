// SPDX-License-Identifier: Apache-2.0
//
// Trying a target: two small runs, from handing them over to fetching what they left, each step
// told.
#pragma once

#include <functional>
#include <string>

#include "hdrive/stop_signal.h"
#include "hdrive/targets.h"

namespace hdrive {

/// One step, as a user is told of it.
struct TargetTestStep {
  std::string name;  ///< "start a run"
  bool passed = true;
  std::string detail;  ///< how long it took, or what is wrong
  std::string advice;  ///< how to mend it; may be empty
};

/// Starts a run that logs a metric and leaves a file, and one that is cancelled, in a directory of
/// its own in `home`, where sweeps are kept, which is removed afterwards. The first step that fails
/// is the last one told. An Error: the test itself could not be made. Waits two minutes for each
/// step; `stop` ends it before.
Result<void> test_target(const NamedTarget& named, const LocalTargetOptions& runs,
                         const std::filesystem::path& home, const StopSignal& stop,
                         const std::function<void(const TargetTestStep&)>& tell);

/// The same of a target that is made already.
Result<void> test_target(ComputeTarget& target, Clock& clock,
                         const std::filesystem::path& directory, const StopSignal& stop,
                         const std::function<void(const TargetTestStep&)>& tell);

}  // namespace hdrive
