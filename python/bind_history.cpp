// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/history.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "hdrive/history.h"
#include "python/bind.h"
#include "python/convert.h"
#include "python/errors.h"
#include "python/history_view.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

RunId known(const HistoryView& view, RunId run) {
  const std::int64_t size = view.get().size();
  if (run >= 0 && run < size) return run;
  raise(Error{"run " + std::to_string(run),
              "is not in the history, which has " + std::to_string(size), Error::Kind::not_found});
}

std::int64_t interval_of(std::int64_t interval) {
  if (interval >= 1) return interval;
  raise(Error{"interval", "reports are counted from 1", Error::Kind::invalid});
}

RunId add(HistoryView& view, nb::dict params) {
  History& history = view.own();
  Run run;
  run.id = history.size();
  run.parameters = to_assignment(params);
  history.add(run);
  history.set_status(run.id, RunStatus::running, EndCause::none);
  return run.id;
}

void end(HistoryView& view, RunId run, const std::string& status) {
  const RunStatus to = to_run_status(status);
  if (!is_terminal(to) || is_terminal(view.get().run(known(view, run)).status))
    raise(Error{"run " + std::to_string(run), "ends once, as Completed, Failed or Canceled",
                Error::Kind::invalid});
  view.own().set_status(run, to, to == RunStatus::canceled ? EndCause::policy : EndCause::exited);
}

}  // namespace

void bind_history(nb::module_& module) {
  using View = HistoryView;
  nb::class_<View>(module, "History", "Runs and their reports of the primary metric.")
      .def("__init__", [](View* self, const std::string& goal) { new (self) View(to_goal(goal)); })
      .def("__len__", [](const View& it) { return it.get().size(); })
      .def_prop_ro("goal", [](const View& it) { return goal_text(it.get().goal()); })
      .def("add", add)
      .def(
          "report",
          [](View& it, RunId run, nb::object value) {
            it.own().report(known(it, run), to_number(value));
          },
          nb::arg("run"), nb::arg("value").none())
      .def("end", end)
      .def("params", [](const View& it,
                        RunId run) { return to_python(it.get().run(known(it, run)).parameters); })
      .def("status",
           [](const View& it, RunId run) {
             return std::string(to_string(it.get().run(known(it, run)).status));
           })
      .def("reports",
           [](const View& it, RunId run) {
             const auto reports = it.get().reports(known(it, run));
             return std::vector<double>(reports.begin(), reports.end());
           })
      .def(
          "best",
          [](const View& it, RunId run, std::optional<std::int64_t> interval) {
            return interval ? it.get().best(known(it, run), interval_of(*interval))
                            : it.get().best(known(it, run));
          },
          nb::arg("run"), nb::arg("interval") = nb::none())
      .def("average",
           [](const View& it, RunId run, std::int64_t interval) {
             return it.get().average(known(it, run), interval_of(interval));
           })
      .def("incumbent", [](const View& it) { return it.get().incumbent(); })
      .def("count", [](const View& it,
                       const std::string& status) { return it.get().count(to_run_status(status)); })
      .def("count_at",
           [](const View& it, std::int64_t interval) {
             return it.get().count_at(interval_of(interval));
           })
      .def("leader_at",
           [](const View& it, std::int64_t interval) -> std::optional<std::pair<RunId, double>> {
             const auto leader = it.get().leader_at(interval_of(interval));
             if (!leader) return std::nullopt;
             return std::pair(leader->run, leader->value);
           })
      .def("median_average_of_others",
           [](const View& it, RunId run, std::int64_t interval) -> std::optional<double> {
             const auto median =
                 it.get().median_average_of_others(known(it, run), interval_of(interval));
             return median ? std::optional(median->value) : std::nullopt;
           })
      .def("rank_at", [](const View& it, RunId run, std::int64_t interval) {
        const auto rank =
            it.get().rank_at(known(it, run), interval_of(interval), History::Ranked::all);
        return std::pair(rank.from_worst, rank.of);
      });
}

}  // namespace hdrive::python
