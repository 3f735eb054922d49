// SPDX-License-Identifier: Apache-2.0
#include "cli/parameters.h"

#include <algorithm>

namespace hdrive::cli {
namespace {

std::string column_name(std::string_view parameter, const std::vector<std::string>& taken) {
  std::string name(bare_name(parameter));
  if (std::find(taken.begin(), taken.end(), name) != taken.end())
    name.insert(0, "hyperparameters.");
  return name;
}

// A text and a number are what they are in CSV as well; all else is JSON.
JsonValue json_value(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return JsonValue::json(to_json(value));
}

}  // namespace

std::vector<std::string> parameter_names(const SearchSpace& space) {
  std::vector<std::string> names;
  for (const Parameter& parameter : space.parameters)
    if (std::find(names.begin(), names.end(), parameter.name) == names.end())
      names.push_back(parameter.name);
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
  return {json_value(*value), printable(to_text(*value))};
}

}  // namespace hdrive::cli
