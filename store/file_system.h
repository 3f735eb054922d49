// SPDX-License-Identifier: Apache-2.0
//
// Which kind of file system a sweep lies on, and how SQLite may keep its journal there.
#pragma once

#include <cstdint>
#include <filesystem>

namespace hdrive::store {

/// The file system's magic number, as statfs(2) tells it; 0: it cannot be told.
std::int64_t file_system_of(const std::filesystem::path& path);

/// Whether processes on several machines may see it, so that they share files but no memory: NFS, SMB,
/// 9p, Ceph, Lustre and the like, and all of FUSE, which does not tell what it is.
bool is_network_file_system(std::int64_t magic);

}  // namespace hdrive::store
