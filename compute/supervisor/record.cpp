// SPDX-License-Identifier: Apache-2.0
#include "compute/supervisor/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

namespace hdrive::supervisor {

namespace {

// Out of the way: a file is removed, a directory that is not empty goes to a name of its own.
void clear(const char* name) {
  if (unlink(name) == 0 || rmdir(name) == 0) return;
  char moved[64];
  strncpy(moved, name, 40);
  moved[40] = 0;
  strcat(moved, ".moved");
  if (rename(name, moved) != 0) return;
}

bool take_name(const char* temporary, const char* name) {
  if (rename(temporary, name) == 0) return true;
  if (errno != EISDIR) return false;
  clear(name);
  return rename(temporary, name) == 0;
}

}  // namespace

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
  clear(temporary);
  const int fd = put_into(name, temporary, O_CREAT | O_EXCL);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

int Record::write_claimed(const char* name, const char* claim) {
  const int fd = put_into(name, claim, 0);  // over its blanks, which takes no room
  // What is left of them is harmless: blanks behind JSON.
  if (fd >= 0 && ftruncate(fd, static_cast<off_t>(size_)) != 0) return fd;
  return fd;
}

void Record::number_later(const char* name) {
  key(name);
  later_ = size_;
  put("0         ");  // blanks, for the digits of any pid
}

void Record::fill(int fd, long long value) const {
  Record digits;
  digits.put_digits(value, 1);
  // One call, so that a reader sees it or does not. It is for people: nothing hangs on it.
  if (pwrite(fd, digits.buffer_ + 1, digits.size_ - 1, static_cast<off_t>(later_)) < 0) return;
}

int Record::put_into(const char* name, const char* temporary, int how_to_open) {
  if (!closed_) put("}\n");
  closed_ = true;
  // The program may have put a FIFO or a link there: nothing is waited for, and nothing followed.
  constexpr int kSafely = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  const int fd = open(temporary, O_WRONLY | kSafely | how_to_open, 0600);
  if (fd < 0) return -1;
  errno = ENOSPC;  // what a short write means
  const bool written = ::write(fd, buffer_, size_) == static_cast<ssize_t>(size_);
  int error = errno;
  if (written && take_name(temporary, name)) return fd;
  if (written) error = errno;
  close(fd);
  unlink(temporary);
  errno = error;
  return -1;
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
