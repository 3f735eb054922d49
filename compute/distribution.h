// SPDX-License-Identifier: Apache-2.0
//
// A distributed run as its supervisor is told of it (supervisor/protocol.h, kProcesses). Called by targets; pure.
#pragma once

#include <string>

#include "hdrive/target.h"

namespace hdrive::compute {

/// "pytorch 1 4 0 0 0 -1 mpirun": the type, nodes, processes of each, workers, parameter servers, whether the metrics of
/// all count, which node this is (-1: all of them are here, or what starts them says), what starts them. Empty: the run
/// is one process.
std::string plan_text(const RunRequest& request);

}  // namespace hdrive::compute
