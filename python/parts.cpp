// SPDX-License-Identifier: Apache-2.0
#include "python/parts.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include "python/convert.h"
#include "python/gil.h"
#include "python/history_view.h"

namespace hdrive::python {
namespace {

// A proposal or a verdict, alone or with the sentence that goes with it.
std::pair<nb::object, std::string> with_reason(nb::object answer) {
  if (!PyTuple_Check(answer.ptr()) || nb::len(answer) != 2) return {std::move(answer), ""};
  return {nb::object(answer[0]), text_of(nb::object(answer[1]))};
}

std::string described(const Held& object) {
  nb::gil_scoped_acquire lock;
  try {
    if (nb::hasattr(*object, "describe")) return text_of((*object).attr("describe")());
  } catch (const nb::python_error&) {
  }
  return nb::type_name((*object).type()).c_str();
}

class PythonSampler final : public Sampler {
 public:
  PythonSampler(Held object, SearchSpace space, std::shared_ptr<Fault> fault)
      : object_(std::move(object)), space_(std::move(space)), fault_(std::move(fault)) {}

  Result<Proposal> propose(const History& history, RunId id) override {
    nb::gil_scoped_acquire lock;
    const Lent lent(history);
    const Fault::Calling calling(*fault_);
    try {
      auto [answer, reason] = with_reason((*object_).attr("propose")(lent.view(), id));
      if (answer.is_none())
        return Proposal{std::nullopt, reason.empty() ? "the sampler has nothing left" : reason};
      if (!PyDict_Check(answer.ptr()))
        return Error{name(), "propose() is to return a dict of parameters or None, not a " +
                                 std::string(nb::type_name(answer.type()).c_str())};
      auto point = partial_point(space_, to_assignment(nb::cast<nb::dict>(answer)));
      if (!point) return point.error();
      if (auto sound = check(space_, *point); !sound) return sound.error();
      return Proposal{*std::move(point), std::move(reason)};
    } catch (nb::python_error& error) {
      return Error{name(), fault_->keep(error)};
    } catch (const std::exception& error) {
      return Error{name(), error.what()};
    }
  }

  std::string describe() const override { return described(object_); }

 private:
  std::string name() const { return nb::type_name((*object_).type()).c_str(); }

  Held object_;
  SearchSpace space_;
  std::shared_ptr<Fault> fault_;
};

class PythonPolicy final : public Policy {
 public:
  PythonPolicy(Held object, std::shared_ptr<Fault> fault)
      : object_(std::move(object)), fault_(std::move(fault)) {}

  Verdict judge(RunId id, const History& history) const override {
    nb::gil_scoped_acquire lock;
    const Lent lent(history);
    const Fault::Calling calling(*fault_);
    Verdict verdict;
    verdict.finding = Verdict::Finding::other;
    verdict.interval = static_cast<std::int64_t>(history.reports(id).size());
    if (verdict.interval > 0) verdict.value = history.reports(id).back();
    try {
      auto [answer, reason] = with_reason((*object_).attr("judge")(id, lent.view()));
      if (PyUnicode_Check(answer.ptr()) || PyDict_Check(answer.ptr()) ||
          PyList_Check(answer.ptr()))  // "no" is true, and meant otherwise
        throw nb::type_error(("judge() is to return whether to stop, or that and why; not a " +
                              std::string(nb::type_name(answer.type()).c_str()))
                                 .c_str());
      const int stops = PyObject_IsTrue(answer.ptr());
      if (stops < 0) throw nb::python_error();
      verdict.action = stops ? Verdict::Action::stop : Verdict::Action::keep;
      verdict.note = std::move(reason);
    } catch (nb::python_error& error) {
      throw std::runtime_error(fault_->keep(error));
    } catch (const nb::builtin_exception& error) {
      throw std::runtime_error(error.what());
    }
    return verdict;
  }

  std::string explain(const Verdict& verdict) const override {
    if (!verdict.note.empty()) return verdict.note;
    return verdict.action == Verdict::Action::stop ? "stopped by " + described(object_) : "goes on";
  }

  std::string describe() const override { return described(object_); }

