// SPDX-License-Identifier: Apache-2.0
//
// Any batch system by three commands and regular expressions. Pure; see batch_system.h.
#pragma once

#include <memory>

#include "compute/batch/batch_system.h"

namespace hdrive::compute {

/// Fails on options that command_faults finds a fault in.
Result<std::unique_ptr<BatchSystem>> make_command_system(const CommandOptions& options);

}  // namespace hdrive::compute
