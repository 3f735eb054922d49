// SPDX-License-Identifier: Apache-2.0
//
// The files of all snapshots below one home, each content once. Several processes may use it at the
// same time: what is there is complete, since it was renamed into its place, and is never changed
// again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "hdrive/workspace.h"

namespace hdrive::workspace {

class BlobStore {
 public:
  explicit BlobStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Makes the folders.
  Result<void> prepare() const;

  std::filesystem::path manifest_path(const std::string& id) const;
  /// The name of a file's content; one that may be executed has a name of its own, as working
  /// folders link to it.
  std::filesystem::path blob_path(const SnapshotEntry& file) const;

  /// Whether it is there as it was stored, as far as looking at it can tell.
  bool holds(const SnapshotEntry& file) const;

  /// Stores a content; replaces one that is not as it was stored.
  Result<void> put(const SnapshotEntry& file, std::string_view content);

  /// The content. Damaged if it is not what its name says.
  Result<std::string> read(const SnapshotEntry& file) const;

  Result<void> put_manifest(const std::string& id, std::string_view text);
  Result<std::vector<SnapshotEntry>> read_manifest(const std::string& id) const;

  /// What was put survives a crash of the machine once this returns.
  Result<void> sync();

  /// A lock that many may hold; nullptr where it cannot be had. Without `shared` it is had alone,
  /// or not at all.
  std::shared_ptr<void> lock(bool shared) const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> unsynced_;
};

/// All bytes; a short write is tried on.
bool write_all(int fd, std::string_view bytes);

}  // namespace hdrive::workspace
