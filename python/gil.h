// SPDX-License-Identifier: Apache-2.0
//
// Unlocked: gives the interpreter lock away for as long as it lives.
//
// As nanobind's gil_scoped_release, but for the end of the interpreter: before Python 3.14 a thread
// that wants the lock back then is ended by an unwinding that no C++ frame survives, which aborts the
// process. Such a thread, a daemon's, stands still here instead, as it does from 3.14 on.
#pragma once

#include <nanobind/nanobind.h>

namespace hdrive::python {

/// From here on no thread gets the interpreter lock back: the last thing before the interpreter ends.
void interpreter_ends();

class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) {}
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* state_;
};

}  // namespace hdrive::python
