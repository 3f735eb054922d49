// SPDX-License-Identifier: Apache-2.0
//
// What was read of a configuration, for Python: the problems as warnings and one exception.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <utility>
#include <vector>

#include "hdrive/config.h"

namespace hdrive::python {

/// Keys and their values as YAML, as `--set` takes them.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// The warnings among the problems; the errors raise one ConfigError that has them all.
std::vector<std::string> warnings_or_raise(const std::vector<Problem>& problems);

/// The specification, the warnings, whether a seed and whether the concurrency were given, and what
/// is wanted around the program.
nanobind::tuple told(const LoadedConfig& loaded);

}  // namespace hdrive::python
