// SPDX-License-Identifier: Apache-2.0
//
// Writes the supervisor's two small JSON files, each in one step (docs/run-directory.md describes
// them). Used by the supervisor's one thread; allocates nothing.
#pragma once

#include <stddef.h>

#include "compute/supervisor/protocol.h"

namespace hdrive::supervisor {

/// A flat JSON object, built key by key. Keys and texts must need no escapes.
class Record {
 public:
  Record();
  void number(const char* key, long long value);
  void boolean(const char* key, bool value);
  void text(const char* key, const char* value);
  /// Microseconds, as seconds with a fraction.
  void seconds(const char* key, long long microseconds);

  /// Writes the file into the current directory, replacing an older one. False: it could not, and
  /// errno says why; it may be tried again.
  bool write(const char* name, const char* temporary);
  /// The same where `claim` must exist: it becomes the file. Gives its descriptor; less than zero:
  /// it could not.
  int write_claimed(const char* name, const char* claim);

  /// A number that is 0 until `fill` overwrites it in the file. To replace the whole file once more
  /// would make the file system put it on the disk at once.
  void number_later(const char* key);
  void fill(int fd, long long value) const;

 private:
  void key(const char* key);
  void put(const char* text);
  void put_digits(long long value, int at_least);
  int put_into(const char* name, const char* temporary, int how_to_open);

  char buffer_[compute::protocol::kClaimSize];
  size_t size_ = 0;
  size_t later_ = 0;  // where the number for later is
  bool closed_ = false;
};

}  // namespace hdrive::supervisor
