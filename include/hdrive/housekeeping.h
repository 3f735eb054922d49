// SPDX-License-Identifier: Apache-2.0
//
// What sweeps take on disk, and giving it back. Nothing here touches a sweep that an engine runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "hdrive/history.h"
#include "hdrive/result.h"

namespace hdrive {

/// What a folder takes on disk. A file with several names counts where it is alone: of a working
/// folder that shares the files of a snapshot only the folder itself counts.
struct DiskUse {
  std::uint64_t bytes = 0;
  std::int64_t entries = 0;  ///< files and folders
  bool complete = true;      ///< false: there were more entries than were to be looked at
  DiskUse& operator+=(const DiskUse& other);
};
DiskUse disk_use(const std::filesystem::path& folder, std::int64_t most_entries = 1'000'000'000);

/// Whether nothing of a sweep's runs is alive, also where no engine runs it. Error::Kind::busy
/// where one is, or may be: only what is proven counts.
Result<void> expect_no_living_runs(const std::filesystem::path& directory);

/// Deletes a sweep with everything of it. Error::Kind::busy if an engine runs it or runs of it are
/// alive. The snapshot it
/// leaves behind is collected by `collect_unused_snapshots`.
Result<void> delete_sweep(const std::filesystem::path& directory);

/// Of these runs of a sweep: what `prune_runs` would remove.
DiskUse prunable(const std::filesystem::path& directory, const std::vector<RunId>& runs);

/// Removes what the runs left that only they needed: outputs/, checkpoints/ and kept working
/// folders, also of earlier attempts. What tells of each attempt stays: metrics, logs, how it
/// ended. Error::Kind::busy as above.
Result<void> prune_runs(const std::filesystem::path& directory, const std::vector<RunId>& runs);

/// Removes the snapshots that no sweep below `home` names; gives the bytes freed. Nothing is
/// removed, and the Error says so, while a sweep there cannot be read: it might name one.
Result<std::uint64_t> collect_unused_snapshots(const std::filesystem::path& home);

}  // namespace hdrive
