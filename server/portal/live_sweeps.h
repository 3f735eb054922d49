// SPDX-License-Identifier: Apache-2.0
//
// The sweeps that pages look at, one LiveSweep each, kept for a while. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "server/portal/live_sweep.h"
#include "server/portal/sweeps.h"

namespace hdrive::server::portal {

class LiveSweeps {
 public:
  LiveSweeps(Sweeps& sweeps, std::string epoch) : sweeps_(sweeps), epoch_(std::move(epoch)) {}

  /// Error::Kind::not_found where there is no such sweep.
  Result<std::shared_ptr<LiveSweep>> get(const std::string& id);

 private:
  Sweeps& sweeps_;
  const std::string epoch_;
  std::mutex mutex_;
  struct Kept {
    std::shared_ptr<LiveSweep> sweep;
    std::uint64_t used = 0;
  };
  std::map<std::string, Kept> kept_;
  std::uint64_t uses_ = 0;
};

}  // namespace hdrive::server::portal
