// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/reader.h, over sweeps on disk and in memory alike.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <limits>
#include <utility>

#include "hdrive/reader.h"
#include "python/arrow.h"
#include "python/bind.h"
#include "python/columns.h"
#include "python/convert.h"
#include "python/errors.h"
#include "python/gil.h"
#include "python/view.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

template <class Call>
auto read(Call call) {
  return value_or_raise(unlocked(call));
}

template <class T>
nb::object array(std::vector<T> values) {
  auto* kept = new std::vector<T>(std::move(values));
  nb::capsule owner(kept, [](void* it) noexcept { delete static_cast<std::vector<T>*>(it); });
  return nb::cast(nb::ndarray<nb::numpy, T, nb::ndim<1>>(kept->data(), {kept->size()}, owner));
}

// (values, steps, times); where a report has no step, NaN.
nb::tuple series(View& view, RunId run, const std::string& metric) {
  const Series series = read([&] { return view.series(run, metric); });
  std::vector<double> values, steps, times;
  for (const Series::Point& point : series.points) {
    values.push_back(point.value);
    steps.push_back(point.step ? static_cast<double>(*point.step) : kNothing);
    times.push_back(seconds(point.time.time_since_epoch()));
  }
  return nb::make_tuple(array(std::move(values)), array(std::move(steps)), array(std::move(times)));
}

template <class T>
nb::list list_of(const std::vector<T>& values, const std::vector<bool>& valid) {
  nb::list list;
  for (std::size_t i = 0; i < values.size(); ++i)
    list.append(valid[i] ? nb::cast(values[i]) : nb::object(nb::none()));
  return list;
}

// For data frames: arrays of numbers, where some are missing of floats with NaN; else lists.
nb::object to_python(const Column& column) {
  const bool whole =
      std::find(column.valid.begin(), column.valid.end(), false) == column.valid.end();
  if (const auto* integers = std::get_if<Column::Integers>(&column.values)) {
    if (whole) return array(*integers);
    std::vector<double> numbers(integers->begin(), integers->end());
    for (std::size_t i = 0; i < numbers.size(); ++i)
      if (!column.valid[i]) numbers[i] = kNothing;
    return array(std::move(numbers));
  }
  if (const auto* numbers = std::get_if<Column::Numbers>(&column.values)) {
    std::vector<double> copy = *numbers;
    for (std::size_t i = 0; i < copy.size(); ++i)
      if (!column.valid[i]) copy[i] = kNothing;
    return array(std::move(copy));
  }
  if (const auto* texts = std::get_if<Column::Texts>(&column.values))
    return list_of(*texts, column.valid);
  nb::list list;
  const auto& mixed = std::get<Column::Mixed>(column.values);
  for (std::size_t i = 0; i < mixed.size(); ++i)
    list.append(column.valid[i] ? python::to_python(mixed[i]) : nb::object(nb::none()));
  return list;
}

std::shared_ptr<const Columns> columns(View& view) {
  return std::make_shared<const Columns>(read([&]() -> Result<Columns> {
    const auto entry = view.entry();
    if (!entry) return entry.error();
    return columns_of(view, entry->header.metric, entry->header.goal);
  }));
}

RunOrder::By order_of(const std::string& word) {
  static const std::map<std::string, RunOrder::By> words = {
      {"number", RunOrder::By::number},
      {"status", RunOrder::By::status},
      {"created", RunOrder::By::created},
      {"started", RunOrder::By::started},
      {"ended", RunOrder::By::ended},
      {"duration", RunOrder::By::duration},
      {"attempt", RunOrder::By::attempt},
      {"cpu_time", RunOrder::By::cpu_time},
      {"peak_memory", RunOrder::By::peak_memory},
      {"parameter", RunOrder::By::parameter},
      {"best", RunOrder::By::best},
      {"last", RunOrder::By::last}};
  if (const auto found = words.find(word); found != words.end()) return found->second;
  std::string allowed;
  for (const auto& [name, by] : words) allowed += (allowed.empty() ? "" : ", ") + name;
  raise(Error{"order", "\"" + word + "\" is none; allowed: " + allowed, Error::Kind::invalid});
}

nb::tuple runs(View& view, const std::vector<std::string>& statuses, const std::string& text,
               const std::string& order, const std::string& order_name, bool descending,
               std::int64_t offset, std::optional<std::int64_t> limit, std::optional<RunId> from) {
  RunQuery query;
  query.filter.from = from;
  for (const std::string& word : statuses) query.filter.statuses.push_back(to_run_status(word));
  query.filter.text = text;
  query.order = {order_of(order), order_name, descending};
  query.offset = offset;
  query.limit = limit;
  RunPage page = read([&] { return view.runs(query); });
  nb::list found;
  for (StoredRun& run : page.runs) found.append(std::move(run));
  return nb::make_tuple(found, page.matching);
}

nb::object best(View& view) {
  RunQuery query;
  query.order.by = RunOrder::By::best;
  query.limit = 1;
  RunPage page = read([&] { return view.runs(query); });
  const SweepEntry entry = read([&] { return view.entry(); });
  if (page.runs.empty()) return nb::none();
  const MetricFigures* figures = page.runs.front().metric(entry.header.metric);
  if (!figures || !figures->best(entry.header.goal)) return nb::none();
  return nb::cast(std::move(page.runs.front()));
}

