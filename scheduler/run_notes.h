// SPDX-License-Identifier: Apache-2.0
//
// What a sweep's state keeps of each run beside its record, small: a sweep may have 100,000 runs,
// and nearly all of them log the same few metrics and have one verdict. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "hdrive/state.h"

namespace hdrive::scheduler {

/// A set of numbers that is nearly always tiny, and may be large.
class SmallSet {
 public:
  void insert(std::uint32_t number);
  bool contains(std::uint32_t number) const;
  std::vector<std::uint32_t> numbers() const;

 private:
  std::array<std::uint32_t, 3> few_{};
  std::uint32_t count_ = 0;                                  ///< of few_
  std::unique_ptr<std::unordered_set<std::uint32_t>> many_;  ///< all of them, once there are more
};

/// A verdict and its sentence in one allocation.
class KeptVerdict {
 public:
  KeptVerdict() = default;
  KeptVerdict(const Verdict& verdict, const std::string& reason);

  explicit operator bool() const { return bytes_ != nullptr; }
  SweepState::Judged get() const;

 private:
  struct Head;
  std::unique_ptr<char[]> bytes_;
};

}  // namespace hdrive::scheduler
