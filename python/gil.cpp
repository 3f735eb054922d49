// SPDX-License-Identifier: Apache-2.0
#include "python/gil.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace hdrive::python {
namespace {

std::atomic<bool> ends{false};
std::atomic<std::thread::id> ending_thread{};
std::atomic<int> coming_back{0};  // threads that wait for the lock

}  // namespace

void interpreter_ends() {
  ending_thread = std::this_thread::get_id();
  ends = true;
  // Those that had asked for the lock before get it now: afterwards it would be their end.
  PyThreadState* const state = PyEval_SaveThread();
  for (int turn = 0; coming_back > 0 && turn < 5000; ++turn)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  PyEval_RestoreThread(state);
}

Unlocked::~Unlocked() {
  ++coming_back;
  if (ends && ending_thread.load() != std::this_thread::get_id()) {
    --coming_back;
    for (;;) ::pause();
  }
  PyEval_RestoreThread(state_);
  --coming_back;
}

}  // namespace hdrive::python
