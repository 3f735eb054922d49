// SPDX-License-Identifier: Apache-2.0
//
// ParameterIndex: which run has exactly these parameters? A hash table over the runs' assignments,
// which stay with their owner. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

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
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t run = kFree;
  };
  static constexpr std::uint32_t kFree = ~std::uint32_t{0};

  void grow();
  std::size_t place(std::uint32_t hash, std::size_t step) const;

  std::vector<Slot> slots_;  ///< open addressing; a power of two, at most 3/4 of them taken
  std::size_t taken_ = 0;
};

}  // namespace hdrive::scheduler
