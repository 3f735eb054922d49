// SPDX-License-Identifier: Apache-2.0
#include "compute/supervisor/lease.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

namespace hdrive::supervisor {

bool Lease::is_over() {
  if (!is_given()) return false;
  char text[32] = {};
  const int fd = open(path_, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) end_ = atoll(text);
  if (fd >= 0) close(fd);
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000 >= end_;
}

}  // namespace hdrive::supervisor
