// SPDX-License-Identifier: Apache-2.0
//
// Files the library carries in its object code, so that an installed library needs none beside it.
#pragma once

#include <filesystem>
#include <string_view>

#include "hdrive/result.h"

namespace hdrive::compute {

/// The supervisor program, an executable for this machine (compute/supervisor).
std::string_view embedded_supervisor();

/// python/hdrive_run.py.
std::string_view embedded_run_module();

/// Writes it into `directory`, for PYTHONPATH, and beside it what reports by HTTP and the package that stands in for azureml
/// (python/hdrive/azureml/_script). Leaves alone what is there already.
Result<void> install_run_modules(const std::filesystem::path& directory);

}  // namespace hdrive::compute
