// SPDX-License-Identifier: Apache-2.0
//
// What a sweep's code was, in words: its snapshot and the state of its git repository.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cli/json_fwd.h"
#include "hdrive/catalog.h"
#include "hdrive/housekeeping.h"
#include "hdrive/workspace.h"

namespace hdrive::cli {

/// The git repository when the sweep was made.
struct GitState {
  std::string repository, branch, commit;
  bool dirty = false;  ///< it had changes that were not committed
};
/// Nothing where it was in none.
std::optional<GitState> git_state(const SweepHeader& header);
/// The same by name, or null.
OrderedJson git_json(const SweepHeader& header);

/// "snapshot 1a2b3c4d5e6f: 12 files, 0.1 MB; ignored: 3", with a line break.
std::string snapshot_line(const Capture& capture);

/// The sweep's properties under Azure's names: the snapshot, what MLflow and Azure ML note of git.
std::map<std::string, std::string> azure_properties(const SweepHeader& header);

/// Those in lines for people, below a heading; a value that is too long for its line has the next
/// one to itself. Empty where there are none.
std::string properties_text(const SweepHeader& header);

/// Labelled lines for `show`; empty where nothing is known.
std::string source_text(const SweepEntry& sweep);

/// The last line of a verb that frees room: what it freed, the snapshots that no sweep needs any
/// more among it, which are collected here; or, where nothing was `done`, what would be.
std::string freed_text(const DiskUse& use, bool done, const std::filesystem::path& home);

/// The first digits of a snapshot's id, by which people tell it from others.
std::string short_snapshot(const std::string& id);

}  // namespace hdrive::cli
