// SPDX-License-Identifier: Apache-2.0
//
// What of a source folder belongs to a snapshot.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hdrive/workspace.h"
#include "workspace/file_index.h"

namespace hdrive::workspace {

struct Found {
  enum class Kind { file, link, empty_folder };
  Kind kind = Kind::file;
  std::string path;  // relative to the source folder
  FileStamp stamp;
  bool executable = false;
  std::string target;  // of a link, as it stands there
};

struct Walk {
  std::vector<Found> found;
  std::int64_t ignored = 0;          // by ignore files; a folder counts one
  std::vector<std::string> special;  // sockets, FIFOs, devices
  std::vector<std::string> closed;   // folders that cannot be read
  std::vector<std::string> own;  // outputs and logs with something in them: each run has its own
  std::string too_large;         // why it is; empty: it is not
};

/// Walks `options.source`: ignore files apply, and what is never source is left out (git's own
/// folder, caches, virtual environments, hdrive's home). Fails where the source folder itself
/// cannot be read.
Result<Walk> walk_source(const CaptureOptions& options);

}  // namespace hdrive::workspace
