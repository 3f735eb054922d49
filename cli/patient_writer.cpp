// SPDX-License-Identifier: Apache-2.0
#include "cli/patient_writer.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/text.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace hdrive::cli {
namespace {

constexpr std::size_t kMostKept = std::size_t{4} << 20;
// A pipe that says it can be written has room for 4 kB, a terminal for less.
constexpr std::size_t kAtOnce = 512;

bool takes_some(int fd) {
  pollfd writable{fd, POLLOUT, 0};
  return ::poll(&writable, 1, 0) == 1;
}

}  // namespace

void PatientWriter::add(std::string_view lines) {
  flush();
  if (kept_.size() >= kMostKept) {
    left_out_ += std::count(lines.begin(), lines.end(), '\n');
    return;
  }
  tell_left_out();
  kept_ += printable_text(labelled(lines));
  flush();
}

void PatientWriter::flush() {
  std::size_t written = 0;
  while (written < kept_.size() && takes_some(fd_)) {
    const ssize_t count =
        ::write(fd_, kept_.data() + written, std::min(kAtOnce, kept_.size() - written));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    // A reader that went away, a full disk: what is shown is not what is kept of a sweep.
    written = count < 0 ? kept_.size() : written + static_cast<std::size_t>(count);
  }
  kept_.erase(0, written);
}

void PatientWriter::finish() {
  tell_left_out();
  write_all(fd_, kept_);
  kept_.clear();
}

void PatientWriter::tell_left_out() {
  if (left_out_ > 0)
    kept_ += fmt::format("({} left out, since nobody read them)\n",
                         base::plural(std::exchange(left_out_, 0), "line"));
}

}  // namespace hdrive::cli
