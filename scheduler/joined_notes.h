// SPDX-License-Identifier: Apache-2.0
//
// JoinedNotes: what the target notes of runs, joined over them. All runs of a
// sweep have the same script, so that what is odd in one is odd in all: the
// first runs are told, the others counted. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "hdrive/target.h"

namespace hdrive::scheduler {

class JoinedNotes {
 public:
  /// Whether the note is to be told; if not, its run was counted. Notes are of
  /// one kind if they differ only in numbers and in what they quote.
  bool admit(const TargetNote& note);

  /// A sentence for each kind of which runs were only counted; they are
  /// forgotten then.
  std::vector<std::string> take_counted();

 private:
  struct Kind {
    std::string example;
    RunId first = 0;
    std::unordered_set<RunId> told, counted;
  };
  std::map<std::string, Kind> kinds_;
};

}  // namespace hdrive::scheduler
