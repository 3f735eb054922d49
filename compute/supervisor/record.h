// SPDX-License-Identifier: Apache-2.0
//
// Writes the supervisor's two small JSON files, each in one step (docs/run-directory.md describes them).
// Used by the supervisor's one thread; allocates nothing.
#pragma once

#include <stddef.h>

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

  /// Writes the file into the current directory, replacing an older one. False: it could not, and errno
  /// says why; it may be tried again.
  bool write(const char* name, const char* temporary);
  /// The same where `claim` must exist: it becomes the file.
  bool write_claimed(const char* name, const char* claim);

 private:
  void key(const char* key);
  void put(const char* text);
  void put_digits(long long value, int at_least);
  bool put_into(const char* name, const char* temporary, int more_flags);

  char buffer_[1024];
  size_t size_ = 0;
  bool closed_ = false;
};

}  // namespace hdrive::supervisor
