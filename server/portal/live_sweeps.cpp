// SPDX-License-Identifier: Apache-2.0
#include "server/portal/live_sweeps.h"

#include <algorithm>
#include <utility>

namespace hdrive::server::portal {
namespace {

// One of a hundred thousand runs takes tens of megabytes.
constexpr std::size_t kMostKept = 6;

}  // namespace

Result<std::shared_ptr<LiveSweep>> LiveSweeps::get(const std::string& id) {
  const auto directory = sweeps_.directory(id);
  const std::lock_guard lock(mutex_);
  if (!directory) {
    kept_.erase(id);
    return directory.error();
  }
  Kept& kept = kept_[id];
  kept.used = ++uses_;
  // Deleted and made again elsewhere it is another one.
  if (!kept.sweep || kept.sweep->directory() != *directory)
    kept.sweep = std::make_shared<LiveSweep>(*directory, epoch_ + "-" + std::to_string(uses_));
  const auto found = kept.sweep;
  while (kept_.size() > kMostKept) {
    const auto idle =
        std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
          return std::pair(a.second.sweep.use_count() > 1, a.second.used) <
                 std::pair(b.second.sweep.use_count() > 1, b.second.used);
        });
    if (idle->second.sweep.use_count() > 1) break;
    kept_.erase(idle);
  }
  return found;
}

}  // namespace hdrive::server::portal
