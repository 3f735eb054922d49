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

/// Calls `end`, which ends what runs, as the interpreter is about to; from then on no other thread
/// gets the lock back. Ctrl-C meanwhile, before the first instruction of `end` too, ends the process.
void end_interpreter(const nanobind::callable& end);

class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) {}
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* state_;
};

/// What `call` gives, made without the lock.
template <class Call>
auto unlocked(Call call) {
  const Unlocked release;
  return call();
}

}  // namespace hdrive::python
