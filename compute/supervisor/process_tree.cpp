// SPDX-License-Identifier: Apache-2.0
#include "compute/supervisor/process_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace hdrive::supervisor {
namespace {

struct Process {
  pid_t pid, parent, group;
  char state;
  bool ours;
};

// Static memory costs nothing until it is touched.
constexpr int kMostProcesses = 1 << 18;
constexpr int kMostPids = 1 << 22;  // the kernel's own limit
Process table[kMostProcesses];
int table_size;
unsigned char terminated[kMostPids / 8];

// The text of /proc/<name>/stat after the program's name (which may hold anything): " S 1 2 ...".
// `buffer` keeps it.
const char* read_stat(const char* name, char* buffer, size_t size) {
  char path[64] = "/proc/";
  strncat(path, name, 20);
  strcat(path, "/stat");
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  const ssize_t count = read(fd, buffer, size - 1);
  close(fd);
  if (count <= 0) return nullptr;
  buffer[count] = 0;
  const char* end = strrchr(buffer, ')');
  return end ? end + 1 : nullptr;
}

void add(const char* name) {
  char buffer[1024];
  const char* text = read_stat(name, buffer, sizeof buffer);
  if (!text || strlen(text) < 4 || table_size == kMostProcesses) return;
  Process& process = table[table_size++];
  process.pid = atoi(name);
  process.state = text[1];
  char* next = nullptr;
  process.parent = static_cast<pid_t>(strtol(text + 2, &next, 10));
  process.group = static_cast<pid_t>(strtol(next, &next, 10));
  process.ours = false;
}

struct DirectoryEntry {
  unsigned long long inode;
  long long offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

// Calls `take` with each name in the directory that is a number. Closes it.
template <class Take>
void for_each_number(int directory, const Take& take) {
  if (directory < 0) return;
  alignas(DirectoryEntry) char buffer[16384];
  while (true) {
    const long count = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (count <= 0) break;
    for (long at = 0; at < count;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
      if (entry->name[0] >= '1' && entry->name[0] <= '9') take(entry->name);
      at += entry->length;
    }
  }
  close(directory);
}

// ---- what lies below, child by child ------------------------------------------------------------

// "12 345 6789 ", of any length; a number may be cut in two between two readings.
void add_listed(int fd) {
  char buffer[4096], name[16];
  size_t length = 0;
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count <= 0) break;
    for (ssize_t i = 0; i < count; ++i) {
      if (buffer[i] >= '0' && buffer[i] <= '9') {
        if (length < sizeof name - 1) name[length++] = buffer[i];
      } else if (length > 0) {
        name[length] = 0;
        add(name);
        length = 0;
      }
    }
  }
  close(fd);
}

// A child hangs below the thread that forked it.
void add_children(const char* process) {
  char path[64] = "/proc/";
  strncat(path, process, 20);
  strcat(path, "/task");
  const int tasks = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for_each_number(tasks, [&](const char* thread) {
    char file[40];
    strncpy(file, thread, 20);
    file[20] = 0;
    strcat(file, "/children");
    const int fd = openat(tasks, file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) add_listed(fd);
  });
}

// Without CONFIG_PROC_CHILDREN the kernel does not list children.
bool lists_children() {
  static int listed = -1;
  if (listed < 0) listed = access("/proc/thread-self/children", R_OK) == 0;
  return listed > 0;
}

void walk_down() {
  table_size = 0;
  add_children("self");
  for (int i = 0; i < table_size; ++i) {
    table[i].ours = true;
    char name[16];
    char* end = name + sizeof name - 1;
    *end = 0;
    for (pid_t rest = table[i].pid; rest > 0; rest /= 10)
      *--end = static_cast<char>('0' + rest % 10);
    add_children(end);
  }
}

// ---- or in the table of all processes -----------------------------------------------------------

void read_processes() {
  table_size = 0;
  for_each_number(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), add);
}

// /proc lists pids in ascending order.
const Process* find(pid_t pid) {
  int low = 0, high = table_size;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (table[middle].pid < pid)
      low = middle + 1;
    else
      high = middle;
  }
  return low < table_size && table[low].pid == pid ? &table[low] : nullptr;
}

// Marks the descendants. A child has a higher pid than its parent, except where pids wrapped
// around: then it takes another pass.
void search_all() {
  read_processes();
  const pid_t self = getpid();
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = 0; i < table_size; ++i) {
      Process& process = table[i];
      if (process.ours || process.pid <= 1) continue;
      const Process* parent = process.parent == self ? nullptr : find(process.parent);
      process.ours = process.parent == self || (parent && parent->ours);
      changed = changed || process.ours;
    }
  }
}

void find_descendants() {
  if (lists_children())
    walk_down();
  else
    search_all();
}

bool alive(const Process& process) { return process.state != 'Z' && process.state != 'X'; }

bool first_time(pid_t pid) {
  if (pid >= kMostPids) return true;
  unsigned char& byte = terminated[pid / 8];
  const auto bit = static_cast<unsigned char>(1 << (pid % 8));
  const bool first = (byte & bit) == 0;
  byte = static_cast<unsigned char>(byte | bit);
  return first;
}

}  // namespace

int terminate_descendants() {
  // Again for what was forked while looking; a bomb outruns this, and meets SIGKILL later.
  constexpr int kPasses = 4;
  int total = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    int found = 0;
    find_descendants();
    for (int i = 0; i < table_size; ++i) {
      const Process& process = table[i];
      if (!process.ours || !alive(process) || !first_time(process.pid)) continue;
      kill(process.pid, SIGTERM);
      kill(process.pid, SIGCONT);
      ++found;
    }
    total += found;
    if (found == 0) break;
  }
  return total;
}

void kill_descendants() {
  find_descendants();
  const pid_t own_group = getpgrp();
  pid_t last_group = 0;
  for (int i = 0; i < table_size; ++i) {
    const Process& process = table[i];
    if (!process.ours || !alive(process)) continue;
    // A signal to a group reaches even what is being forked. Our descendants' groups are theirs
    // alone: none can join a group of another session, and ours began with us.
    if (process.group > 1 && process.group != own_group && process.group != last_group) {
      last_group = process.group;
      kill(-process.group, SIGKILL);
    }
    kill(process.pid, SIGKILL);
  }
}

bool looking_is_cheap() { return lists_children(); }

long long own_start_time() {
  char buffer[1024];
  const char* text = read_stat("self", buffer, sizeof buffer);
  // `text` begins before field 3.
  for (int field = 2; text && field < 22; ++field) {
    text = strchr(text, ' ');
    if (text) ++text;
  }
  return text ? atoll(text) : 0;
}

long long own_pid_namespace() {
  char text[64];
  const ssize_t length = readlink("/proc/self/ns/pid", text, sizeof text - 1);
  if (length <= 0) return 0;
  text[length] = 0;
  const char* number = strchr(text, '[');
  return number ? atoll(number + 1) : 0;
}

}  // namespace hdrive::supervisor
