// SPDX-License-Identifier: Apache-2.0
//
// The folder of one allocation, on the file system that its nodes and the engine share, by which they
// know of each other where no connection is. It lies beside the run directories, in
// ".pilot/<target>/<token>". Both sides include this; any thread.
//
//   claim    made before the job is submitted, renamed to `begun` by the first job that starts: of
//            two jobs of one submission the second finds none and ends. The engine takes it away to
//            give up a job that waits
//   job      the id of the job that has begun
//   node-N   made by the holder on node N and touched as its sign of life; `gone-N` when nothing of
//            it is alive
//   spare-N  what brief runs on node N have left empty, for the next
//   busy     touched while any node has a run or an engine
//   warned   what Slurm has sent the job before its time is over: HUP or USR2
//   over     made by the engine: whatever lives in the allocation is to be ended
//   given    a file for each run that the engine has sent to a node, whose name it holds. The node
//            moves it to `taken` before the run's supervisor may begin; the engine renames the whole
//            folder to `revoked` and knows then that nothing which is in it begins any more
#pragma once

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "compute/run_records.h"
#include "hdrive/ids.h"
#include "hdrive/result.h"

namespace hdrive::compute::pilot {

inline constexpr char kFolder[] = ".pilot";
inline constexpr char kClaim[] = "claim";
inline constexpr char kBegun[] = "begun";
inline constexpr char kJob[] = "job";
inline constexpr char kNodePrefix[] = "node-";
inline constexpr char kGonePrefix[] = "gone-";
inline constexpr char kBusy[] = "busy";
inline constexpr char kWarned[] = "warned";
inline constexpr char kOver[] = "over";
inline constexpr char kGiven[] = "given";
inline constexpr char kTaken[] = "taken";
inline constexpr char kRevoked[] = "revoked";

/// The name of a run's file in `given`: "7-1".
inline std::string mark_of(RunId run, int attempt) {
  return std::to_string(run) + "-" + std::to_string(attempt);
}

/// By which a holder is reached on its node: a name of an abstract socket, which every process of
/// the machine may try. Both ends look whose the other one is.
inline std::string socket_of(const std::filesystem::path& folder, std::string_view node) {
  return "hdrive-pilot-" + folder.filename().string() + "-" + std::string(node);
}

/// Removes a folder. It has another name first, under which nobody makes anything in it meanwhile.
void remove_folder(const std::filesystem::path& folder);
inline constexpr char kRemoved[] = ".removed";

/// Whether SIGTERM or SIGKILL ended it, as Slurm ends a job's processes; a shell tells the same of
/// its last command by its exit code.
inline bool looks_ended_by_slurm(const ExitRecord& record) {
  const int number = record.signal.value_or(record.exit_code.value_or(0) - 128);
  return record.canceled || number == SIGTERM || number == SIGKILL;
}

/// Makes a file there, or sets the time of one that is there to now, by the file server's clock.
Result<void> touch(const std::filesystem::path& file);

}  // namespace hdrive::compute::pilot