 private:
  Held object_;
  std::shared_ptr<Fault> fault_;
};

// ---- changes ------------------------------------------------------------------------------------

struct Facts {
  const char* kind;
  nb::dict facts;
};

nb::object optional(std::optional<int> number) {
  return number ? nb::object(nb::int_(*number)) : nb::object(nb::none());
}
nb::str word(std::string_view text) { return to_text_object(text); }

Facts base(const char* kind, RunId run, int attempt) {
  Facts facts{kind, {}};
  facts.facts["run"] = run;
  facts.facts["attempt"] = attempt;
  return facts;
}
Facts told(const RunProposed& it) {
  Facts facts = base("run_proposed", it.run, 1);
  facts.facts["params"] = to_python(it.parameters);
  facts.facts["reason"] = word(it.reason);
  return facts;
}
Facts told(const RunSubmitted& it) {
  Facts facts = base("run_submitted", it.run, it.attempt);
  facts.facts["handle"] = word(it.handle);
  return facts;
}
Facts told(const RunContact& it) {
  Facts facts = base(it.lost ? "run_unreachable" : "run_reachable", it.run, it.attempt);
  facts.facts["reason"] = word(it.why);
  return facts;
}
Facts told(const RunStarted& it) {
  Facts facts = base("run_started", it.run, it.attempt);
  facts.facts["slot"] = optional(it.slot);
  return facts;
}
Facts told(const RunMetrics& it) {
  Facts facts = base("metrics", it.run, it.attempt);
  nb::list metrics;
  for (const Metric& metric : it.metrics)
    metrics.append(nb::make_tuple(word(metric.name), metric.value, metric.step));
  facts.facts["metrics"] = metrics;
  return facts;
}
Facts told(const RunJudged& it) {
  Facts facts = base("verdict", it.run, it.attempt);
  facts.facts["stop"] = it.verdict.action == Verdict::Action::stop;
  facts.facts["reason"] = word(it.reason);
  return facts;
}
Facts told(const RunCanceling& it) {
  Facts facts = base("run_canceling", it.run, it.attempt);
  facts.facts["cause"] = word(to_string(it.cause));
  facts.facts["reason"] = word(it.reason);
  return facts;
}
Facts told(const RunEnded& it) {
  Facts facts = base("run_ended", it.run, it.attempt);
  facts.facts["status"] = word(to_string(it.status));
  facts.facts["cause"] = word(to_string(it.cause));
  facts.facts["reason"] = word(it.reason);
  facts.facts["error"] = word(it.stderr_tail);
  return facts;
}
Facts told(const RunRequeued& it) {
  Facts facts = base("run_requeued", it.run, it.attempt);
  facts.facts["reason"] = word(it.reason);
  return facts;
}
Facts told(const SweepChanged& it) {
  Facts facts{"sweep_changed", {}};
  facts.facts["status"] = word(to_string(it.status));
  facts.facts["end"] = word(to_string(it.end));
  facts.facts["reason"] = word(it.reason);
  return facts;
}
Facts told(const Noted& it) {
  Facts facts{"note", {}};
  facts.facts["run"] = it.run ? nb::object(nb::int_(*it.run)) : nb::object(nb::none());
  facts.facts["level"] = level_text(it.level);
  facts.facts["text"] = word(it.text);
  return facts;
}
Facts told(const SweepEdited& it) {
  Facts facts{"sweep_edited", {}};
  facts.facts["what"] = it.what;
  return facts;
}
Facts told(const RequestAnswered& it) {
  Facts facts{"request_answered", {}};
  facts.facts["accepted"] = it.accepted;
  facts.facts["text"] = word(it.text);
  return facts;
}

Facts told(const EarlierRunTaken& it) {
  Facts facts{"earlier_run_taken", {}};
  facts.facts["sweep"] = word(it.earlier.sweep);
  facts.facts["run"] = it.earlier.run;
  facts.facts["params"] = to_python(it.earlier.parameters);
  return facts;
}

class PythonListener final : public Listener {
 public:
  PythonListener(Held object, std::shared_ptr<Fault> fault)
      : object_(std::move(object)), fault_(std::move(fault)) {}

  void on_change(const Change& change, const SweepState&) override {
    nb::gil_scoped_acquire lock;
    const Fault::Calling calling(*fault_);
    try {
      const Facts facts = std::visit([](const auto& it) { return told(it); }, change);
      (*object_).attr("on_change")(facts.kind, facts.facts);
    } catch (nb::python_error& error) {
      throw std::runtime_error(fault_->keep(error));
    }
  }

