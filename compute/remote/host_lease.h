// SPDX-License-Identifier: Apache-2.0
//
// The lease that an agent's runs hold to (compute/supervisor/lease.h). The engine grants it anew
// while it is connected. What is granted is counted from the moment the agent asked for it, by the
// clock of this machine: however late the grant arrives, the lease ends no later than the engine
// believes, and no two clocks are ever compared.
#pragma once

#include <cstdint>
#include <filesystem>

#include "hdrive/clock.h"
#include "hdrive/result.h"

namespace hdrive::compute::remote {

/// Microseconds since this machine started, also those in which it slept.
std::int64_t time_since_boot();

class HostLease {
 public:
  HostLease() = default;
  /// The lease of the runs below this directory.
  explicit HostLease(const std::filesystem::path& runs);

  const std::filesystem::path& file() const { return file_; }
  /// Sets its end, a time since boot.
  Result<void> set(std::int64_t end) const;
  /// Makes it last for ever, if there is one: the engine no longer counts runs as lost.
  Result<void> lift() const;
  /// Supervisors that have read it go by what it said.
  void remove() const;

 private:
  std::filesystem::path file_;
};

}  // namespace hdrive::compute::remote
