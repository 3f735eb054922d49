// SPDX-License-Identifier: Apache-2.0
//
// What sweeps take on disk, measured in the background: counting a million files takes minutes, for which no list waits.
// Any thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "hdrive/clock.h"
#include "hdrive/housekeeping.h"
#include "server/portal/workers.h"

namespace hdrive::server::portal {

class Sizes {
 public:
  explicit Sizes(std::shared_ptr<Clock> clock) : clock_(std::move(clock)) {}

  /// As it was last measured; nothing: it is being measured for the first time. It is measured again where `state` is
  /// another one than then, and of a `live` sweep from time to time.
  std::optional<DiskUse> get(const std::filesystem::path& directory, const std::string& state,
                             bool live);
  void forget(const std::filesystem::path& directory);

 private:
  struct Known {
    std::optional<DiskUse> use;
    std::string state;  // when it was last asked to be measured
    bool measuring = false;
    Time again{};  // of a live one
  };
  void measure(const std::filesystem::path& directory);

  const std::shared_ptr<Clock> clock_;
  std::mutex mutex_;
  std::map<std::filesystem::path, Known> known_;
  Workers worker_{1};  // last: what it does uses all of the above
};

}  // namespace hdrive::server::portal