nb::dict entry_of(const SweepEntry& entry) {
  nb::dict result;
  result["id"] = entry.header.id;
  result["name"] = entry.header.name;
  result["experiment"] = entry.header.experiment;
  result["metric"] = entry.header.metric;
  result["goal"] = goal_text(entry.header.goal);
  result["config"] = entry.header.config;
  result["version"] = entry.header.version;
  result["created"] = seconds_or_none(entry.header.created);
  result["directory"] = entry.directory.string();
  result["status"] = std::string(to_string(entry.status));
  result["end"] = std::string(to_string(entry.end));
  result["reason"] = to_text_object(entry.reason);
  result["active"] = seconds(entry.active);
  result["engine"] = entry.engine;
  result["runs"] = entry.runs;
  result["live"] = entry.live;
  result["completed"] = entry.completed;
  result["failed"] = entry.failed;
  result["canceled"] = entry.canceled;
  return result;
}

nb::object verdict(View& view, RunId run) {
  const auto judged = read([&] { return view.judged(run); });
  if (!judged) return nb::none();
  return nb::make_tuple(judged->verdict.action == Verdict::Action::stop,
                        to_text_object(judged->reason));
}

nb::list notes(View& view) {
  nb::list result;
  for (const Noted& note : read([&] { return view.notes(); }))
    result.append(nb::make_tuple(level_text(note.level), note.run, to_text_object(note.text)));
  return result;
}

}  // namespace

void bind_reader(nb::module_& module) {
  using Stored = StoredRun;
  nb::class_<MetricFigures>(module, "MetricFigures", "One metric of a run in short.")
      .def_ro("name", &MetricFigures::name)
      .def_ro("count", &MetricFigures::count)
      .def_ro("last", &MetricFigures::last)
      .def_ro("least", &MetricFigures::least)
      .def_ro("greatest", &MetricFigures::greatest);
  nb::class_<Stored>(module, "StoredRun", "A run as it stands.")
      .def_prop_ro("number", [](const Stored& it) { return it.run.id; })
      .def_prop_ro("attempt", [](const Stored& it) { return it.run.attempt; })
      .def_prop_ro("params", [](const Stored& it) { return python::to_python(it.run.parameters); })
      .def_prop_ro("status", [](const Stored& it) { return std::string(to_string(it.run.status)); })
      .def_prop_ro("cause",
                   [](const Stored& it) -> std::optional<std::string> {
                     if (it.run.ended_by == EndCause::none) return std::nullopt;
                     return std::string(to_string(it.run.ended_by));
                   })
      .def_prop_ro("proposal", [](const Stored& it) { return to_text_object(it.run.proposal); })
      .def_prop_ro("reason", [](const Stored& it) { return to_text_object(it.run.reason); })
      .def_prop_ro("exit_code", [](const Stored& it) { return it.run.exit_code; })
      .def_prop_ro("signal", [](const Stored& it) { return it.run.signal; })
      .def_prop_ro("created", [](const Stored& it) { return seconds_or_none(it.run.created); })
      .def_prop_ro("started", [](const Stored& it) { return seconds_or_none(it.run.started); })
      .def_prop_ro("ended", [](const Stored& it) { return seconds_or_none(it.run.ended); })
      .def_ro("start_point", &Stored::start_point)
      .def_ro("slot", &Stored::slot)
      .def_ro("pid", &Stored::pid)
      .def_prop_ro("error", [](const Stored& it) { return to_text_object(it.stderr_tail); })
      .def_ro("peak_memory", &Stored::peak_memory)
      .def_prop_ro("cpu_time",
                   [](const Stored& it) -> std::optional<double> {
                     if (!it.cpu_time) return std::nullopt;
                     return seconds(*it.cpu_time);
                   })
      .def_ro("metrics", &Stored::metrics)
      .def("best",
           [](const Stored& it, const std::string& metric,
              const std::string& goal) -> std::optional<double> {
             const MetricFigures* figures = it.metric(metric);
             return figures ? figures->best(to_goal(goal)) : std::nullopt;
           });

  nb::object type = module.attr("View");
  const auto method = [&](const char* name, auto function) {
    type.attr(name) = nb::cpp_function(function, nb::is_method(), nb::name(name), nb::scope(type));
  };
  method("entry", [](View& it) { return entry_of(read([&] { return it.entry(); })); });
  type.attr("runs") = nb::cpp_function(
      runs, nb::is_method(), nb::name("runs"), nb::scope(type), nb::arg("statuses"),
      nb::arg("text"), nb::arg("order"), nb::arg("order_name"), nb::arg("descending"),
      nb::arg("offset"), nb::arg("limit").none(), nb::arg("first").none() = nb::none());
  method("run", [](View& it, RunId run) { return read([&] { return it.run(run); }); });
  method("best", best);
  method("series", series);
  method("verdict", verdict);
  method("notes", notes);
  method("controller_log",
         [](View& it) { return to_text_object(read([&] { return it.controller_log(); })); });
  method("columns", columns);

  nb::class_<Columns>(module, "Columns", "The runs of a sweep as a table.")
      .def("to_dict",
           [](const Columns& it) {
             nb::dict table;
             for (const Column& column : it.columns)
               table[nb::str(column.name.c_str(), column.name.size())] = to_python(column);
             return table;
           })
      .def_prop_ro("times",
                   [](const Columns& it) {
                     std::vector<std::string> names;
                     for (const Column& column : it.columns)
                       if (column.is_time) names.push_back(column.name);
                     return names;
                   })
      .def("__len__", [](const Columns& it) { return it.rows; })
      .def(
          "__arrow_c_stream__",
          [](std::shared_ptr<const Columns> it, nb::object) { return arrow_stream(std::move(it)); },
          nb::arg("requested_schema") = nb::none());
}

}  // namespace hdrive::python
