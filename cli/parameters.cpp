// SPDX-License-Identifier: Apache-2.0
#include "cli/parameters.h"

#include <fmt/format.h>

#include <algorithm>

namespace hdrive::cli {
namespace {

std::string column_name(std::string_view parameter, const std::vector<std::string>& taken) {
  std::string name(bare_name(parameter));
  if (std::find(taken.begin(), taken.end(), name) != taken.end())
    name.insert(0, "hyperparameters.");
  return name;
}

Cell text_cell(std::string_view text) { return {std::string(text), printable(text)}; }

template <class T>
Cell integer_cell(const std::optional<T>& number) {
  if (!number) return {nullptr, ""};
  return {*number, std::to_string(*number)};
}

Cell metric_cell(const std::optional<double>& value) {
  if (!value) return {nullptr, "-"};
  return {json_number(*value), number_text(*value)};
}

Cell took_cell(const RunReport& run) {
  if (run.started == Time{} || run.ended == Time{}) return {nullptr, ""};
  const Duration took = run.ended - run.started;
  return {json_number(static_cast<double>(took.count()) / 1e6), duration_text(took)};
}

}  // namespace

std::vector<std::string> parameter_names(const SearchSpace& space) {
  std::vector<std::string> names;
  for (const Parameter& parameter : space.parameters)
    if (std::find(names.begin(), names.end(), parameter.name) == names.end())
      names.push_back(parameter.name);
  return names;
}

std::vector<std::string> parameter_names(const std::vector<RunReport>& runs) {
  std::vector<std::string> names;
  for (const RunReport& run : runs) {
    auto behind = names.begin();
    for (const Binding& binding : run.hyperparameters) {
      auto found = std::find(names.begin(), names.end(), binding.name);
      if (found == names.end()) found = names.insert(behind, binding.name);
      behind = found + 1;
    }
  }
  return names;
}

std::vector<std::string> parameter_columns(const std::vector<std::string>& names,
                                           const std::vector<std::string>& taken) {
  std::vector<std::string> columns;
  for (const std::string& name : names) columns.push_back(column_name(name, taken));
  return columns;
}

Cell cell_of(const Assignment& parameters, const std::string& name) {
  const Value* value = find(parameters, name);
  if (!value) return {nullptr, ""};
  return {OrderedJson::parse(to_json(*value)), printable(to_text(*value))};
}

Listing runs_listing(const std::vector<RunReport>& runs, const std::string& metric,
                     Parameters parameters) {
  Listing listing;
  std::vector<Column>& columns = listing.columns;
  columns = {{"run_id", ""},
             {"number", "RUN", Align::right},
             {"status", "STATUS"},
             {"best_primary_metric", printable(metric), Align::right},
             {"last_primary_metric", "LAST", Align::right, 0, 3},
             {"reports", "REPORTS", Align::right, 0, 4},
             {"seconds", "TIME", Align::right, 0, 2},
             {"attempt", ""},
             {"ended_by", ""},
             {"exit_code", ""},
             {"signal", ""},
             {"created", ""},
             {"started", ""},
             {"ended", ""},
             {"proposal", ""},
             {"reason", ""}};
  const auto names =
      parameters == Parameters::apart ? parameter_names(runs) : std::vector<std::string>();
  std::vector<std::string> taken;
  for (const Column& column : columns) taken.push_back(column.key);
  if (parameters == Parameters::together)
    columns.push_back({"hyperparameters", "HYPERPARAMETERS", Align::left, 24, 1});
  else
    for (const auto& name : parameter_columns(names, taken)) columns.push_back({name, ""});
  for (const RunReport& run : runs) {
    std::vector<Cell> row{
        text_cell(run.run_id),
        {run.number, std::to_string(run.number)},
        {std::string(to_string(run.status)), std::string(outcome_text(run.status, run.ended_by))},
        metric_cell(run.best_primary_metric),
        metric_cell(run.last_primary_metric),
        {run.reports, std::to_string(run.reports)},
        took_cell(run),
        {run.attempt, ""},
        text_cell(to_string(run.ended_by)),
        integer_cell(run.exit_code),
        integer_cell(run.signal),
        {json_time(run.created), ""},
        {json_time(run.started), ""},
        {json_time(run.ended), ""},
        text_cell(run.proposal),
        text_cell(run.reason)};
    if (parameters == Parameters::together)
      row.push_back({nullptr, parameters_text(run.hyperparameters)});
    else
      for (const std::string& name : names) row.push_back(cell_of(run.hyperparameters, name));
    listing.rows.push_back(std::move(row));
  }
  return listing;
}

}  // namespace hdrive::cli
