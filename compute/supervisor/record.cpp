// SPDX-License-Identifier: Apache-2.0
#include "compute/supervisor/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

namespace hdrive::supervisor {

Record::Record() { put("{"); }

void Record::number(const char* name, long long value) {
  key(name);
  if (value < 0) put("-");
  put_digits(value < 0 ? -value : value, 1);
}

void Record::boolean(const char* name, bool value) {
  key(name);
  put(value ? "true" : "false");
}

void Record::text(const char* name, const char* value) {
  key(name);
  put("\"");
  put(value);
  put("\"");
}

void Record::seconds(const char* name, long long microseconds) {
  key(name);
  put_digits(microseconds / 1000000, 1);
  put(".");
  put_digits(microseconds % 1000000, 6);
}

bool Record::write(const char* name, const char* temporary) {
  return put_into(name, temporary, O_CREAT);
}

bool Record::write_claimed(const char* name, const char* claim) { return put_into(name, claim, 0); }

bool Record::put_into(const char* name, const char* temporary, int more_flags) {
  if (!closed_) put("}\n");
  closed_ = true;
  const int fd = open(temporary, O_WRONLY | O_TRUNC | O_CLOEXEC | more_flags, 0644);
  if (fd < 0) return false;
  errno = ENOSPC;  // what a short write means
  const bool written = ::write(fd, buffer_, size_) == static_cast<ssize_t>(size_);
  int error = errno;
  close(fd);
  if (written && rename(temporary, name) == 0) return true;
  if (written) error = errno;
  unlink(temporary);
  errno = error;
  return false;
}

void Record::key(const char* name) {
  put(size_ > 1 ? ", \"" : "\"");
  put(name);
  put("\": ");
}

void Record::put(const char* text) {
  const size_t length = strlen(text);
  if (size_ + length > sizeof buffer_) return;
  memcpy(buffer_ + size_, text, length);
  size_ += length;
}

void Record::put_digits(long long value, int at_least) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0 || count < at_least);
  char text[24];
  for (int i = 0; i < count; ++i) text[i] = digits[count - 1 - i];
  text[count] = 0;
  put(text);
}

}  // namespace hdrive::supervisor
