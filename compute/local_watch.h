// SPDX-License-Identifier: Apache-2.0
//
// What the two halves of the local target agree on.
#pragma once

#include <cstdint>

namespace hdrive::compute {

// epoll's marks for what is not a run.
constexpr std::uint64_t kPipeMark = ~0ULL, kInotifyMark = ~1ULL, kWakeMark = ~2ULL;

}  // namespace hdrive::compute
