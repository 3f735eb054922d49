// SPDX-License-Identifier: Apache-2.0
//
// What a run wrote, by paths that come from outside: no name leads out of its directory, no link is followed, whoever
// made it, and nothing of it is served as something a browser would run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "server/http.h"
#include "server/portal/json.h"

namespace hdrive::server::portal {

/// The files of outputs/ and logs/: `{files: [{path, size, modified, kind, step}], more}`.
Json list_run_files(const std::filesystem::path& run_directory);

/// A stretch of a file; `limit` 0: to its end.
struct Part {
  std::uint64_t from = 0, limit = 0;
};
/// One of them. `render`: what a browser would show as a page it is sent as, under a policy that lets it do nothing; else
/// it is text.
Result<Response> run_file(const std::filesystem::path& run_directory, const std::string& path,
                          bool render, const Part& part = {});

/// A piece of what it printed, from a byte on; without one the end of it. Empty where there is nothing.
struct Piece {
  std::optional<std::uint64_t> from;
  std::uint64_t limit = 65'536;
};
Result<Json> run_log(const std::filesystem::path& run_directory, const std::string& file,
                     const Piece& piece);

}  // namespace hdrive::server::portal
