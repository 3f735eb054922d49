// SPDX-License-Identifier: Apache-2.0
//
// The page of all sweeps, as `ui` serves it and `run --ui` beside a sweep.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "hdrive/portal.h"

namespace hdrive::cli {

/// For the sweeps below `home`, whose actions are verbs of this program.
PortalOptions page_options(const std::filesystem::path& home, const std::string& output_dir);

/// Serves it beside a sweep and tells its address; null, and a warning, where that cannot be.
std::unique_ptr<Portal> serve_page_beside(const std::filesystem::path& sweep_directory,
                                          const std::string& sweep_id,
                                          const std::string& output_dir);

/// A Failure where both are asked for: a page ends with what serves it.
void no_page_when_detached(bool ui, bool detach);

}  // namespace hdrive::cli
