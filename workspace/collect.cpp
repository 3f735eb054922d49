// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <string>
#include <system_error>

#include "base/file.h"
#include "hdrive/workspace.h"
#include "workspace/blob_store.h"
#include "workspace/manifest.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using workspace::BlobStore;

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) files.push_back(entry->path());
  }
  return files;
}

std::uint64_t take_away(const fs::path& file, bool dry_run) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) return 0;
  if (!dry_run && ::unlink(file.c_str()) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

}  // namespace

Result<std::uint64_t> collect_snapshots(const fs::path& folder, const std::set<std::string>& used,
                                        bool dry_run) {
  std::error_code error;
  if (!fs::exists(folder / "trees", error)) return std::uint64_t{0};
  const BlobStore store(folder);
  const auto alone = store.lock(false);
  if (!alone)
    return Error{folder.string(), "another process takes or removes snapshots at the moment",
                 Error::Kind::busy};
  std::set<fs::path> needed;
  for (const std::string& id : used) {
    auto entries = store.read_manifest(id);
    // What a damaged description needs nobody knows: then all is kept.
    if (!entries && entries.error().kind != Error::Kind::not_found) return entries.error();
    if (!entries) continue;
    needed.insert(store.manifest_path(id));
    for (const SnapshotEntry& entry : *entries)
      if (!entry.digest.empty()) needed.insert(store.blob_path(entry));
  }
  std::uint64_t freed = 0;
  for (const char* part : {"trees", "blobs"})
    for (const fs::path& file : files_below(folder / part))
      if (needed.count(file) == 0) freed += take_away(file, dry_run);
  return freed;
}

}  // namespace hdrive
