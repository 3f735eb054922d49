// SPDX-License-Identifier: Apache-2.0
#include "plot/runs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/text.h"

namespace hdrive::plot {
namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostMetrics = 32;

double seconds_of(Time time) {
  return time == Time{} ? kAbsent : static_cast<double>(time.time_since_epoch().count()) / 1e6;
}

// Which of its values are as far apart as they look.
struct KindOf {
  ScaleKind operator()(const Choice&) const { return ScaleKind::linear; }
  ScaleKind operator()(const RandInt&) const { return ScaleKind::integer; }
  ScaleKind operator()(const IntUniform&) const { return ScaleKind::integer; }
  ScaleKind operator()(const LogUniform&) const { return ScaleKind::log; }
  ScaleKind operator()(const QLogUniform&) const { return ScaleKind::log; }
  ScaleKind operator()(const LogNormal&) const { return ScaleKind::log; }
  ScaleKind operator()(const QLogNormal&) const { return ScaleKind::log; }
  ScaleKind operator()(const LogUniformValues&) const { return ScaleKind::log; }
  ScaleKind operator()(const QLogUniformValues&) const { return ScaleKind::log; }
  ScaleKind operator()(const IntLogUniform&) const { return ScaleKind::log; }
  ScaleKind operator()(const auto&) const { return ScaleKind::linear; }
};

bool is_a_number(const Value& value) {
  const auto* real = std::get_if<double>(&value);
  return std::holds_alternative<std::int64_t>(value) || (real && std::isfinite(*real));
}

std::string option_text(const Value& value) {
  const auto* word = std::get_if<std::string>(&value);
  return word ? *word : to_json(value);
}

std::size_t place_of(Column& column, const std::string& option) {
  const auto [found, added] = column.places.emplace(option, column.categories.size());
  if (added) column.categories.push_back(base::to_utf8(option));
  return found->second;
}

// A parameter whose values are not all numbers: each value is a category.
void turn_into_categories(Column& column) {
  column.kind = ScaleKind::category;
  for (double& value : column.data) {
    if (std::isnan(value)) continue;
    const bool whole = std::floor(value) == value && std::abs(value) < 1e15;
    const std::string option =
        whole ? to_json(Value(static_cast<std::int64_t>(value))) : to_json(Value(value));
    value = static_cast<double>(place_of(column, option));
  }
}

// The options of a choice stand in the order in which somebody wrote them.
void add_options(Column& column, const Expression& expression) {
  const auto* choice = std::get_if<Choice>(&expression);
  if (!choice || std::all_of(choice->options.begin(), choice->options.end(), is_a_number)) return;
  column.kind = ScaleKind::category;
  for (const Value& option : choice->options) place_of(column, option_text(option));
}

}  // namespace

Result<Runs> Runs::read(SweepReader& reader, const SweepHeader& header, const SweepSpec& spec,
                        const std::string& metric) {
  Runs runs;
  runs.goal_ = header.goal;
  runs.judged_ = metric == header.metric;
  runs.value = {base::to_utf8(metric), ScaleKind::linear};
  runs.value.is_value = true;
  runs.number = {"run", ScaleKind::integer};
  runs.started = {"started", ScaleKind::duration};
  runs.ended = {"ended", ScaleKind::duration};
  runs.duration = {"duration", ScaleKind::duration};
  runs.reports = {"reports", ScaleKind::integer};
  runs.slot = {"slot", ScaleKind::integer};
  for (const Parameter& parameter : spec.space.parameters) {
    Column& column = runs.parameter_column(bare_name(parameter.name));
    column.kind = std::visit(KindOf{}, parameter.expression);
    add_options(column, parameter.expression);
  }
  const auto entry = reader.entry();
  if (!entry) return entry.error();
  const auto told =
      reader.each_run({}, [&](const StoredRun& run) { runs.take(run, metric, header.metric); });
  if (!told) return told.error();
  runs.settle(*entry);
  return runs;
}

Column& Runs::parameter_column(std::string_view name) {
  const std::string label = base::to_utf8(name);
  for (Column& column : parameters)
    if (column.label == label) return column;
  parameters.push_back({label, ScaleKind::linear, std::vector<double>(rows(), kAbsent)});
  return parameters.back();
}

void Runs::set(Column& column, std::size_t row, const Value& given) {
  if (column.kind != ScaleKind::category && !is_a_number(given)) turn_into_categories(column);
  column.data[row] = column.kind == ScaleKind::category
                         ? static_cast<double>(place_of(column, option_text(given)))
                         : as_number(given).value_or(kAbsent);
}

