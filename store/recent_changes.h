// SPDX-License-Identifier: Apache-2.0
//
// Which runs the latest appends changed, kept in the row of the table `seal`, which each append writes anyway:
// whoever follows a sweep need not look at all its runs, and no index has to be kept for it, which would cost each
// append a page. One writer; readers decode what they read. One thread each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/changes.h"

namespace hdrive::store {

class RecentChanges {
 public:
  /// So many are kept: with the rest of its row they fit into one page of the database.
  static constexpr std::size_t kMost = 400;

  /// Of what was changed up to this step nothing is known.
  explicit RecentChanges(std::int64_t from = 0) : from_(from) {}

  /// The append `step` changed this run. Steps only grow.
  void add(RunId run, std::int64_t step);
  /// The latest `kMost`; what is older is forgotten.
  void forget_old();

  /// The runs that were changed after this step, by number, each once; nothing: that is not known any more.
  std::optional<std::vector<RunId>> since(std::int64_t step) const;

  /// As kept in the table, and back. Nothing: those bytes say nothing.
  std::string bytes() const;
  static std::optional<RecentChanges> from(std::string_view bytes);

 private:
  struct Change {
    std::int64_t step;
    RunId run;
  };

  std::int64_t from_;
  std::vector<Change> changes_;  // by step
};

}  // namespace hdrive::store
