// SPDX-License-Identifier: Apache-2.0
//
// A mapping of a v2 job against the rows of its schema.
#include <algorithm>

#include "base/text.h"
#include "config/job_schema.h"
#include "config/key_check.h"

namespace hdrive::config {
namespace {

bool is_called(const JobKey& key, std::string_view name) {
  return key.row.name == name ||
         std::find(key.earlier.begin(), key.earlier.end(), name) != key.earlier.end();
}

// The rows of a mapping under the names that `map` uses for them; the second and further spellings
// of one key are reported, and are known all the same.
std::vector<KeyInfo> rows_as_spelled(std::string_view mapping, const Node& map,
                                     Problems& problems) {
  std::vector<KeyInfo> rows;
  for (const JobKey& key : job_schema()) {
    if (key.mapping != mapping) continue;
    rows.push_back(key.row);
    const Entry* first = map.find(key.row.name);
    for (const std::string_view name : key.earlier) {
      const Entry* entry = map.find(name);
      if (!entry) continue;
      if (first)
        problems.error(entry->place, in_quotes(name) + " is an earlier name of " +
                                         in_quotes(key.row.name) +
                                         ", and both are given; remove one");
      else
        rows.back().name = name;
      if (first) {
        rows.push_back(key.row);
        rows.back().name = name;
        rows.back().required = false;
      }
      first = entry;
    }
  }
  return rows;
}

// Mappings of a job, the likelier home of a name first: `timeout` is rather of the limits than of a
// trial of the first generation.
constexpr std::string_view kHomes[] = {
    "limits", "trial", "objective", "early_termination", "resources", "sampling_algorithm"};

bool has(std::string_view mapping, std::string_view name) {
  return std::any_of(job_schema().begin(), job_schema().end(), [&](const JobKey& key) {
    return key.mapping == mapping && is_called(key, name);
  });
}

// Where a key that is unknown in `mapping` would be at home: `it belongs under "trial"`.
std::string home_of(std::string_view mapping, std::string_view name) {
  if (has(mapping, name)) return "";
  if (mapping == "trial" || mapping == "limits" || mapping == "objective")
    return has("job", name) ? "it belongs at the top level" : "";
  if (mapping != "job") return "";
  for (const std::string_view home : kHomes)
    if (has(home, name)) return "it belongs under " + in_quotes(home);
  return "";
}

void tell_treatment(const JobKey& key, const Entry& entry, Problems& problems) {
  const std::string text = in_quotes(entry.key) + " ";
  if (key.treatment == Treatment::warned)
    problems.warn(entry.place, text + "has no effect: " + std::string(key.note));
  const auto count = entry.value->integer();
  if (key.treatment == Treatment::refused && count &&
      *count > *base::parse_number(key.row.default_text))
    problems.error(entry.value->place, text + "is " + std::to_string(*count) +
                                           "; allowed: " + std::string(key.row.default_text) +
                                           ", since " + std::string(key.note));
}

}  // namespace

std::string_view to_string(Treatment treatment) {
  static constexpr std::string_view kWords[] = {"honoured", "mapped", "warned", "refused"};
  return kWords[static_cast<int>(treatment)];
}

const Entry* Fields::entry(std::string_view key) const {
  for (const auto& [row, entry] : all_)
    if (row->row.name == key && !entry->value->is(Node::Kind::null)) return entry;
  return nullptr;
}

const Node* Fields::find(std::string_view key) const {
  const Entry* found = entry(key);
  return found ? found->value.get() : nullptr;
}

Fields read_fields(std::string_view mapping, const Node& map, Place place, std::string_view what,
                   Problems& problems) {
  // What is empty is absent.
  Node filled = map;
  std::erase_if(filled.entries, [&](const Entry& entry) {
    return entry.value->is(Node::Kind::null) &&
           std::any_of(job_schema().begin(), job_schema().end(), [&](const JobKey& key) {
             return key.mapping == mapping && is_called(key, entry.key);
           });
  });
  std::erase_if(filled.entries, [&](const Entry& entry) {
    const std::string home = home_of(mapping, entry.key);
    if (home.empty()) return false;
    problems.error(entry.place,
                   "unknown key " + in_quotes(entry.key) + std::string(what) + "; " + home);
    return true;
  });
  const std::vector<KeyInfo> rows = rows_as_spelled(mapping, filled, problems);
  Fields fields;
  for (const auto& [row, sound] : check_mapping(rows, filled, place, what, problems)) {
    const Entry* entry = map.find(sound->key);
    for (const JobKey& key : job_schema()) {
      if (key.mapping != mapping || !is_called(key, entry->key)) continue;
      tell_treatment(key, *entry, problems);
      fields.all_.emplace_back(&key, entry);
    }
  }
  return fields;
}

Node flattened(const Node& map, std::initializer_list<std::string_view> keys) {
  Node flat = map;
  flat.entries.clear();
  for (const Entry& entry : map.entries) {
    const bool opened = entry.value->is(Node::Kind::map) &&
                        std::find(keys.begin(), keys.end(), entry.key) != keys.end();
    if (!opened)
      flat.entries.push_back(entry);
    else
      flat.entries.insert(flat.entries.end(), entry.value->entries.begin(),
                          entry.value->entries.end());
  }
  return flat;
}

}  // namespace hdrive::config
