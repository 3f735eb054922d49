// SPDX-License-Identifier: Apache-2.0
//
// What a job that shares no file system with the engine fetches by HTTP before it begins: its run directory, with the
// working folder and what earlier attempts left, and what all runs of the sweep need. Called from the server's thread.
#pragma once

#include <filesystem>
#include <string_view>

#include "server/http.h"

namespace hdrive::server {

/// `path` empty: the list of all there is, as JSON: [{"path", "size", "executable"} | {"path", "link"} | {"path",
/// "folder": true}, ...]. Else one of them: "/work/train.py".
Response serve_job(const std::filesystem::path& sweep_directory,
                   const std::filesystem::path& run_folder, std::string_view path);

}  // namespace hdrive::server
