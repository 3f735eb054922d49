// SPDX-License-Identifier: Apache-2.0
//
// ParameterIndex: which run has exactly these parameters? A hash table over the runs' assignments,
// which stay with their owner. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

#include "hdrive/value.h"

namespace hdrive::scheduler {

class ParameterIndex {
 public:
  /// The parameters of a run that was added.
  using Lookup = std::function<const Assignment&(std::int64_t run)>;

  /// Runs are added in the order of their numbers; of equal ones the first is kept.
  void add(std::int64_t run, const Lookup& parameters_of);
  std::optional<std::int64_t> find(const Assignment& parameters, const Lookup& parameters_of) const;

 private:
  std::unordered_multimap<std::uint64_t, std::uint32_t> runs_;  ///< by hash of the assignment
};

}  // namespace hdrive::scheduler
