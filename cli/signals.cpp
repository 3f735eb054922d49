// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>

#include "cli/command.h"

namespace hdrive::cli {
namespace {

// A blocked signal is delivered even where it is set to be ignored, hence the check.
sigset_t stopping_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction current {};
    sigaction(signal, nullptr, &current);
    if (current.sa_handler != SIG_IGN) sigaddset(&set, signal);
  }
  return set;
}

void watch(int signals, int done, StopSignal stop) {
  while (true) {
    pollfd fds[] = {{signals, POLLIN, 0}, {done, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if ((fds[1].revents & POLLIN) != 0) return;
    signalfd_siginfo info;
    if ((fds[0].revents & POLLIN) == 0 || read(signals, &info, sizeof info) != sizeof info)
      continue;
    // A terminal that closes says so more than once: the shell, and then the system. Nobody asked
    // twice.
    if (info.ssi_signo != SIGHUP || stop.level() == 0) stop.request();
  }
}

}  // namespace

SignalWatcher::SignalWatcher(StopSignal stop) {
  struct sigaction drop {};
  drop.sa_handler = [](int) {};
  drop.sa_flags = SA_RESTART;
  sigaction(SIGPIPE, &drop, nullptr);
  const sigset_t set = stopping_signals();
  pthread_sigmask(SIG_BLOCK, &set, &before_);
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  done_.reset(eventfd(0, EFD_CLOEXEC));
  if (!signals_ || !done_)
    fail(kCannot, std::string("cannot listen to signals: ") + std::strerror(errno));
  thread_ = std::thread(watch, signals_.get(), done_.get(), std::move(stop));
}

SignalWatcher::~SignalWatcher() {
  const std::uint64_t one = 1;
  if (::write(done_.get(), &one, sizeof one) == sizeof one) thread_.join();
  // What came in the last moment was meant for what is over.
  const sigset_t set = stopping_signals();
  const timespec at_once{};
  while (sigtimedwait(&set, nullptr, &at_once) > 0) continue;
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace hdrive::cli
