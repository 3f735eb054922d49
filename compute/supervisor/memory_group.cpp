// SPDX-License-Identifier: Apache-2.0
#include "compute/supervisor/memory_group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <initializer_list>

namespace hdrive::supervisor {

// 0 is whoever writes.
bool join_group(const char* group) {
  if (!*group) return true;
  char path[512];
  snprintf(path, sizeof path, "%s/cgroup.procs", group);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  const bool joined = fd >= 0 && write(fd, "0", 1) == 1;
  const int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return joined;
}

// "oom_kill 1" in a file of either version.
long long killed_for_memory(const char* group) {
  char path[512], text[1024];
  for (const char* name : {"memory.events", "memory.oom_control"}) {
    snprintf(path, sizeof path, "%s/%s", group, name);
    const int fd = *group ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) continue;
    const ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = 0;
    if (const char* found = strstr(text, "oom_kill ")) return atoll(found + strlen("oom_kill "));
  }
  return 0;
}

}  // namespace hdrive::supervisor
