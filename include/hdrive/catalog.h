// SPDX-License-Identifier: Apache-2.0
//
// The sweeps below a folder, and the one that a user's word for it means. Nothing is locked or
// changed, also while engines run them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/changes.h"
#include "hdrive/clock.h"
#include "hdrive/result.h"

namespace hdrive {

class SweepReader;

/// A sweep as it stands on disk.
struct SweepEntry {
  SweepHeader header;
  std::filesystem::path directory;
  SweepStatus status = SweepStatus::running;
  SweepEnd end = SweepEnd::none;
  std::string reason;
  Duration active{};
  Time changed{};                      ///< of the last change of status
  Time latest{};                       ///< when something was last recorded of it
  std::optional<std::int64_t> engine;  ///< process that runs it now
  std::int64_t runs = 0, live = 0, completed = 0, failed = 0, canceled = 0;
};

/// All sweeps below `home` (".hdrive"), oldest first. A directory that cannot be read becomes an
/// entry of `problems`, not a failure of the whole list. `look`, if there is one, gets each of them
/// in any order, while it is open; an Error of it counts as one of the sweep.
std::vector<SweepEntry> list_sweeps(
    const std::filesystem::path& home, std::vector<Error>* problems,
    const std::function<Result<void>(const SweepEntry&, SweepReader&)>& look = nullptr);

/// The sweep `selector` names: an id, a unique prefix of one (with or without "HD_"), a sweep's
/// name, a path of its directory, or "last". Fails naming the candidates or the nearest match:
/// Error::Kind::not_found where there is none.
Result<SweepEntry> find_sweep(const std::filesystem::path& home, const std::string& selector);

/// The sweeps below `home` that have this name. An Error if one that cannot be read has it: it is
/// not to be begun a second time because of that.
Result<std::vector<SweepEntry>> sweeps_named(const std::filesystem::path& home,
                                             const std::string& name);

/// Keeps other processes of this user from looking for a name in `home` and beginning a sweep of
/// it, as long as what it gives lives: whoever begins a named sweep holds this from before it looks
/// for the name until the sweep's store is made. Waits for the others. A process that dies holds
/// nothing.
Result<std::shared_ptr<void>> claim_names(const std::filesystem::path& home);

}  // namespace hdrive
