// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

#include "base/file.h"

namespace hdrive::test {

/// Takes all descriptors but `left` until it goes.
class FewDescriptors {
 public:
  explicit FewDescriptors(std::size_t left = 0) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 128;
    ::setrlimit(RLIMIT_NOFILE, &few);
    // Programs that are started have none of them.
    const auto next = [] { return ::fcntl(0, F_DUPFD_CLOEXEC, 0); };
    for (int fd = next(); fd >= 0; fd = next()) taken_.emplace_back(fd);
    taken_.resize(taken_.size() - left);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
  std::vector<base::UniqueFd> taken_;
};

}  // namespace hdrive::test
