// SPDX-License-Identifier: Apache-2.0
#include "hdrive/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "space/overloaded.h"

namespace hdrive {
namespace {

using space::Overloaded;

// Reads the members of a JSON object one after the other, keeping the text of each value as it was
// written: a nested list must come back byte for byte, or a resumed sweep would not know it again.
// Expects text that is valid JSON.
class MemberReader {
 public:
  explicit MemberReader(std::string_view object) : rest_(base::trim(object)) {
    rest_.remove_prefix(1);  // '{'
  }

  // The next member's name and value, both as JSON; nothing after the last one.
  std::optional<std::pair<std::string_view, std::string_view>> next() {
    skip_space();
    if (rest_.front() == ',') rest_.remove_prefix(1);
    skip_space();
    if (rest_.front() == '}') return std::nullopt;
    const std::string_view name = take_value();
    skip_space();
    rest_.remove_prefix(1);  // ':'
    skip_space();
    return std::pair(name, take_value());
  }

 private:
  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }

  // Up to the comma, colon or bracket that ends the value, whatever is nested in it.
  std::string_view take_value() {
    int depth = 0;
    bool in_string = false;
    std::size_t end = 0;
    for (; end < rest_.size(); ++end) {
      const char c = rest_[end];
      if (in_string) {
        if (c == '\\') ++end;
        if (c == '"') in_string = false;
        continue;
      }
      if (c == '"') in_string = true;
      if (depth == 0 && (c == ',' || c == ':' || c == '}')) break;
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
    }
    const std::string_view value = base::trim(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return value;
  }

  std::string_view rest_;
};

// A string of valid JSON, nearly always without escapes.
std::string text_from_json(std::string_view text) {
  if (text.find('\\') == text.npos) return std::string(text.substr(1, text.size() - 2));
  return base::string_of_json(text);
}

// A number of valid JSON; beyond 64 bits an integer is a real one.
Value number_from_json(std::string_view text) {
  std::int64_t integer = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), integer);
  if (error == std::errc{} && end == text.end()) return integer;
  return base::parse_number(text).value_or(0);
}

// A value of valid JSON.
Value value_from_json(std::string_view text) {
  switch (text.front()) {
    case '[':
    case '{':
      return Json{std::string(text)};
    case '"':
      return text_from_json(text);
    case 't':
      return true;
    case 'f':
      return false;
    case 'n':
      return std::monostate{};
    default:
      return number_from_json(text);
  }
}

}  // namespace

bool same_value(const Value& a, const Value& b) {
  if (a == b) return true;
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  return x && y && std::isnan(*x) && std::isnan(*y);
}

std::string to_text(const Value& value) {
  return std::visit(Overloaded{[](std::monostate) { return std::string("None"); },
                               [](bool flag) { return std::string(flag ? "True" : "False"); },
                               [](std::int64_t number) { return std::to_string(number); },
                               [](double number) { return base::python_number(number); },
                               [](const std::string& text) { return text; },
                               [](const Json& json) { return json.text; }},
                    value);
}

std::string to_json(const Value& value) {
  return std::visit(Overloaded{[](std::monostate) { return std::string("null"); },
                               [](bool flag) { return std::string(flag ? "true" : "false"); },
                               [](std::int64_t number) { return std::to_string(number); },
                               [](double number) { return base::json_number(number); },
                               [](const std::string& text) { return base::json_string(text); },
                               [](const Json& json) { return base::to_utf8(json.text); }},
                    value);
}

std::optional<double> as_number(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1.0 : 0.0;
  return std::nullopt;
}

std::string to_json(const Assignment& assignment) {
  std::string result = "{";
  for (const Binding& binding : assignment) {
    if (result.size() > 1) result += ',';
    result += base::json_string(binding.name) + ':' + to_json(binding.value);
  }
  return result + '}';
}

Result<Assignment> assignment_from_json(std::string_view json) {
  // accept() skips a byte order mark.
  if (!base::trim(json).starts_with('{') || !base::is_json(json))
    return Error{"",
                 "a parameter set is written as a JSON object, {\"name\": value, ...}, not as " +
                     base::json_string(json.substr(0, 80))};
  Assignment assignment;
  MemberReader members(json);
  while (const auto member = members.next()) {
    assignment.push_back({text_from_json(member->first), value_from_json(member->second)});
  }
  return assignment;
}

const Value* find(const Assignment& assignment, std::string_view name) {
  const auto same = [wanted = bare_name(name)](const Binding& binding) {
    return bare_name(binding.name) == wanted;
  };
  const auto found = std::find_if(assignment.begin(), assignment.end(), same);
  return found == assignment.end() ? nullptr : &found->value;
}

std::string_view bare_name(std::string_view parameter_name) {
  parameter_name.remove_prefix(
      std::min(parameter_name.find_first_not_of('-'), parameter_name.size()));
  return parameter_name;
}

}  // namespace hdrive
