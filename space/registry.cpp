// SPDX-License-Identifier: Apache-2.0
#include "hdrive/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace hdrive {
namespace {

bool is_of_kind(const Value& value, OptionKind kind) {
  switch (kind) {
    case OptionKind::integer:
      return std::holds_alternative<std::int64_t>(value);
    case OptionKind::number:
      return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
    case OptionKind::boolean:
      return std::holds_alternative<bool>(value);
    case OptionKind::text:
      return std::holds_alternative<std::string>(value);
  }
  return false;
}

std::string_view kind_name(OptionKind kind) {
  switch (kind) {
    case OptionKind::integer:
      return "an integer";
    case OptionKind::number:
      return "a number";
    case OptionKind::boolean:
      return "true or false";
    case OptionKind::text:
      return "text";
  }
  return "";
}

// "an integer from 1 to 99", "a number above 0".
std::string allowed(const OptionInfo& option) {
  std::string text(kind_name(option.kind));
  if (option.minimum && option.exclusive_minimum)
    text += " above " + base::shortest(*option.minimum);
  else if (option.minimum)
    text += (option.maximum ? " from " : " of at least ") + base::shortest(*option.minimum);
  if (option.maximum)
    text += (option.minimum && !option.exclusive_minimum ? " to " : " up to ") +
            base::shortest(*option.maximum);
  return text;
}

bool is_allowed(const Value& value, const OptionInfo& option) {
  if (!is_of_kind(value, option.kind)) return false;
  if (option.kind == OptionKind::boolean || option.kind == OptionKind::text) return true;
  const double number = *as_number(value);
  if (!std::isfinite(number)) return false;
  if (option.maximum && number > *option.maximum) return false;
  if (!option.minimum) return true;
  return option.exclusive_minimum ? number > *option.minimum : number >= *option.minimum;
}

Error unknown_option(const AlgorithmInfo& info, const std::string& name) {
  std::vector<std::string> names;
  for (const OptionInfo& option : info.options) names.emplace_back(option.name);
  if (names.empty())
    return Error{"", fmt::format("{} has no option \"{}\"; it takes none", info.name, name)};
  return Error{"", fmt::format("{} has no option \"{}\"; it takes {};{}", info.name, name,
                               base::join(names, ", "), base::did_you_mean(name, names))};
}

}  // namespace

const AlgorithmInfo* find_algorithm(const std::vector<AlgorithmInfo>& table,
                                    std::string_view name) {
  const auto is_named = [wanted = base::fold(name)](const AlgorithmInfo& info) {
    return base::fold(info.name) == wanted ||
           std::any_of(info.aliases.begin(), info.aliases.end(),
                       [&](std::string_view alias) { return base::fold(alias) == wanted; });
  };
  const auto found = std::find_if(table.begin(), table.end(), is_named);
  return found == table.end() ? nullptr : &*found;
}

std::string unknown_algorithm(std::string_view family, const std::vector<AlgorithmInfo>& table,
                              std::string_view name) {
  std::vector<std::string> names, spellings;
  for (const AlgorithmInfo& info : table) {
    names.emplace_back(info.name);
    spellings.emplace_back(info.name);
    spellings.insert(spellings.end(), info.aliases.begin(), info.aliases.end());
  }
  const std::string hint = base::did_you_mean(name, spellings);
  return fmt::format("unknown {} type {}; allowed: {}{}{}", family, base::json_string(name),
                     base::join(names, ", "), hint.empty() ? "" : ";", hint);
}

const Value* Options::given(std::string_view name) const {
  const auto found = spec_.options.find(std::string(name));
  return found == spec_.options.end() ? nullptr : &found->second;
}

std::string_view Options::usual(std::string_view name) const {
  const auto found = std::find_if(info_.options.begin(), info_.options.end(),
                                  [&](const OptionInfo& option) { return option.name == name; });
  return found == info_.options.end() ? std::string_view() : found->default_text;
}

std::optional<double> Options::number(std::string_view name) const {
  if (const Value* value = given(name)) return as_number(*value);
  const std::string text(usual(name));
  return text.empty() ? std::nullopt : std::optional(std::stod(text));
}

std::optional<std::int64_t> Options::integer(std::string_view name) const {
  if (const Value* value = given(name)) return std::get<std::int64_t>(*value);
  const std::string text(usual(name));
  return text.empty() ? std::nullopt : std::optional<std::int64_t>(std::stoll(text));
}

bool Options::is_on(std::string_view name) const {
  if (const Value* value = given(name)) return std::get<bool>(*value);
  return usual(name) == "true";
}

Result<void> check_options(const AlgorithmInfo& info, const AlgorithmSpec& spec) {
  for (const auto& [name, value] : spec.options) {
    const auto option =
        std::find_if(info.options.begin(), info.options.end(),
                     [&name = name](const OptionInfo& row) { return row.name == name; });
    if (option == info.options.end()) return unknown_option(info, name);
    if (!is_allowed(value, *option))
      return Error{"", fmt::format("option {} of {} is {}; it must be {}", name, info.name,
                                   to_json(value), allowed(*option))};
  }
  for (const OptionInfo& option : info.options)
    if (option.required && !spec.options.contains(std::string(option.name)))
      return Error{
          "", fmt::format("{} needs the option {}: {}", info.name, option.name, option.summary)};
  return {};
}

}  // namespace hdrive
