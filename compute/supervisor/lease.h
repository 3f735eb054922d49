// SPDX-License-Identifier: Apache-2.0
//
// The lease that a run on another machine holds to: until when its engine is sure to count it as
// alive. Used by the supervisor's one thread; allocates nothing.
#pragma once

namespace hdrive::supervisor {

/// A file with one number, the lease's end in microseconds of CLOCK_BOOTTIME, which goes on while
/// the machine sleeps. The agent replaces it while the engine is there. It lies in memory (/dev/shm):
/// no disk and no file server keeps its reader waiting.
class Lease {
 public:
  /// `path` may be empty: there is none then, and it is never over.
  explicit Lease(const char* path) : path_(path) {}
  bool is_given() const { return *path_ != 0; }
  /// Reads the file. Where it cannot be read, what it said last counts; never read: it is over.
  bool is_over();

 private:
  const char* path_;
  long long end_ = 0;
};

}  // namespace hdrive::supervisor
