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
#include "hdrive/sweep.h"
#include "hdrive/target.h"
#include "python/errors.h"
#include "python/gil.h"
#include "python/kept_sweep.h"

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

/// The parts of a sweep that are written in Python.
struct CustomParts {
  /// `propose(history, run)` gives parameters that lie in the space, or None where there is nothing
  /// left, or a pair of that and a sentence why. None: the sampler that is configured.
  nb::object sampler;
  /// `judge(run, history)` gives whether to stop, or a pair of that and a sentence why. None: the
  /// policy that is configured.
  nb::object policy;
  /// `on_change(kind, facts)` each.
  nb::list listeners;

  void put_into(SweepParts& parts, const SearchSpace& space,
                const std::shared_ptr<Fault>& fault) const;
};

/// What `begin` makes of all that goes on with the sweep needs: parts, a specification. Where it
/// throws, the sweep is released.
template <class Begin>
auto going_on(KeptSweep& sweep, const CustomParts& custom, const std::shared_ptr<Fault>& fault,
              Begin begin) {
  const SweepSpec spec = value_or_raise(sweep.spec());
  SweepParts parts = value_or_raise(unlocked([&] { return sweep.acquire(); }));
  try {
    custom.put_into(parts, spec.space, fault);
    return begin(spec, parts);
  } catch (...) {
    unlocked([&] { parts = {}; });
    sweep.release();
    throw;
  }
}

/// What an objective sees of its run; usable from several threads, and after the run is over, when
/// reports raise.
class RunHandle {
 public:
  explicit RunHandle(RunContext& run);

  RunId run() const { return run_; }
  int attempt() const { return attempt_; }
  int slot() const { return slot_; }
  std::string directory() const { return directory_; }
  std::string resume_from() const { return resume_from_; }
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
  std::string directory_, resume_from_;
  Assignment parameters_;
};

/// Calls `object(handle)`; an exception fails the run with its traceback, hdrive.RunStopped ends it
/// as asked.
Objective make_python_objective(nb::object object);

}  // namespace hdrive::python
