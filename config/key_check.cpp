// SPDX-License-Identifier: Apache-2.0
#include "config/key_check.h"

#include <algorithm>

#include "base/text.h"

namespace hdrive::config {
namespace {

constexpr std::size_t kFewKeys = 12;

bool has_kind(KeyKind kind, const Node& node) {
  switch (kind) {
    case KeyKind::text:
      return node.is(Node::Kind::text);
    case KeyKind::integer:
      return node.integer().has_value();
    case KeyKind::number:
      return node.is_number() && !node.overflow && node.number - node.number == 0;
    case KeyKind::boolean:
      return node.is(Node::Kind::boolean);
    case KeyKind::mapping:
      return node.is(Node::Kind::map);
    case KeyKind::list:
      return node.is(Node::Kind::list);
    case KeyKind::any:
      return true;
  }
  return false;
}

bool in_range(const KeyInfo& row, const Node& node) {
  if (row.kind != KeyKind::integer && row.kind != KeyKind::number) return true;
  if (row.minimum &&
      (row.exclusive_minimum ? node.number <= *row.minimum : node.number < *row.minimum))
    return false;
  return !row.maximum || node.number <= *row.maximum;
}

// Where a key that is unknown here would be at home: `it belongs under "policy"`.
std::string home_of(std::string_view key, Section here) {
  if (here == Section::job || here == Section::target || here == Section::resources ||
      here == Section::distribution)
    return "";
  if (here == Section::top && key == "limits")
    return "it is of v2 jobs; here its members are keys of their own: max_total_trials is "
           "\"max_total_runs\", max_concurrent_trials \"max_concurrent_runs\", timeout "
           "\"max_duration_minutes\", in minutes, and trial_timeout "
           "\"max_run_duration_seconds\"";
  for (const KeyInfo& row : schema()) {
    if (here == Section::parameter || here == Section::option || row.name != key ||
        row.section == here)
      continue;
    switch (row.section) {
      case Section::top:
        return "it belongs at the top level";
      case Section::sampling:
        return "it belongs under \"sampling\"";
      default:
        continue;
    }
  }
  const auto has_option = [&](const AlgorithmInfo& algorithm) {
    return std::any_of(algorithm.options.begin(), algorithm.options.end(),
                       [&](const OptionInfo& option) { return option.name == key; });
  };
  const auto named = [&](const std::vector<AlgorithmInfo>& table) {
    return std::any_of(table.begin(), table.end(), has_option);
  };
  if (here != Section::policy && named(policy_algorithms())) return "it belongs under \"policy\"";
  return "";
}

// The row an unknown key was probably meant for; empty if there is none.
std::string meant_by(std::string_view key, const std::vector<KeyInfo>& rows) {
  for (const KeyInfo& row : rows)
    for (const std::string_view other : row.elsewhere)
      if (base::fold(other) == base::fold(key)) return std::string(row.name);
  std::vector<std::string> names;
  for (const KeyInfo& row : rows) names.emplace_back(row.name);
  return base::nearest(key, names).value_or("");
}

// Returns the key it was probably meant for, which then is not called missing too.
std::string report_unknown(const Entry& entry, const std::vector<KeyInfo>& rows,
                           std::string_view what, Problems& problems) {
  const Section here = rows.empty() ? Section::top : rows.front().section;
  const std::string text = "unknown key " + in_quotes(entry.key) + std::string(what);
  if (const std::size_t colon = entry.key.find(':'); colon != entry.key.npos)
    if (std::string meant = meant_by(entry.key.substr(0, colon), rows); !meant.empty()) {
      const std::string value = entry.key.substr(colon + 1);
      problems.error(entry.place, text + "; a blank is missing after the colon: " +
                                      in_quotes(meant + ": " + value));
      return meant;
    }
  const std::string home = home_of(entry.key, here);
  if (!home.empty()) {
    problems.error(entry.place, text + "; " + home);
    return "";
  }
  std::string meant = meant_by(entry.key, rows);
  std::string advice = meant.empty() ? "" : "; did you mean \"" + meant + "\"?";
  // Dozens of names would hide the one that is meant.
  if (meant.empty() || rows.size() <= kFewKeys) {
    std::vector<std::string> names;
    for (const KeyInfo& row : rows) names.emplace_back(row.name);
    advice.insert(0, "; allowed: " + listing(names));
  }
  problems.error(entry.place, text + advice);
  return meant;
}

// Of what is a number, yet none that can be taken: infinite, or beyond 64 bits.
std::optional<std::string> allowed_number(const KeyInfo& row, const Node& node) {
  if (row.minimum || row.maximum || !row.allowed.empty()) return std::nullopt;
  if (row.kind == KeyKind::number && node.is_number()) return "a finite number";
  if (row.kind == KeyKind::integer && node.is(Node::Kind::integer))
    return node.negative ? "an integer of at least -9223372036854775808"
                         : "an integer up to 9223372036854775807";
  return std::nullopt;
}

}  // namespace

std::string quoting_advice(const Problems& problems, const Node& node) {
  if (!problems.is_setting(node.place.source) || !node.is(Node::Kind::map)) return "";
  return "; --set reads YAML, so put text that holds \": \" in quotes of its own, as in --set "
         "'key=\"a: b\"'";
}

bool check_value(const KeyInfo& row, std::string_view name, const Node& node, Problems& problems) {
  const std::string subject = in_quotes(name) + " is " + describe(node) + "; allowed: ";
  if (!has_kind(row.kind, node) || !in_range(row, node)) {
    std::string text = subject + allowed_number(row, node).value_or(allowed_text(row));
    text += quoting_advice(problems, node);
    if (row.kind == KeyKind::text && node.is_scalar() && !node.is(Node::Kind::null))
      text += "; in quotes it would be text";
    if (row.kind == KeyKind::boolean && node.is(Node::Kind::text)) {
      const std::string word = base::lower(node.text);
      if (word == "yes" || word == "on") text += "; did you mean true?";
      if (word == "no" || word == "off") text += "; did you mean false?";
    }
    problems.error(node.place, text);
    return false;
  }
  if (row.kind != KeyKind::text) return true;
  if (node.text.empty()) {
    problems.error(node.place,
                   in_quotes(name) + " is an empty text; allowed: " + allowed_text(row));
    return false;
  }
  if (node.text.find('\0') != std::string::npos) {
    problems.error(node.place, subject + "text without zero bytes");
    return false;
  }
  return true;
}

std::vector<std::pair<const KeyInfo*, const Entry*>> check_mapping(const std::vector<KeyInfo>& rows,
                                                                   const Node& map, Place place,
                                                                   std::string_view what,
                                                                   Problems& problems) {
  std::vector<std::pair<const KeyInfo*, const Entry*>> sound;
  std::vector<std::string> meant;
  for (const Entry& entry : map.entries) {
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const KeyInfo& each) { return each.name == entry.key; });
    if (row == rows.end())
      meant.push_back(report_unknown(entry, rows, what, problems));
    else if (check_value(*row, row->name, *entry.value, problems))
      sound.emplace_back(&*row, &entry);
  }
  for (const KeyInfo& row : rows)
    if (row.required && !map.find(row.name) &&
        std::find(meant.begin(), meant.end(), row.name) == meant.end())
      problems.error(place, "key \"" + std::string(row.name) + "\" is missing" + std::string(what) +
                                "; it takes " + allowed_text(row));
  return sound;
}

}  // namespace hdrive::config
