// SPDX-License-Identifier: Apache-2.0
#include "server/portal/columns.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace hdrive::server::portal {
namespace {

static_assert(std::endian::native == std::endian::little, "columns are sent as they lie in memory");

constexpr std::size_t kAlignment = 8;
constexpr std::size_t kMostMetrics = 32;
// An option is a word or a number; a text beyond this is cut, so that one value is no megabytes of legend.
constexpr std::size_t kLongestCategory = 200;

void pad(std::string& bytes, char with) {
  while (bytes.size() % kAlignment != 0) bytes += with;
}

double seconds_or_none(const std::optional<Duration>& duration) {
  return duration ? static_cast<double>(duration->count()) / 1e6 : kNone;
}

std::string category_text(const Value& value) {
  const auto* word = std::get_if<std::string>(&value);
  if (word && word->size() > kLongestCategory)
    return base::json_string(word->substr(0, kLongestCategory) + "...");
  return to_json(value);
}

}  // namespace

void BinaryTable::add_bytes(Json description, const char* type, std::string_view bytes) {
  description["type"] = type;
  columns_.push_back(std::move(description));
  data_ += bytes;
  pad(data_, '\0');
}

std::string BinaryTable::bytes(Json head) const {
  head["columns"] = columns_;
  std::string text = base::json_text(head);
  // What stands before the data has its length: mark, number, head.
  while ((mark_.size() + sizeof(std::uint32_t) + text.size()) % kAlignment != 0) text += ' ';
  const auto length = static_cast<std::uint32_t>(text.size());
  std::string all = mark_;
  all.append(reinterpret_cast<const char*>(&length), sizeof length);
  return all + text + data_;
}

void RunTable::grow(std::size_t rows) {
  if (rows <= changed_.size()) return;
  changed_.resize(rows, 0);
  for (auto& column : values_) column.resize(rows, kNone);
  for (ParameterColumn& column : parameters_) column.values.resize(rows, kNone);
  for (MetricColumns& columns : metrics_) {
    for (auto* each : {&columns.last, &columns.least, &columns.greatest}) each->resize(rows, kNone);
    columns.count.resize(rows, 0);
  }
}

RunTable::ParameterColumn& RunTable::parameter(std::string_view name) {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                  [&](const auto& each) { return each.name == name; });
  if (found != parameters_.end()) return *found;
  parameters_.push_back(
      {std::string(name), true, std::vector<double>(changed_.size(), kNone), {}, {}});
  return parameters_.back();
}

double RunTable::category(ParameterColumn& column, const std::string& value) {
  const auto [found, added] =
      column.places.emplace(value, static_cast<double>(column.categories.size()));
  if (added) column.categories.push_back(value);
  return found->second;
}

void RunTable::turn_into_categories(ParameterColumn& column) {
  column.numbers = false;
  for (double& value : column.values)
    if (!std::isnan(value))
      value = category(column, std::floor(value) == value
                                   ? to_json(Value(static_cast<std::int64_t>(value)))
                                   : to_json(Value(value)));
}

bool RunTable::set(ParameterColumn& column, std::size_t row, const Value& value) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  // A NaN among numbers would be no value at all.
  const bool is_number = integer || (real && std::isfinite(*real));
  const bool turns = column.numbers && !is_number;
  if (turns) turn_into_categories(column);
  if (column.numbers)
    column.values[row] = integer ? static_cast<double>(*integer) : *real;
  else
    column.values[row] = category(column, category_text(value));
  return turns;
}

RunTable::MetricColumns* RunTable::metric(const std::string& name) {
  const auto found = std::find_if(metrics_.begin(), metrics_.end(),
                                  [&](const auto& each) { return each.name == name; });
  if (found != metrics_.end()) return &*found;
  if (metrics_.size() == kMostMetrics) return nullptr;
  const std::vector<double> none(changed_.size(), kNone);
  metrics_.push_back({name, none, none, none, std::vector<double>(changed_.size(), 0)});
  return &metrics_.back();
}

