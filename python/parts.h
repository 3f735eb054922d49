// SPDX-License-Identifier: Apache-2.0
//
// What a sweep is made of, written in Python: samplers, policies, listeners and objectives behind
// hdrive's interfaces. They are called on threads of the engine and take the interpreter lock there.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <mutex>
#include <string>

#include "hdrive/listener.h"
#include "hdrive/policy.h"
#include "hdrive/sampler.h"
#include "hdrive/target.h"

namespace hdrive::python {

namespace nb = nanobind;

/// A Python object that C++ may let go of on any thread.
using Held = std::shared_ptr<nb::object>;
Held hold(nb::object object);

/// What the parts of one sweep share: the first exception that one of them raised, so that whoever
/// runs the sweep can raise from it, and whether one is being called.
class Fault {
 public:
  /// What it says, for people: "ValueError: no such thing".
  std::string keep(nb::python_error& error);
  nb::object exception() const { return exception_ ? *exception_ : nb::object(nb::none()); }

  /// Lives while a part of this sweep is called on this thread.
  class Calling {
   public:
    explicit Calling(const Fault& fault);
    ~Calling();
    Calling(const Calling&) = delete;
    Calling& operator=(const Calling&) = delete;
  };
  /// Whether this thread is in such a call: what waits for the sweep would wait for itself.
  bool is_calling() const;

 private:
  Held exception_;
};

/// `object.propose(history, run)` gives parameters, or None where there is nothing left, or a pair
/// of that and a sentence why. `space`: what a proposal has to lie in.
std::shared_ptr<Sampler> make_python_sampler(nb::object object, SearchSpace space,
                                             std::shared_ptr<Fault> fault);
/// `object.judge(run, history)` gives whether to stop, or a pair of that and a sentence why.
std::shared_ptr<const Policy> make_python_policy(nb::object object, std::shared_ptr<Fault> fault);
/// `object.on_change(kind, facts)`.
std::shared_ptr<Listener> make_python_listener(nb::object object, std::shared_ptr<Fault> fault);

/// What an objective sees of its run; usable from several threads, and after the run is over, when
/// reports raise.
class RunHandle {
 public:
  explicit RunHandle(RunContext& run);

  RunId run() const { return run_; }
  int attempt() const { return attempt_; }
  int slot() const { return slot_; }
  std::string directory() const { return directory_; }
  const Assignment& parameters() const { return parameters_; }

  /// False: the run is over. The interpreter lock must not be held.
  bool report(const std::string& name, double value, std::optional<std::int64_t> step);
  /// Whether the run goes on. The interpreter lock must not be held.
  bool await_verdict();
  bool stop_requested();
  void end();

 private:
  std::mutex mutex_;
  RunContext* context_;
  RunId run_;
  int attempt_, slot_;
  std::string directory_;
  Assignment parameters_;
};

/// Calls `object(handle)`; an exception fails the run with its traceback, hdrive.RunStopped ends it
/// as asked.
Objective make_python_objective(nb::object object);

}  // namespace hdrive::python
