// SPDX-License-Identifier: Apache-2.0
//
// What a change of a specification changes, in words.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "config/schema.h"
#include "config/write.h"
#include "hdrive/config.h"

namespace hdrive {
namespace {

using Texts = std::vector<std::string>;

std::string change(std::string_view key, const std::string& before, const std::string& after) {
  const auto shown = [](const std::string& text) { return text.empty() ? "none" : text; };
  return std::string(key) + ": " + shown(before) + " -> " + shown(after);
}

// Of two mappings, an entry each.
void compare(const std::string& key, const std::map<std::string, std::string>& before,
             const std::map<std::string, std::string>& after, Texts& changes) {
  std::map<std::string, std::pair<std::string, std::string>> both;
  for (const auto& [name, value] : before) both[name].first = value;
  for (const auto& [name, value] : after) both[name].second = value;
  for (const auto& [name, values] : both)
    if (values.first != values.second)
      changes.push_back(change(key + "." + name, values.first, values.second));
}

std::map<std::string, std::string> entries_of(const AlgorithmSpec& algorithm) {
  std::map<std::string, std::string> entries{{"type", algorithm.name}};
  for (const auto& [name, value] : algorithm.options) entries[name] = config::yaml_value(value);
  return entries;
}

// Told by itself, since each of a hundred enqueued points would else repeat all before it.
void compare_lists(std::string_view key, const Texts& before, const Texts& after, Texts& changes) {
  const bool grew =
      after.size() > before.size() && std::equal(before.begin(), before.end(), after.begin());
  if (grew)
    changes.push_back(
        std::string(key) + ": " +
        base::join(Texts(after.begin() + static_cast<std::ptrdiff_t>(before.size()), after.end()),
                   ", ") +
        " added");
  else
    changes.push_back(change(key, base::join(before, ", "), base::join(after, ", ")));
}

Texts points_of(const SweepSpec& spec) {
  Texts points;
  for (const Assignment& point : spec.start_points) points.push_back(config::yaml_point(point));
  return points;
}

// Of the value of a key that takes more than one line.
void compare_blocks(std::string_view key, const SweepSpec& before, const SweepSpec& after,
                    Texts& changes) {
  if (key == "policy")
    compare("policy", entries_of(before.policy), entries_of(after.policy), changes);
  else if (key == "sampling")
    compare("sampling", entries_of(before.sampling), entries_of(after.sampling), changes);
  else if (key == "environment_variables")
    compare("environment_variables", before.environment_variables, after.environment_variables,
            changes);
  else if (key == "command")
    changes.push_back(change(key, shell_quote(before.command), shell_quote(after.command)));
  else if (key == "on_end")
    changes.push_back(change(key, shell_quote(before.on_end), shell_quote(after.on_end)));
  else if (key == "on_run_end")
    changes.push_back(change(key, shell_quote(before.on_run_end), shell_quote(after.on_run_end)));
  else if (key == "metric_patterns")
    compare_lists(key, before.metric_patterns, after.metric_patterns, changes);
  else if (key == "start_points")
    compare_lists(key, points_of(before), points_of(after), changes);
  else
    changes.push_back(std::string(key));
}

}  // namespace

std::vector<std::string> changes(const SweepSpec& before, const SweepSpec& after) {
  Texts result;
  for (const config::KeyInfo& row : config::schema()) {
    if (!row.write) continue;
    const std::string old_value = row.write(before), new_value = row.write(after);
    if (old_value == new_value) continue;
    if (old_value.starts_with('\n') || new_value.starts_with('\n'))
      compare_blocks(row.name, before, after, result);
    else
      result.push_back(change(row.name, old_value, new_value));
  }
  return result;
}

}  // namespace hdrive
