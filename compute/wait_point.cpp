// SPDX-License-Identifier: Apache-2.0
#include "compute/wait_point.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace hdrive::compute {
namespace {

constexpr std::uint64_t kWokenUp = ~0ULL;
constexpr Duration kLongestPause = std::chrono::hours{1};

}  // namespace

Result<void> WaitPoint::open(const char* what) {
  what_ = what;
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return base::system_error("", std::string("prepare to watch ") + what_, errno);
  return watch(wake_.get(), kWokenUp);
}

Result<void> WaitPoint::watch(int fd, std::uint64_t mark) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = mark;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return base::system_error("", std::string("prepare to watch ") + what_, errno);
}

void WaitPoint::wake() const {
  const std::uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) < 0) return;  // full: it wakes already
}

std::set<std::uint64_t> WaitPoint::wait(Duration longest) {
  constexpr int kMost = 64;  // what is left is ready in the next wait
  epoll_event happened[kMost];
  longest = std::clamp(longest, Duration{0}, kLongestPause);
  const auto timeout = static_cast<int>((longest.count() + 999) / 1000);
  const int count = ::epoll_wait(epoll_.get(), happened, kMost, timeout);
  std::set<std::uint64_t> ready;
  for (int i = 0; i < count; ++i) {
    std::uint64_t ignored = 0;
    if (happened[i].data.u64 != kWokenUp)
      ready.insert(happened[i].data.u64);
    else if (::read(wake_.get(), &ignored, sizeof ignored) < 0)
      continue;
  }
  return ready;
}

}  // namespace hdrive::compute
