// SPDX-License-Identifier: Apache-2.0
//
// Where a target waits for what it has asked others: descriptors, each with a mark, and who wakes it.
// One thread; `wake` from any.
#pragma once

#include <cstdint>
#include <set>

#include "base/file.h"
#include "hdrive/clock.h"

namespace hdrive::compute {

class WaitPoint {
 public:
  /// `what` is watched, for the message: "commands".
  Result<void> open(const char* what);
  /// Something to read there ends a wait. The highest mark is taken.
  Result<void> watch(int fd, std::uint64_t mark);
  /// Readable as soon as a wait would end.
  int descriptor() const { return epoll_.get(); }
  void wake() const;
  /// The marks of what is ready now, or within this time. It may be over a little later, and not
  /// before.
  std::set<std::uint64_t> wait(Duration longest);

 private:
  const char* what_ = "";
  base::UniqueFd epoll_, wake_;
};

}  // namespace hdrive::compute
