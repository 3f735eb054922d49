// SPDX-License-Identifier: Apache-2.0
//
// What differs between two specifications, in words.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "config/schema.h"
#include "config/write.h"
#include "hdrive/config.h"
#include "hdrive/space.h"

namespace hdrive {
namespace {

using Texts = std::vector<std::string>;
using Entries = std::map<std::string, std::string>;

// What a key has in one specification and in the other; empty: nothing.
struct Difference {
  std::string key, before, after;
  std::string added;   // where a list grew: what is new at its end
  std::string absent;  // what an absence stands for
};
using Differences = std::vector<Difference>;

// Of two mappings, an entry each.
void compare(const std::string& key, const Entries& before, const Entries& after,
             Differences& found) {
  std::map<std::string, std::pair<std::string, std::string>> both;
  for (const auto& [name, value] : before) both[name].first = value;
  for (const auto& [name, value] : after) both[name].second = value;
  for (const auto& [name, values] : both)
    if (values.first != values.second)
      found.push_back({key + "." + name, values.first, values.second});
}

Entries entries_of(const AlgorithmSpec& algorithm) {
  Entries entries{{"type", algorithm.name}};
  for (const auto& [name, value] : algorithm.options) entries[name] = config::yaml_value(value);
  return entries;
}

// Parameters may share a name where they never exist together.
Entries entries_of(const SearchSpace& space) {
  Entries entries;
  for (const Parameter& parameter : space.parameters) {
    std::string& text = entries[std::string(bare_name(parameter.name))];
    text += (text.empty() ? "" : " or ") + to_text(parameter.expression);
  }
  return entries;
}

void compare_lists(std::string_view key, const Texts& before, const Texts& after,
                   Differences& found) {
  Difference difference{std::string(key), base::join(before, ", "), base::join(after, ", ")};
  const bool grew =
      after.size() > before.size() && std::equal(before.begin(), before.end(), after.begin());
  if (grew)
    difference.added = base::join(
        Texts(after.begin() + static_cast<std::ptrdiff_t>(before.size()), after.end()), ", ");
  found.push_back(std::move(difference));
}

Texts points_of(const SweepSpec& spec) {
  Texts points;
  for (const Assignment& point : spec.start_points) points.push_back(config::yaml_point(point));
  return points;
}

// Of the value of a key that takes more than one line.
void compare_blocks(std::string_view key, const SweepSpec& before, const SweepSpec& after,
                    Differences& found) {
  const auto words = [&](const Texts SweepSpec::*member) {
    found.push_back({std::string(key), shell_quote(before.*member), shell_quote(after.*member)});
  };
  if (key == "policy") {
    compare("policy", entries_of(before.policy), entries_of(after.policy), found);
  } else if (key == "sampling") {
    compare("sampling", entries_of(before.sampling), entries_of(after.sampling), found);
    compare("sampling.parameter_space", entries_of(before.space), entries_of(after.space), found);
  } else if (key == "environment_variables") {
    compare("environment_variables", before.environment_variables, after.environment_variables,
            found);
  } else if (key == "tags") {
    compare("tags", before.tags, after.tags, found);
  } else if (key == "command") {
    words(&SweepSpec::command);
  } else if (key == "on_end") {
    words(&SweepSpec::on_end);
  } else if (key == "on_run_end") {
    words(&SweepSpec::on_run_end);
  } else if (key == "gpus") {
    compare_lists(key, before.gpus, after.gpus, found);
  } else if (key == "metric_patterns") {
    compare_lists(key, before.metric_patterns, after.metric_patterns, found);
  } else if (key == "resume_from") {
    compare_lists(key, before.resume_from, after.resume_from, found);
  } else if (key == "resume_child_runs") {
    compare_lists(key, before.resume_child_runs, after.resume_child_runs, found);
  } else if (key == "start_points") {
    compare_lists(key, points_of(before), points_of(after), found);
  }
}

Differences compare(const SweepSpec& before, const SweepSpec& after) {
  Differences found;
  for (const config::KeyInfo& row : config::schema()) {
    if (!row.write) continue;
    const std::string old_value = row.write(before), new_value = row.write(after);
    if (old_value == new_value) continue;
    const std::size_t so_far = found.size();
    if (old_value.starts_with('\n') || new_value.starts_with('\n'))
      compare_blocks(row.name, before, after, found);
    else
      found.push_back({std::string(row.name), old_value, new_value});
    for (std::size_t i = so_far; i < found.size(); ++i)
      if (found[i].key == row.name) found[i].absent = row.default_text;
    // It differs in what these words do not tell: conditions, the kind of a number.
    if (found.size() == so_far) found.push_back({std::string(row.name), "", ""});
  }
  return found;
}

}  // namespace

std::vector<std::string> changes(const SweepSpec& before, const SweepSpec& after) {
  Texts result;
  const auto shown = [](const std::string& text) { return text.empty() ? "none" : text; };
  for (const Difference& each : compare(before, after)) {
    // Each of a hundred enqueued points would else repeat all before it.
    if (!each.added.empty())
      result.push_back(each.key + ": " + each.added + " added");
    else if (each.before == each.after)
      result.push_back(each.key);
    else
      result.push_back(each.key + ": " + shown(each.before) + " -> " + shown(each.after));
  }
  return result;
}

std::vector<std::string> differences(const SweepSpec& one, const SweepSpec& other) {
  Texts result;
  for (const Difference& each : compare(other, one)) {
    const auto shown = [&](const std::string& text) {
      return !text.empty() ? text : each.absent.empty() ? "none" : each.absent;
    };
    result.push_back(each.before == each.after ? each.key
                                               : each.key + ": " + shown(each.after) +
                                                     " instead of " + shown(each.before));
  }
  return result;
}

}  // namespace hdrive
