// SPDX-License-Identifier: Apache-2.0
#include "hdrive/stop_signal.h"

#include <array>
#include <mutex>

namespace hdrive {

struct StopSignal::Shared {
  mutable std::mutex mutex;
  int level = 0;
  std::array<std::stop_source, 2> sources;  // requested when the level reaches 1, 2
};

StopSignal::StopSignal() : shared_(std::make_shared<Shared>()) {}

void StopSignal::request() {
  int reached = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->level == 2) return;
    reached = ++shared_->level;
  }
  // Outside the lock: a stop callback may ask for the level.
  shared_->sources[static_cast<std::size_t>(reached) - 1].request_stop();
}

int StopSignal::level() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->level;
}

std::stop_token StopSignal::token(int level) const {
  if (level < 0 || level > 1) return {};
  return shared_->sources[static_cast<std::size_t>(level)].get_token();
}

}  // namespace hdrive
