// SPDX-License-Identifier: Apache-2.0
//
// The specification kept with a stored sweep.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/config.h"
#include "hdrive/store.h"

namespace hdrive::cli {

/// The header's configuration with `set` applied, and its problems.
LoadedConfig load_stored(const SweepHeader& header, const std::filesystem::path& directory,
                         const std::vector<std::pair<std::string, std::string>>& set = {});

/// The header's configuration; an Error where it cannot be read any more.
Result<SweepSpec> stored_spec(const SweepHeader& header, const std::filesystem::path& directory);

}  // namespace hdrive::cli