 private:
  Held object_;
  std::shared_ptr<Fault> fault_;
};

}  // namespace

Held hold(nb::object object) {
  return Held(new nb::object(std::move(object)), [](nb::object* held) {
    if (!nb::is_alive()) return;  // the interpreter is gone, and with it what this refers to
    nb::gil_scoped_acquire lock;
    delete held;
  });
}

// The exception itself: what C code raised may still be no more than its type and a text.
nb::object instance_of(const nb::python_error& error) {
  nb::object value = nb::borrow(error.value());
  if (PyExceptionInstance_Check(value.ptr())) return value;
  nb::object type = nb::borrow(error.type());
  if (!value.is_valid() || value.is_none()) return type();
  if (PyTuple_Check(value.ptr())) return type(*nb::cast<nb::tuple>(value));
  return type(value);
}

std::string Fault::keep(nb::python_error& error) {
  nb::object exception = instance_of(error);
  const std::string text =
      std::string(nb::type_name(error.type()).c_str()) + ": " + text_of(exception);
  if (!exception_) exception_ = hold(std::move(exception));
  return text;
}

// ---- calls into Python --------------------------------------------------------------------------

namespace {

thread_local std::vector<const Fault*> calling;

}  // namespace

Fault::Calling::Calling(const Fault& fault) { calling.push_back(&fault); }
Fault::Calling::~Calling() { calling.pop_back(); }
bool Fault::is_calling() const {
  return std::find(calling.begin(), calling.end(), this) != calling.end();
}

void CustomParts::put_into(SweepParts& parts, const SearchSpace& space,
                           const std::shared_ptr<Fault>& fault) const {
  if (!sampler.is_none())
    parts.sampler = std::make_shared<PythonSampler>(hold(sampler), space, fault);
  if (!policy.is_none()) parts.policy = std::make_shared<PythonPolicy>(hold(policy), fault);
  for (const nb::handle listener : listeners)
    parts.listeners.push_back(std::make_shared<PythonListener>(hold(nb::borrow(listener)), fault));
}

// ---- objectives ---------------------------------------------------------------------------------

RunHandle::RunHandle(RunContext& run)
    : context_(&run),
      run_(run.run()),
      attempt_(run.attempt()),
      slot_(run.slot()),
      directory_(run.directory().string()),
      resume_from_(run.resume_from().string()),
      parameters_(run.parameters()) {}

bool RunHandle::report(const std::string& name, double value, std::optional<std::int64_t> step) {
  const std::lock_guard lock(mutex_);
  if (!context_) return false;
  context_->report(name, value, step);
  return true;
}

bool RunHandle::await_verdict() {
  const std::lock_guard lock(mutex_);
  return context_ && context_->await_verdict();
}

bool RunHandle::stop_requested() {
  const std::lock_guard lock(mutex_);
  return !context_ || context_->stop_requested();
}

void RunHandle::end() {
  const std::lock_guard lock(mutex_);
  context_ = nullptr;
}

namespace {

// As Python would print it.
std::string traceback_of(const nb::python_error& error) {
  try {
    nb::object lines = nb::module_::import_("traceback")
                           .attr("format_exception")(error.type(), instance_of(error),
                                                     nb::borrow(error.traceback()));
    return text_of(nb::str("").attr("join")(lines));
  } catch (const nb::python_error&) {
    return nb::type_name(error.type()).c_str();
  }
}

}  // namespace

namespace {

// Keeps Python's record of a thread from one run to the next: each one maps memory when it is made, and
// unmaps it for all processors when it ends.
class KeptThread {
 public:
  KeptThread() : lock_(PyGILState_Ensure()), state_(PyEval_SaveThread()) {}
  ~KeptThread() {
    if (!nb::is_alive()) return;
    PyEval_RestoreThread(state_);
    PyGILState_Release(lock_);
  }
  KeptThread(const KeptThread&) = delete;
  KeptThread& operator=(const KeptThread&) = delete;

 private:
  PyGILState_STATE lock_;
  PyThreadState* state_;
};

}  // namespace

Objective make_python_objective(nb::object object) {
  return [held = hold(std::move(object))](RunContext& context) {
    thread_local const KeptThread kept;
    const auto handle = std::make_shared<RunHandle>(context);
    struct End {
      RunHandle& handle;
      ~End() { handle.end(); }
    } const end{*handle};
    nb::gil_scoped_acquire lock;
    std::string failure;
    try {
      nb::object said = (*held)(handle);
      if (PyUnicode_Check(said.ptr())) failure = text_of(said);
    } catch (nb::python_error& error) {
      failure = traceback_of(error);
    }
    // Another thread may be reporting for this run, and need the lock to come to its end.
    Unlocked release;
    handle->end();
    if (!failure.empty()) throw std::runtime_error(failure);
  };
}

}  // namespace hdrive::python
