// SPDX-License-Identifier: Apache-2.0
//
// What a run works in: the source folder captured once for all sweeps, and a folder of its own for
// each run made from that. docs/run-directory.md has the rules, for users.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/clock.h"
#include "hdrive/result.h"

namespace hdrive {

/// Where the runs of a sweep start.
enum class WorkingDirectory {
  run,     ///< each in a folder of its own, with the files of the snapshot
  source,  ///< all in the source folder
};
std::string_view to_string(WorkingDirectory where);  ///< "run", "source"

/// Which working folders outlive their run.
enum class KeepWork { never, failed, always };
std::string_view to_string(KeepWork keep);  ///< "never", "failed", "always"

/// What a target needs to make the working folder of a run. Without a `snapshot` the run starts in
/// `source`.
struct Workspace {
  std::filesystem::path source;      ///< the source folder, absolute
  std::string snapshot = "";         ///< its id; empty: none
  std::filesystem::path store = {};  ///< the folder that holds it (snapshot_store)
  KeepWork keep = KeepWork::never;
};

/// Where the snapshots of all sweeps below `home` lie: "<home>/snapshots".
std::filesystem::path snapshot_store(const std::filesystem::path& home);

// ---- capturing ----------------------------------------------------------------------------------

struct CaptureOptions {
  std::filesystem::path source;  ///< the folder to capture, absolute
  std::filesystem::path store;   ///< snapshot_store of the sweeps' home
  std::vector<std::filesystem::path>
      leave_out;                        ///< folders in it that are no source: the home itself
  std::uint64_t max_file = 10'000'000;  ///< a larger file is linked to; bytes
  Time now{};  ///< a file that was changed just before is read again by the next capture
};

/// A source folder as it was, and what to say about it.
struct Capture {
  std::string id;  ///< of the snapshot; empty: there is none, the runs start in the source folder
  std::int64_t files = 0;          ///< captured
  std::uint64_t bytes = 0;         ///< of these
  std::int64_t ignored = 0;        ///< files and folders that an ignore file leaves out
  std::vector<std::string> notes;  ///< sentences: what was not captured, what is large
  std::map<std::string, std::string> properties;  ///< git_properties of the source folder
  /// While this lives, nobody collects the snapshot: hold it until the sweep that names it is
  /// stored.
  std::shared_ptr<void> hold;
};

/// Captures the folder. Files known from the last capture by size, times and inode are not read
/// again. Several processes may capture at once. A folder that is too large for it is no error
/// (`id` is empty, a note says so).
Result<Capture> capture_source(const CaptureOptions& options);

/// What keeps a capture of the folder `source` from taking in `file`, a path in it: ".gitignore:3",
/// or a rule in words. Nothing where it is captured, or is not there.
std::optional<std::string> left_out_by(const std::filesystem::path& source,
                                       const std::filesystem::path& file);

/// The state of the git repository that `folder` is in, under the names of Azure ML and MLflow;
/// none where there is no repository, or no git.
std::map<std::string, std::string> git_properties(const std::filesystem::path& folder);

// ---- looking at snapshots -----------------------------------------------------------------------

/// A file or link of a snapshot.
struct SnapshotEntry {
  std::string path;         ///< relative to the source folder, with '/'
  std::string digest;       ///< of a file's content, SHA-256 in hexadecimal; empty: a link
  std::string target;       ///< of a link
  std::uint64_t size = 0;   ///< of a file
  bool executable = false;  ///< a file's owner may execute it
  bool operator==(const SnapshotEntry&) const = default;
};

/// The entries in the order of their paths. Damaged if they are not what the id says.
Result<std::vector<SnapshotEntry>> read_snapshot(const std::filesystem::path& store,
                                                 const std::string& id);

/// Reads every file of a snapshot; gives how many there are. Damaged, and the Error names the first
/// one, where a content is not what was captured, or is gone.
Result<std::int64_t> check_snapshot(const std::filesystem::path& store, const std::string& id);

/// What differs in a file between two snapshots.
struct FileDifference {
  enum class Kind { added, removed, changed };
  Kind kind = Kind::changed;
  std::string path;
  std::int64_t lines_added = 0, lines_removed = 0;  ///< of a text
  bool text = false;  ///< both contents are text of a size that can be compared
};
/// Each snapshot is looked for in its own store: sweeps of two homes can be compared.
Result<std::vector<FileDifference>> compare_snapshots(const std::filesystem::path& one_store,
                                                      const std::string& one,
                                                      const std::filesystem::path& other_store,
                                                      const std::string& other);

/// Removes the snapshots whose id is not `used`, and what only they held; gives the bytes freed.
/// Error::Kind::busy while another process captures: nothing was removed then, and the next call
/// does it. With `dry_run` nothing is removed.
Result<std::uint64_t> collect_snapshots(const std::filesystem::path& store,
                                        const std::set<std::string>& used, bool dry_run = false);

// ---- bringing snapshots to another machine ------------------------------------------------------

/// The text that describes a snapshot, whose digest is its id.
Result<std::string> snapshot_text(const std::filesystem::path& store, const std::string& id);

/// The entries of such a text whose content the store lacks, each content once. Makes the store.
/// Damaged where the text is not what `id` says.
Result<std::vector<SnapshotEntry>> missing_contents(const std::filesystem::path& store,
                                                    const std::string& id, std::string_view text);

/// The content of a file of a snapshot. Damaged where it is not what its digest says.
Result<std::string> read_content(const std::filesystem::path& store, const SnapshotEntry& file);

/// Puts a content that was sent into the store, unless it is not what its digest says.
Result<void> store_content(const std::filesystem::path& store, const SnapshotEntry& file,
                           std::string_view content);

/// Puts the snapshot itself there, after all its contents. Where some are missing it is refused.
Result<void> store_snapshot(const std::filesystem::path& store, const std::string& id,
                            std::string_view text);

// ---- working folders ----------------------------------------------------------------------------

/// Makes and removes the working folders of one engine's runs. One thread at a time; removing
/// happens on a thread of its own, which is done when this is destroyed.
class WorkingFolders {
 public:
  WorkingFolders();
  ~WorkingFolders();
  WorkingFolders(WorkingFolders&&) noexcept;
  WorkingFolders& operator=(WorkingFolders&&) noexcept;

  /// Makes `folder`, which must not be there, with the files of the snapshot, and `outputs` and
  /// `logs` as links to those in the run's directory above it. An Error has a kind; nothing is left
  /// of the folder then.
  Result<void> make(const Workspace& workspace, const std::filesystem::path& folder);

  /// What runs did to files they share, since the last call: a sentence each.
  std::vector<std::string> take_notes();

  /// Removes it; returns at once. That there is none is fine.
  void remove(const std::filesystem::path& folder);

  /// Removes it, too; but one of a small snapshot in which nothing was changed may be what the next
  /// `make` gives, without what was added to it. For the folder of a run of which no process is
  /// left, and that lived too shortly for anybody else to be at work in it.
  void hand_on(const std::filesystem::path& folder);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hdrive
