// SPDX-License-Identifier: Apache-2.0
#include "python/columns.h"

#include <map>
#include <utility>

namespace hdrive::python {
namespace {

// Columns of which some rows have nothing, made as their names come up.
class Sparse {
 public:
  explicit Sparse(std::string prefix) : prefix_(std::move(prefix)) {}

  void set(std::string_view name, std::size_t row, Value value) {
    auto found = places_.find(name);
    if (found == places_.end()) {
      found = places_.emplace(std::string(name), columns_.size()).first;
      columns_.emplace_back(std::string(name), Column::Mixed());
    }
    Column::Mixed& values = columns_[found->second].second;
    valid_.resize(columns_.size());
    values.resize(row + 1);
    valid_[found->second].resize(row + 1);
    values[row] = std::move(value);
    valid_[found->second][row] = true;
  }

  void append_to(Columns& all) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      auto& [name, values] = columns_[i];
      values.resize(static_cast<std::size_t>(all.rows));
      valid_[i].resize(static_cast<std::size_t>(all.rows));
      all.columns.push_back(narrowed(prefix_ + name, std::move(values), std::move(valid_[i])));
    }
  }

 private:
  // Of one kind where all values are.
  static Column narrowed(std::string name, Column::Mixed values, std::vector<bool> valid) {
    bool integers = true, numbers = true, texts = true;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!valid[i]) continue;
      const bool integer = std::holds_alternative<std::int64_t>(values[i]);
      integers = integers && integer;
      numbers = numbers && (integer || std::holds_alternative<double>(values[i]));
      texts = texts && std::holds_alternative<std::string>(values[i]);
    }
    Column column{std::move(name), {}, std::move(valid)};
    if (integers) {
      Column::Integers out(values.size());
      for (std::size_t i = 0; i < values.size(); ++i)
        if (column.valid[i]) out[i] = std::get<std::int64_t>(values[i]);
      column.values = std::move(out);
    } else if (numbers) {
      Column::Numbers out(values.size());
      for (std::size_t i = 0; i < values.size(); ++i)
        if (column.valid[i]) out[i] = *as_number(values[i]);
      column.values = std::move(out);
    } else if (texts) {
      Column::Texts out(values.size());
      for (std::size_t i = 0; i < values.size(); ++i)
        if (column.valid[i]) out[i] = std::move(std::get<std::string>(values[i]));
      column.values = std::move(out);
    } else {
      column.values = std::move(values);
    }
    return column;
  }

  std::string prefix_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::vector<std::pair<std::string, Column::Mixed>> columns_;
  std::vector<std::vector<bool>> valid_;
};

template <class T>
struct Dense {
  explicit Dense(std::string column) : name(std::move(column)) {}
  void add(T value) {
    values.push_back(std::move(value));
    valid.push_back(true);
  }
  void add_nothing() {
    values.emplace_back();
    valid.push_back(false);
  }
  Column column(bool is_time = false) && {
    return {std::move(name), std::move(values), std::move(valid), is_time};
  }
  std::string name;
  std::vector<T> values;
  std::vector<bool> valid;
};

void add(Dense<std::int64_t>& times, Time time) {
  if (time == Time{})
    times.add_nothing();
  else
    times.add(time.time_since_epoch().count());
}

}  // namespace

Result<Columns> columns_of(View& view, const std::string& primary_metric, Goal goal) {
  Dense<std::int64_t> number("number"), attempt("attempt"), created("created"), started("started"),
      ended("ended");
  Dense<std::string> status("status"), cause("cause");
  Dense<double> value("value"), length("seconds");
  Sparse params("params_"), metrics("metrics_");
  Columns all;
  auto read = view.each_run([&](const StoredRun& stored) {
    const auto row = static_cast<std::size_t>(all.rows++);
    const Run& run = stored.run;
    number.add(run.id);
    attempt.add(run.attempt);
    status.add(std::string(to_string(run.status)));
    if (run.ended_by == EndCause::none)
      cause.add_nothing();
    else
      cause.add(std::string(to_string(run.ended_by)));
    const MetricFigures* primary = stored.metric(primary_metric);
    const auto best = primary ? primary->best(goal) : std::nullopt;
    if (best)
      value.add(*best);
    else
      value.add_nothing();
    for (const Binding& binding : run.parameters)
      params.set(bare_name(binding.name), row, binding.value);
    for (const MetricFigures& each : stored.metrics) metrics.set(each.name, row, each.last);
    add(created, run.created);
    add(started, run.started);
    add(ended, run.ended);
    if (run.started == Time{} || run.ended == Time{})
      length.add_nothing();
    else
      length.add(std::chrono::duration<double>(run.ended - run.started).count());
  });
  if (!read) return read.error();
  all.columns.push_back(std::move(number).column());
  all.columns.push_back(std::move(status).column());
  all.columns.push_back(std::move(value).column());
  params.append_to(all);
  metrics.append_to(all);
  all.columns.push_back(std::move(attempt).column());
  all.columns.push_back(std::move(cause).column());
  all.columns.push_back(std::move(created).column(true));
  all.columns.push_back(std::move(started).column(true));
  all.columns.push_back(std::move(ended).column(true));
  all.columns.push_back(std::move(length).column());
  return all;
}

}  // namespace hdrive::python
