// SPDX-License-Identifier: Apache-2.0
//
// What a run finds in its environment (docs/metric-protocol.md). Called by the local target; pure.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "hdrive/target.h"

namespace hdrive::compute {

/// What Linux takes for one argument or one variable "NAME=value", its final zero included.
inline constexpr std::size_t kLongestString = 128 << 10;

/// The environment of a run: `inherited` ("NAME=value") without what an outer run, or somebody who
/// tried the script by hand, has set of a run's variables; the request's own additions; and what
/// the metric protocol promises. `python_path` is put in front of PYTHONPATH, `command_path`, if
/// any, behind PATH.
std::vector<std::string> run_environment(const RunRequest& request, const char* const* inherited,
                                         const std::filesystem::path& python_path,
                                         const std::filesystem::path& command_path = {});

}  // namespace hdrive::compute
