// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/ask_tell.h. Calls of several threads take turns.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <utility>

#include "hdrive/ask_tell.h"
#include "python/bind.h"
#include "python/convert.h"
#include "python/errors.h"
#include "python/gil.h"
#include "python/kept_sweep.h"
#include "python/parts.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

class Asking {
 public:
  Asking(std::shared_ptr<KeptSweep> sweep, AskTell study, std::shared_ptr<Fault> fault)
      : sweep_(std::move(sweep)),
        study_(std::make_unique<AskTell>(std::move(study))),
        fault_(std::move(fault)),
        process_(::getpid()) {}
  ~Asking() {
    if (process_ != ::getpid()) {  // what is open is the other process's to close
      static_cast<void>(study_.release());
      return;
    }
    Unlocked release;
    static_cast<void>(shut());  // nobody is left to be told
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  // What `call(study)` gives, while the interpreter goes on.
  template <class Call>
  auto with(Call call) {
    if (process_ != ::getpid())
      raise("HdriveError", "this sweep was opened by process " + std::to_string(process_) +
                               ", of which this one is a fork; only that one may ask and tell");
    if (fault_->is_calling())
      raise("HdriveError",
            "a sampler, policy or listener cannot ask or tell its own sweep, which waits for it");
    std::optional<decltype(call(*study_))> result;
    {
      Unlocked release;
      const std::lock_guard lock(mutex_);
      if (study_) result = call(*study_);
    }
    if (!result) raise("HdriveError", "the sweep was closed; it takes no more");
    return *std::move(result);
  }

  void close() {
    if (process_ != ::getpid()) return;  // what is open is the other process's to close
    if (fault_->is_calling())
      raise("HdriveError",
            "a sampler, policy or listener cannot close its own sweep, which waits for it");
    Result<void> closed;
    {
      Unlocked release;
      closed = shut();
    }
    ok_or_raise(closed);
  }

  nb::object exception() const { return fault_->exception(); }

 private:
  Result<void> shut() {
    const std::lock_guard lock(mutex_);
    if (!study_) return {};
    Result<void> closed = study_->close();
    study_.reset();
    sweep_->release();
    return closed;
  }

  std::shared_ptr<KeptSweep> sweep_;
  std::mutex mutex_;
  std::unique_ptr<AskTell> study_;
  std::shared_ptr<Fault> fault_;
  pid_t process_;
};

std::unique_ptr<Asking> open(std::shared_ptr<KeptSweep> sweep, nb::object sampler,
                             nb::object policy, nb::list listeners) {
  const auto fault = std::make_shared<Fault>();
  const CustomParts custom{std::move(sampler), std::move(policy), std::move(listeners)};
  return going_on(*sweep, custom, fault, [&](const SweepSpec& spec, SweepParts& parts) {
    auto study = value_or_raise(unlocked([&] {
      auto opened = AskTell::open(spec, parts);
      parts = {};
      if (opened) opened->retry_open();
      return opened;
    }));
    return std::make_unique<Asking>(sweep, std::move(study), fault);
  });
}

// (run or None, parameters, reason, attempt)
nb::tuple ask(Asking& asking) {
  const auto asked = value_or_raise(asking.with([](AskTell& study) { return study.ask(); }));
  if (!asked.run) return nb::make_tuple(nb::none(), nb::none(), asked.reason, 0);
  return nb::make_tuple(*asked.run, to_python(asked.parameters), asked.reason, asked.attempt);
}

std::pair<bool, std::string> report(Asking& asking, RunId run, nb::object value, nb::object step) {
  const double number = to_number(value);
  const auto at = step.is_none() ? std::optional<std::int64_t>() : to_integer(step);
  auto told =
      value_or_raise(asking.with([&](AskTell& study) { return study.report(run, number, at); }));
  return {told.verdict.action == Verdict::Action::stop, std::move(told.reason)};
}

}  // namespace

void bind_ask_tell(nb::module_& module) {
  nb::class_<Asking>(module, "Asking", "Ask and tell.")
      .def("ask", ask)
      .def("report", report, nb::arg("run"), nb::arg("value").none(), nb::arg("step").none())
      .def(
          "tell",
          [](Asking& it, RunId run, nb::object value) {
            const double number = to_number(value);
            ok_or_raise(it.with([&](AskTell& study) { return study.tell(run, number); }));
          },
          nb::arg("run"), nb::arg("value").none())
      .def("complete",
           [](Asking& it, RunId run) {
             ok_or_raise(it.with([&](AskTell& study) { return study.complete(run); }));
           })
      .def("stopped",
           [](Asking& it, RunId run) {
             ok_or_raise(it.with([&](AskTell& study) { return study.stopped(run); }));
           })
      .def("fail",
           [](Asking& it, RunId run, const std::string& why) {
             ok_or_raise(it.with([&](AskTell& study) { return study.fail(run, why); }));
           })
      .def("prepare",
           [](Asking& it) {
             it.with([](AskTell& study) {
               study.prepare();
               return true;
             });
           })
      .def("attend",
           [](Asking& it) {
             it.with([](AskTell& study) {
               study.attend();
               return true;
             });
           })
      .def("close", &Asking::close)
      .def_prop_ro("exception", &Asking::exception);
  module.def("ask_and_tell", open, nb::arg("sweep"), nb::arg("sampler").none(),
             nb::arg("policy").none(), nb::arg("listeners"));
}

}  // namespace hdrive::python
