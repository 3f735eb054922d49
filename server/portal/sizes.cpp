// SPDX-License-Identifier: Apache-2.0
#include "server/portal/sizes.h"

#include <algorithm>
#include <chrono>

namespace hdrive::server::portal {
namespace {

// So that the end of the server waits for seconds at most: more are told as "at least so much".
constexpr std::int64_t kMostEntries = 500'000;
constexpr std::chrono::seconds kBetweenCounts{10};
// Counting takes a fiftieth of the time at most.
constexpr int kRestOfCounting = 50;

}  // namespace

std::optional<DiskUse> Sizes::get(const std::filesystem::path& directory, const std::string& state,
                                  bool live) {
  const std::lock_guard lock(mutex_);
  Known& known = known_[directory];
  const bool changed = known.state != state || !known.use;
  const bool due = live ? clock_->now() >= known.again : changed;
  if (due && !known.measuring) {
    known.measuring = true;
    known.state = state;
    worker_.run([this, directory] { measure(directory); });
  }
  return known.use;
}

void Sizes::forget(const std::filesystem::path& directory) {
  const std::lock_guard lock(mutex_);
  known_.erase(directory);
}

void Sizes::measure(const std::filesystem::path& directory) {
  const Time began = clock_->now();
  const DiskUse use = disk_use(directory, kMostEntries);
  const Time ended = clock_->now();
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(directory);
  if (known == known_.end()) return;
  known->second.use = use;
  known->second.measuring = false;
  known->second.again =
      ended + std::max<Duration>(kBetweenCounts, kRestOfCounting * (ended - began));
}

}  // namespace hdrive::server::portal
