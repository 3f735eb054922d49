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

void no_thread_comes_back() {
  ending_thread = std::this_thread::get_id();
  ends = true;
  // Those that had asked for the lock before get it now: afterwards it would be their end.
  PyThreadState* const state = PyEval_SaveThread();
  for (int turn = 0; coming_back > 0 && turn < 5000; ++turn)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  PyEval_RestoreThread(state);
}

[[noreturn]] void end_process() {
  for (const char* const name : {"stdout", "stderr"}) {
    PyObject* const stream = PySys_GetObject(name);
    if (stream && !PyObject_CallMethod(stream, "flush", nullptr)) PyErr_Clear();
  }
  ::_exit(130);
}

}  // namespace

void end_interpreter(const nanobind::callable& end) {
  try {
    end();
  } catch (const nanobind::python_error& error) {
    if (error.matches(PyExc_KeyboardInterrupt)) end_process();
    no_thread_comes_back();
    throw;
  }
  no_thread_comes_back();
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
