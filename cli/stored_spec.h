// SPDX-License-Identifier: Apache-2.0
//
// The specification kept with a stored sweep, read back.
#pragma once

#include <filesystem>
#include <string>

#include "hdrive/config.h"
#include "hdrive/store.h"

namespace hdrive::cli {

/// The header's configuration; an Error where it cannot be read any more. Its warnings were told
/// when the sweep began.
Result<SweepSpec> stored_spec(const SweepHeader& header, const std::filesystem::path& directory);

/// The same for a sweep that is to go on: a Failure (2) where its folder or its program is not
/// there, as for one that begins.
SweepSpec startable_spec(const SweepHeader& header, const std::filesystem::path& directory);

/// "8 combinations" of a sampler that tries each point once; empty for the others.
std::string combinations_text(const SweepSpec& spec);

/// `sweep HD_1a2b3c4d "name": 20 runs, 4 at once, seed 7`, what a user is told when it begins.
std::string beginning_line(const SweepHeader& header, const SweepSpec& spec);

}  // namespace hdrive::cli
