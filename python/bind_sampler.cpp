// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/sampler.h, policy.h and model_pick.h: the built-in algorithms by themselves, and what
// a sweep's results say about its parameters.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "hdrive/model_pick.h"
#include "hdrive/policy.h"
#include "hdrive/sampler.h"
#include "hdrive/sweep.h"
#include "python/bind.h"
#include "python/convert.h"
#include "python/errors.h"
#include "python/gil.h"
#include "python/history_view.h"
#include "python/view.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

SamplerContext context_of(const SweepSpec& spec) {
  return {spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs};
}

// Calls `ask(history)` while the interpreter goes on, and gives its answer.
template <class Answer, class Ask>
Answer by_history(View& view, Ask ask) {
  std::optional<Result<Answer>> answer;
  ok_or_raise(unlocked(
      [&] { return view.with_history([&](const History& history) { answer = ask(history); }); }));
  return value_or_raise(*std::move(answer));
}

nb::dict importance(View& view, const SweepSpec& spec) {
  using Answer = std::vector<ParameterImportance>;
  const auto shares = by_history<Answer>(
      view, [&](const History& history) { return parameter_importance(spec.space, history); });
  nb::dict result;
  for (const ParameterImportance& each : shares) {
    const std::string_view name = bare_name(each.name);
    result[nb::str(name.data(), name.size())] = each.share;
  }
  return result;
}

nb::dict model(View& view, const SweepSpec& spec) {
  const auto report = by_history<ModelReport>(view, [&](const History& history) {
    return inspect_model(spec.sampling, spec.space, context_of(spec), history);
  });
  nb::dict result, lengthscales, shares;
  for (const ModelReport::Relevance& each : report.parameters) {
    const std::string_view bare = bare_name(each.parameter);
    const nb::str name(bare.data(), bare.size());
    lengthscales[name] = each.lengthscale;
    shares[name] = each.share;
  }
  result["results"] = report.results;
  result["failures"] = report.failures;
  result["stopped_early"] = report.stopped_early;
  result["earlier"] = report.earlier;
  result["lengthscales"] = lengthscales;
  result["shares"] = shares;
  result["noise"] = report.noise;
  result["noise_near_best"] = report.noise_near_best;
  result["within_one_deviation"] = report.calibration.within_one_deviation;
  result["within_two_deviations"] = report.calibration.within_two_deviations;
  result["explained"] = report.calibration.explained;
  return result;
}

nb::dict pick(View& view, const SweepSpec& spec) {
  const auto chosen = by_history<ModelPick>(view, [&](const History& history) {
    return pick_by_model(spec.sampling, spec.space, context_of(spec), history);
  });
  nb::dict result;
  result["run"] = chosen.run;
  result["mean"] = chosen.mean;
  result["deviation"] = chosen.deviation;
  result["reported"] = chosen.reported;
  result["noise"] = chosen.noise;
  result["leader"] = chosen.leader;
  result["leader_is_lucky"] = chosen.leader_is_lucky;
  return result;
}

// A copy: fitting a model takes its time, and other threads may go on with the history meanwhile.
nb::tuple propose(Sampler& sampler, const HistoryView& view, std::optional<RunId> run) {
  const History history = view.get().snapshot();
  const RunId id = run.value_or(history.size());
  if (id != history.size())
    raise(Error{"propose", "the next run is " + std::to_string(history.size()),
                Error::Kind::invalid});
  const Proposal proposal = value_or_raise(unlocked([&] { return sampler.propose(history, id); }));
  return nb::make_tuple(
      proposal.parameters ? nb::object(to_python(*proposal.parameters)) : nb::object(nb::none()),
      proposal.reason);
}

std::pair<bool, std::string> judge(const Policy& policy, RunId run, const HistoryView& view) {
  const History& history = view.get();
  if (run < 0 || run >= history.size() || history.reports(run).empty())
    raise(Error{"run " + std::to_string(run), "has reported nothing to be judged by",
                Error::Kind::invalid});
  const Verdict verdict = policy.judge(run, history);
  return {verdict.action == Verdict::Action::stop, policy.explain(verdict)};
}

}  // namespace

void bind_sampler(nb::module_& module) {
  nb::class_<Sampler>(module, "Sampler", "A built-in sampler.")
      .def("propose", propose, nb::arg("history"), nb::arg("run") = nb::none())
      .def("describe", &Sampler::describe);
  nb::class_<Policy>(module, "Policy", "A built-in early-termination policy.")
      .def("judge", judge, nb::arg("run"), nb::arg("history"))
      .def("describe", &Policy::describe);
  nb::class_<View>(module, "View", "One sweep to be read.");
  module.def("make_sampler", [](const SweepSpec& spec) {
    return valid_or_raise(make_sampler(spec.sampling, spec.space, context_of(spec)));
  });
  module.def("make_policy", [](const SweepSpec& spec) {
    return std::const_pointer_cast<Policy>(valid_or_raise(make_policy(spec.policy, spec.goal)));
  });
  module.def("importance", importance);
  module.def("model", model);
  module.def("pick", pick);
}

}  // namespace hdrive::python
