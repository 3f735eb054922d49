// SPDX-License-Identifier: Apache-2.0
#include "scheduler/store_health.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"

namespace hdrive::scheduler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kStoreRetry{1};
constexpr milliseconds kRetryWhenLocked{50};
// A lock this short is everyday life: nobody is told.
constexpr seconds kLockTold{1};
// How long what does not pass by itself is tried again; and, at the end, what
// does.
constexpr seconds kStorePatience{10};
constexpr seconds kPatienceAtTheEnd{20};

}  // namespace

std::optional<std::string> StoreHealth::failed(const Error& error, Time now, std::int64_t live) {
  if (!std::exchange(failing_, true)) failing_since_ = now;
  error_ = error;
  tried_at_ = now;
  if (told_ || (error.kind == Error::Kind::busy && now < failing_since_ + kLockTold))
    return std::nullopt;
  told_ = true;
  return fmt::format("the store cannot be written, so no new runs are started ({} on); {}: {}",
                     live == 1 ? "1 run goes" : fmt::format("{} runs go", live),
                     passes_by_itself(error.kind) ? "the sweep goes on by itself as soon as it can"
                                                  : "it is tried again for some seconds",
                     error.message());
}

std::optional<std::string> StoreHealth::works(Time now) {
  failing_ = false;
  if (!std::exchange(told_, false)) return std::nullopt;
  const auto lasted = std::chrono::ceil<seconds>(Duration{now - failing_since_}).count();
  return fmt::format("the store could not be written for {}, and no new runs were started: {}",
                     base::plural(lasted, "second"), error_.message());
}

bool StoreHealth::is_hopeless(Time now, bool is_last, bool in_a_hurry) const {
  if (!failing_) return false;
  const Duration lasted = now - failing_since_;
  if (error_.kind == Error::Kind::damaged || error_.kind == Error::Kind::invalid) return true;
  if (error_.kind == Error::Kind::busy)
    return is_last && (in_a_hurry || lasted >= kPatienceAtTheEnd);
  if (passes_by_itself(error_.kind)) return is_last;
  return is_last || lasted >= kStorePatience;
}

Duration StoreHealth::retry() const {
  return error_.kind == Error::Kind::busy ? Duration{kRetryWhenLocked} : Duration{kStoreRetry};
}

}  // namespace hdrive::scheduler
