// SPDX-License-Identifier: Apache-2.0
//
// Follows the event files that a run's program writes below its logs (TensorBoard's), and writes
// their scalars as lines into the run's metrics.jsonl, where they are read like all others. A line
// tells where in which file its scalar stands, so that the two are of one write: an engine that
// takes over goes on behind the last line, and no scalar is told twice or left out.
//
// Used on the sweep's thread. Nothing in the folder is trusted: no link is followed, and only
// regular files are read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "compute/event_records.h"

namespace hdrive::compute {

class EventFiles {
 public:
  /// Follows nothing.
  EventFiles() = default;

  /// For an attempt that begins now in this run directory: what earlier ones left is passed over.
  static EventFiles begin(const std::filesystem::path& directory);
  /// For one that an earlier engine began.
  static EventFiles resume(const std::filesystem::path& directory);

  /// Takes over what is there now, a file at a time and at most some megabytes of each; `last`: all
  /// of it. What is wrong with a file is told once.
  void take_over(bool last, std::vector<std::string>& faults);

  explicit operator bool() const { return !directory_.empty(); }

 private:
  struct Position {
    std::uint64_t record = 0;  ///< where the next one begins
    int taken = 0;             ///< how many of its scalars were taken over already
    bool lost = false;         ///< nothing behind it can be read
  };

  std::vector<std::string> files() const;
  bool take_over(const std::string& name, Position& at, std::vector<std::string>& faults);
  bool append(const std::string& name, const std::vector<ScalarEvent>& scalars,
              const Position& from) const;
  void tell_once(const std::string& name, const std::string& fault,
                 std::vector<std::string>& faults);

  std::filesystem::path directory_;
  std::map<std::string, Position> positions_;  // by the file's path below logs
  std::set<std::string> told_;                 // faults
};

}  // namespace hdrive::compute
