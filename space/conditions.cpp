// SPDX-License-Identifier: Apache-2.0
#include "space/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "base/text.h"

namespace hdrive {
namespace {

using space::Parents;

std::string in_quotes(std::string_view name) { return fmt::format("\"{}\"", name); }

std::string where(const Parameter& parameter) {
  return fmt::format("parameter \"{}\"", parameter.name);
}

// The options under which a parameter exists, the outermost first: which choice, and which place in
// it.
struct Step {
  std::size_t choice;
  std::size_t option;
  bool operator==(const Step&) const = default;
};
using Path = std::vector<Step>;

constexpr double kBeyondIntegers = 9223372036854775808.0;  // 2^63

std::optional<std::size_t> place_of(const Expression& expression, const Value& option) {
  const auto* choice = std::get_if<Choice>(&expression);
  if (!choice) return std::nullopt;
  const auto found = std::find_if(choice->options.begin(), choice->options.end(),
                                  [&](const Value& each) { return same_value(each, option); });
  if (found == choice->options.end()) return std::nullopt;
  return static_cast<std::size_t>(found - choice->options.begin());
}

// The path of each parameter, from those before it; the first condition that leads nowhere is told.
Result<std::vector<Path>> paths_of(const SearchSpace& space, const Parents& parents) {
  std::vector<Path> paths(space.parameters.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto& condition = space.parameters[i].condition;
    if (!condition) continue;
    const std::string name = where(space.parameters[i]);
    if (!parents[i])
      return Error{name, fmt::format("depends on {}, which no parameter before it is called",
                                     in_quotes(condition->parameter))};
    const Expression& parent = space.parameters[*parents[i]].expression;
    if (!std::holds_alternative<Choice>(parent))
      return Error{name, fmt::format("depends on {}, which is {}; allowed: a choice",
                                     in_quotes(condition->parameter), to_text(parent))};
    const auto option = place_of(parent, condition->option);
    if (!option)
      return Error{name,
                   fmt::format("exists where {} is {}, which is not among its options; allowed: {}",
                               in_quotes(condition->parameter), to_json(condition->option),
                               to_text(parent))};
    paths[i] = paths[*parents[i]];
    paths[i].push_back({*parents[i], *option});
    if (paths[i].size() > static_cast<std::size_t>(kDeepestCondition))
      return Error{name, fmt::format("depends on more than {} conditions, one on another",
                                     kDeepestCondition)};
  }
  return paths;
}

// Whether some choice must have different options for the two to exist.
bool exclude_each_other(const SearchSpace& space, const Path& a, const Path& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i].choice != b[i].choice) return false;
    const auto& options = std::get<Choice>(space.parameters[a[i].choice].expression).options;
    if (!same_option(options[a[i].option], options[b[i].option])) return true;
  }
  return false;
}

// In the order in which the list would be written with each option's parameters under it.
bool comes_before(const Path& a, std::size_t index_a, const Path& b, std::size_t index_b) {
  for (std::size_t i = 0;; ++i) {
    const std::size_t x = i < a.size() ? a[i].choice : index_a;
    const std::size_t y = i < b.size() ? b[i].choice : index_b;
    if (x != y) return x < y;
    if (i >= a.size() || i >= b.size()) return i < b.size();  // a choice before what depends on it
    if (a[i].option != b[i].option) return a[i].option < b[i].option;
  }
}

Result<void> check_names(const SearchSpace& space, const std::vector<Path>& paths) {
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string_view name = bare_name(space.parameters[i].name);
    for (const std::size_t before : by_name[name])
      if (!exclude_each_other(space, paths[before], paths[i]))
        return Error{where(space.parameters[i]),
                     paths[before].empty() && paths[i].empty()
                         ? "is in the search space twice; leading dashes do not tell names apart"
                         : "shares its name with one that can exist together with it; allowed: "
                           "different options of one choice"};
    by_name[name].push_back(i);
  }
  return {};
}

}  // namespace

bool same_option(const Value& a, const Value& b) {
  if (same_value(a, b)) return true;
  const auto* integer = std::get_if<std::int64_t>(&a);
  const auto* real = std::get_if<double>(&b);
  if (!integer && !real) {
    integer = std::get_if<std::int64_t>(&b);
    real = std::get_if<double>(&a);
  }
  // Exactly: two integers beyond 2^53 may be near the same real number.
  return integer && real && std::abs(*real) < kBeyondIntegers && *real == std::trunc(*real) &&
         static_cast<std::int64_t>(*real) == *integer;
}

bool Choice::operator==(const Choice& other) const {
  return std::equal(options.begin(), options.end(), other.options.begin(), other.options.end(),
                    same_value);
}

std::vector<std::optional<std::size_t>> parents(const SearchSpace& space) {
  Parents result(space.parameters.size());
  std::unordered_map<std::string_view, std::size_t> last;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const Parameter& parameter = space.parameters[i];
    if (parameter.condition) {
      const auto found = last.find(bare_name(parameter.condition->parameter));
      if (found != last.end()) result[i] = found->second;
    }
    last[bare_name(parameter.name)] = i;
  }
  return result;
}

Result<void> check(const SearchSpace& space) {
  for (const Parameter& parameter : space.parameters) {
    if (bare_name(parameter.name).empty()) return Error{"space", "a parameter has no name"};
    if (const auto what = fault(parameter.expression))
      return Error{where(parameter),
                   fmt::format("{}: {}", expression_name(parameter.expression), *what)};
  }
  const auto paths = paths_of(space, parents(space));
  if (!paths) return paths.error();
  if (auto distinct = check_names(space, *paths); !distinct) return distinct;
  for (std::size_t i = 1; i < paths->size(); ++i)
    if (!comes_before((*paths)[i - 1], i - 1, (*paths)[i], i))
      return Error{where(space.parameters[i]),
                   fmt::format("stands behind {}; put it right behind what exists under the same "
                               "option of {} or an option before it",
                               in_quotes(space.parameters[i - 1].name),
                               in_quotes(space.parameters[i].condition->parameter))};
  return {};
}

bool is_active(const SearchSpace& space, std::size_t index, const Assignment& assignment) {
  if (!space.parameters[index].condition) return true;
  const Parents above = parents(space);
  return space::is_met(space, above, index, space::values_of(space, above, assignment));
}

namespace space {

bool is_met(const SearchSpace& space, const Parents& parents, std::size_t index,
            const std::vector<const Value*>& values) {
  const auto& condition = space.parameters[index].condition;
  if (!condition) return true;
  const Value* above = parents[index] ? values[*parents[index]] : nullptr;
  return above && same_option(*above, condition->option);
}

std::vector<const Value*> values_of(const SearchSpace& space, const Parents& parents,
                                    const Assignment& assignment) {
  std::vector<const Value*> values(space.parameters.size());
  std::size_t place = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!is_met(space, parents, i, values)) continue;
    // Nearly always at its own place, and then the whole takes one pass.
    const std::string& name = space.parameters[i].name;
    const bool expected = place < assignment.size() && assignment[place].name == name;
    values[i] = expected ? &assignment[place].value : find(assignment, name);
    place += values[i] ? 1 : 0;
  }
  return values;
}

std::string condition_text(const SearchSpace& space, const Parents& parents, std::size_t index) {
  const auto& condition = space.parameters[index].condition;
  if (!condition) return "";
  const std::string before =
      parents[index] ? condition_text(space, parents, *parents[index]) : std::string();
  return fmt::format("{}{}{} is {}", before, before.empty() ? "" : " and ",
                     in_quotes(condition->parameter), to_json(condition->option));
}

}  // namespace space
}  // namespace hdrive
