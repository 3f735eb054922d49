// SPDX-License-Identifier: Apache-2.0
//
// Store: what happened in a sweep, durably. One database a sweep, beside its run directories.
//
// Everything that happens is a Change. The scheduler appends the changes of one turn of its loop in
// one transaction, and only then acts on them; a resumed sweep replays them through the same
// mutator.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hdrive/changes.h"
#include "hdrive/requests.h"
#include "hdrive/result.h"

namespace hdrive {

/// Keeps one sweep's facts. Used by one thread. A failed append leaves the store as it was.
class Store {
 public:
  virtual ~Store() = default;

  virtual const SweepHeader& header() const = 0;

  /// Records the changes in one transaction; when it returns, they survive a crash of the machine.
  /// Refused as a whole if they are out of order: runs are proposed by number from 0, and all else
  /// is of a proposed run's current attempt.
  virtual Result<void> append(std::span<const Change> changes) = 0;

  /// Tells every change recorded, those of a run in their order. Replaying them gives the state the
  /// engine had. Only metrics named `only_metric` are told, all if it is empty. Metrics may come in
  /// other batches than they were recorded in, each with the last position of its attempt, and
  /// before the verdicts on them; of the verdicts of an attempt only the latest of each action are
  /// told.
  virtual Result<void> replay(const std::string& only_metric,
                              const std::function<void(const Change&)>& tell) = 0;

  /// Requests of other processes not taken before, each told once, also where nothing can be
  /// written. Cheap when there are none.
  virtual Result<std::vector<Request>> take_requests() = 0;

  /// Whether other processes can leave requests, so that the engine looks for them now and then.
  virtual bool takes_requests() const = 0;
};

/// A store in memory, gone with the process.
std::shared_ptr<Store> make_memory_store(SweepHeader header);

/// Creates `directory` with a new database in it, and owns the sweep until destroyed.
Result<std::shared_ptr<Store>> create_sqlite_store(const std::filesystem::path& directory,
                                                   const SweepHeader& header);

/// Opens an existing sweep as its engine. Fails, naming the process, if another engine owns it.
/// `tell` hears what `Store::replay` would tell while all of it is read and checked anyway; believe
/// it only if the opening succeeds.
Result<std::shared_ptr<Store>> open_sqlite_store(
    const std::filesystem::path& directory,
    const std::function<void(const Change&)>& tell = nullptr);

/// The directory of one run inside its sweep's: `<sweep>/runs/<n>`.
std::filesystem::path run_directory(const std::filesystem::path& sweep_directory, RunId run);

}  // namespace hdrive