void RunTable::take(const StoredRun& stored, std::uint64_t change) {
  const Run& run = stored.run;
  if (run.id < 0) return;
  const auto row = static_cast<std::size_t>(run.id);
  grow(row + 1);
  changed_[row] = change;
  const MetricFigures* primary = stored.metric(metric_);
  const auto put = [&](Field field, double value) { values_[field][row] = value; };
  put(status, static_cast<double>(run.status));
  put(ended_by, static_cast<double>(run.ended_by));
  put(attempt, run.attempt);
  put(created, epoch_seconds(run.created));
  put(started, epoch_seconds(run.started));
  put(ended, epoch_seconds(run.ended));
  put(best, primary ? primary->best(goal_).value_or(kNone) : kNone);
  put(last, primary ? primary->last : kNone);
  put(reports, primary ? static_cast<double>(primary->count) : 0);
  put(slot, stored.slot.value_or(-1));
  put(memory, stored.peak_memory ? static_cast<double>(*stored.peak_memory) : kNone);
  put(cpu, seconds_or_none(stored.cpu_time));
  for (const Binding& binding : run.parameters)
    if (set(parameter(bare_name(binding.name)), row, binding.value))
      std::fill(changed_.begin(), changed_.end(), change);
  for (MetricColumns& columns : metrics_) {
    columns.last[row] = columns.least[row] = columns.greatest[row] = kNone;
    columns.count[row] = 0;
  }
  for (const MetricFigures& figures : stored.metrics) {
    MetricColumns* columns = metric(figures.name);
    if (!columns) continue;
    columns->last[row] = figures.last;
    columns->least[row] = figures.least.value_or(kNone);
    columns->greatest[row] = figures.greatest.value_or(kNone);
    columns->count[row] = static_cast<double>(figures.count);
  }
}

std::string RunTable::encode(std::uint64_t since, Json head) const {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < changed_.size(); ++row)
    if (changed_[row] > since) rows.push_back(row);
  const auto picked = [&]<class T>(const std::vector<double>& from, T none) {
    std::vector<T> values;
    values.reserve(rows.size());
    for (const std::size_t row : rows)
      values.push_back(std::isnan(from[row]) ? none : static_cast<T>(from[row]));
    return values;
  };
  const auto reals = [&](const std::vector<double>& from) { return picked(from, kNone); };
  const auto integers = [&](const std::vector<double>& from) {
    return picked(from, std::int32_t{-1});
  };
  const auto bytes = [&](const std::vector<double>& from) { return picked(from, std::uint8_t{0}); };

  BinaryTable table("HDC1");
  const auto field = [](const char* name) { return Json{{"name", name}, {"role", "field"}}; };
  std::vector<std::int32_t> numbers(rows.begin(), rows.end());
  table.add(field("number"), numbers);
  table.add(field("status"), bytes(values_[status]));
  table.add(field("ended_by"), bytes(values_[ended_by]));
  table.add(field("attempt"), integers(values_[attempt]));
  table.add(field("created"), reals(values_[created]));
  table.add(field("started"), reals(values_[started]));
  table.add(field("ended"), reals(values_[ended]));
  table.add(field("best"), reals(values_[best]));
  table.add(field("last"), reals(values_[last]));
  table.add(field("reports"), integers(values_[reports]));
  table.add(field("slot"), integers(values_[slot]));
  table.add(field("peak_memory"), reals(values_[memory]));
  table.add(field("cpu"), reals(values_[cpu]));
  for (const ParameterColumn& column : parameters_) {
    Json description = {{"name", base::to_utf8(column.name)}, {"role", "parameter"}};
    if (column.numbers) {
      table.add(std::move(description), reals(column.values));
      continue;
    }
    description["categories"] = Json::array();
    for (const std::string& value : column.categories)
      description["categories"].push_back(base::parse_ordered_json(value));
    table.add(std::move(description), integers(column.values));
  }
  for (const MetricColumns& columns : metrics_) {
    const auto of = [&](const char* stat) {
      return Json{{"name", base::to_utf8(columns.name)}, {"role", "metric"}, {"stat", stat}};
    };
    table.add(of("last"), reals(columns.last));
    table.add(of("least"), reals(columns.least));
    table.add(of("greatest"), reals(columns.greatest));
    table.add(of("count"), integers(columns.count));
  }
  head["rows"] = rows.size();
  return table.bytes(std::move(head));
}

}  // namespace hdrive::server::portal
