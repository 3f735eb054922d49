// SPDX-License-Identifier: Apache-2.0
//
// A copy of a sweep's database, of one moment, also while an engine runs it.
#pragma once

#include <filesystem>

#include "hdrive/result.h"

namespace hdrive {

/// Copies the database of the sweep in `directory` into `file`, which must not be there yet, and
/// checks the copy. In the place of a sweep's sweep.db, with no log beside it, it is that sweep as
/// it was at this moment.
Result<void> back_up_sweep(const std::filesystem::path& directory,
                           const std::filesystem::path& file);

}  // namespace hdrive