void Runs::take(const StoredRun& stored, const std::string& metric, const std::string& primary) {
  const Run& run = stored.run;
  const std::size_t row = rows();
  status.push_back(run.status);
  ended_by.push_back(run.ended_by);
  number.data.push_back(static_cast<double>(run.id));
  started.data.push_back(seconds_of(run.started));
  ended.data.push_back(seconds_of(run.ended));
  slot.data.push_back(stored.slot ? *stored.slot : kAbsent);
  const MetricFigures* figures = stored.metric(metric);
  value.data.push_back(!figures  ? kAbsent
                       : judged_ ? figures->best(goal_).value_or(kAbsent)
                                 : figures->last);
  const MetricFigures* counted = stored.metric(primary);
  reports.data.push_back(counted ? static_cast<double>(counted->count) : 0);
  for (Column& column : parameters) column.data.push_back(kAbsent);
  for (const Binding& binding : run.parameters)
    set(parameter_column(bare_name(binding.name)), row, binding.value);
  for (Column& column : metrics) column.data.push_back(kAbsent);
  for (const MetricFigures& each : stored.metrics) {
    const std::string name = base::to_utf8(each.name);
    auto found = std::find_if(metrics.begin(), metrics.end(),
                              [&](const Column& column) { return column.label == name; });
    if (found == metrics.end()) {
      if (metrics.size() == kMostMetrics) continue;
      metrics.push_back({name, ScaleKind::linear, std::vector<double>(rows(), kAbsent)});
      found = metrics.end() - 1;
    }
    found->data[row] = each.last;
  }
}

// A run that goes on counts up to what was last recorded: the same picture of the same stored sweep.
void Runs::settle(const SweepEntry& entry) {
  const double first = extent(started.data).low;
  const double now = seconds_of(entry.latest) - first;
  duration.data.resize(rows(), kAbsent);
  for (std::size_t row = 0; row < rows(); ++row) {
    double& from = started.data[row];
    double& to = ended.data[row];
    from -= first;
    to -= first;
    duration.data[row] = (status[row] == RunStatus::running ? now : to) - from;
  }
}

std::optional<std::size_t> Runs::best() const {
  if (!judged_) return std::nullopt;
  std::optional<std::size_t> best;
  for (std::size_t row = 0; row < rows(); ++row)
    if (!std::isnan(value.data[row]) && (!best || better(value.data[row], value.data[*best])))
      best = row;
  return best;
}

std::string Runs::axis_label(const Column& column) const {
  if (!column.is_value || !judged_) return column.label;
  return column.label + (goal_ == Goal::minimize ? "  \u2193 better" : "  \u2191 better");
}

std::vector<std::uint8_t> Runs::shades() const {
  std::vector<std::uint8_t> result(rows(), kNoShade);
  std::vector<std::size_t> order;
  for (std::size_t row = 0; row < rows(); ++row)
    if (!std::isnan(value.data[row])) order.push_back(row);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return value.data[a] < value.data[b]; });
  const bool turned = judged_ && goal_ == Goal::minimize;
  const double last = std::max<double>(1, static_cast<double>(order.size()) - 1);
  std::size_t rank = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    // Equal values have one shade.
    if (i == 0 || value.data[order[i]] != value.data[order[i - 1]]) rank = i;
    const double share = static_cast<double>(rank) / last;
    result[order[i]] = static_cast<std::uint8_t>(std::lround((turned ? 1 - share : share) * 63));
  }
  return result;
}

const Column* Runs::parameter(std::string_view name) const {
  for (const Column& column : parameters)
    if (column.label == bare_name(name)) return &column;
  return nullptr;
}

const Column* Runs::find(std::string_view name) const {
  if (const Column* column = parameter(name)) return column;
  if (name == value.label) return &value;
  for (const Column& column : metrics)
    if (column.label == name) return &column;
  for (const Column* column : {&number, &started, &ended, &duration, &reports})
    if (column->label == name) return column;
  return nullptr;
}

std::vector<std::string> Runs::names() const {
  std::vector<std::string> names;
  for (const Column& column : parameters) names.push_back(column.label);
  names.push_back(value.label);
  for (const Column& column : metrics)
    if (column.label != value.label) names.push_back(column.label);
  for (const Column* column : {&number, &started, &ended, &duration, &reports})
    names.push_back(column->label);
  return names;
}

}  // namespace hdrive::plot
