// SPDX-License-Identifier: Apache-2.0
//
// Nearly every line has the plain form {"name": "x", "value": 1.5, "step": 3}: flat, without
// escapes. A small scanner reads those, at some 100 ns each. All others go through nlohmann_json,
// after bare words it would refuse (NaN, Infinity) were quoted.
#include "compute/metric_lines.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/json.h"
#include "base/json_words.h"
#include "base/text.h"
#include "compute/iso_time.h"

namespace hdrive::compute {
namespace {

// The text of one value, and whether it stood in quotes.
struct Field {
  std::string_view text;
  bool present = false;
  bool quoted = false;
};

// The keys that mean something. Each points into the line, or into the text that owns it.
struct Fields {
  Field name, value, step, time;

  Field* find(std::string_view key) {
    if (key == "value") return &value;
    if (key == "name") return &name;
    if (key == "step") return &step;
    if (key == "time") return &time;
    return nullptr;
  }
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool ends_word(char c) {
  return is_space(c) || c == ',' || c == '}' || c == ']' || c == ':' || c == '{' || c == '[' ||
         c == '"';
}

class Scanner {
 public:
  explicit Scanner(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  // False: not of the plain form, which says nothing about whether it is right.
  bool scan(Fields& fields) {
    if (!take('{')) return false;
    do {
      std::string_view key;
      Field field;
      if (!quoted(key) || !take(':') || !scalar(field)) return false;
      if (Field* known = fields.find(key)) *known = field;
    } while (take(','));
    if (!take('}')) return false;
    skip_space();
    return at_ == end_;
  }

 private:
  void skip_space() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }

  bool take(char wanted) {
    skip_space();
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }

  bool quoted(std::string_view& text) {
    if (!take('"')) return false;
    const char* begin = at_;
    while (at_ != end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20)
      ++at_;
    if (at_ == end_ || *at_ != '"') return false;
    text = {begin, static_cast<std::size_t>(at_ - begin)};
    ++at_;
    return true;
  }

  bool scalar(Field& field) {
    skip_space();
    field.present = true;
    if (at_ != end_ && *at_ == '"') {
      field.quoted = true;
      return quoted(field.text);
    }
    const char* begin = at_;
    while (at_ != end_ && !ends_word(*at_)) ++at_;
    field.text = {begin, static_cast<std::size_t>(at_ - begin)};
    return !field.text.empty();
  }

  const char* at_;
  const char* end_;
};

std::string excerpt(std::string_view line) {
  constexpr std::size_t kLength = 80;
  const std::string text = base::json_string(line.substr(0, kLength));
  return line.size() > kLength ? text + "..." : text;
}

LineKind wrong(std::string& fault, std::string what) {
  fault = std::move(what);
  return LineKind::wrong;
}

// As from_chars where that suffices, and what is beyond a double's range becomes infinite or zero.
std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  return base::parse_number(text);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  const auto real = base::parse_number(text);
  constexpr double kLimit = 9.2e18;
  if (!real || std::abs(*real) > kLimit || std::trunc(*real) != *real) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}

bool is_null(const Field& field) { return !field.quoted && field.text == "null"; }

LineKind interpret(const Fields& fields, std::string_view line, Metric& metric,
                   std::string& fault) {
  if (!fields.name.present || !fields.value.present)
    return wrong(fault,
                 std::string("it has no \"") + (fields.name.present ? "value" : "name") +
                     "\" (expected {\"name\": \"accuracy\", \"value\": 0.93}): " + excerpt(line));
  if (!fields.name.quoted) return wrong(fault, "its \"name\" is not text: " + excerpt(line));
  metric.name.assign(fields.name.text);
  if (const char* problem = check_metric_name(metric.name)) return wrong(fault, problem);
  const auto value = number(fields.value.text);
  if (!value)
    return wrong(fault, "its \"value\" is not a number but " + excerpt(fields.value.text));
  metric.value = *value;
  metric.step.reset();
  metric.time.reset();
  if (fields.step.present && !is_null(fields.step)) {
    metric.step = whole_number(fields.step.text);
    if (!metric.step)
      fault = "its \"step\" is not a whole number but " + excerpt(fields.step.text) +
              "; the metric was taken without it";
  }
  if (fields.time.present && !is_null(fields.time)) {
    metric.time = parse_time(fields.time.text);
    if (!metric.time)
      fault = "its \"time\" is neither seconds since 1970 nor like 2026-01-31T12:00:00Z but " +
              excerpt(fields.time.text) + "; the metric was taken without it";
  }
  return LineKind::metric;
}

LineKind parse_any(std::string_view line, Metric& metric, std::string& fault) {
  const auto json = base::parse_json(base::quote_bare_words(base::to_utf8(line)));
  if (!json.is_object())
    return wrong(fault, "it is not a JSON object like {\"name\": \"accuracy\", \"value\": 0.93}: " +
                            excerpt(line));
  Fields fields;
  std::string texts[4];
  std::size_t count = 0;
  for (const char* key : {"name", "value", "step", "time"}) {
    const auto found = json.find(key);
    if (found == json.end()) continue;
    std::string& text = texts[count++];
    text = found->is_string()   ? found->get<std::string>()
           : found->is_array()  ? "a list"
           : found->is_object() ? "an object"
                                : found->dump();
    // A number had no quotes before; only for a name does that make a difference.
    *fields.find(key) = {text, true, found->is_string()};
  }
  return interpret(fields, line, metric, fault);
}

}  // namespace

const char* check_metric_name(std::string& name) {
  if (name.empty()) return "its name is empty";
  const bool ascii = std::all_of(name.begin(), name.end(),
                                 [](char c) { return static_cast<signed char>(c) >= 0; });
  if (!ascii) name = base::to_utf8(name);
  if (name.size() > kLongestMetricName) return "its name is longer than 255 bytes";
  return nullptr;
}

LineKind parse_metric_line(std::string_view line, Metric& metric, std::string& fault) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (std::all_of(line.begin(), line.end(), is_space)) return LineKind::blank;
  Fields fields;
  if (Scanner(line).scan(fields)) return interpret(fields, line, metric, fault);
  return parse_any(line, metric, fault);
}

}  // namespace hdrive::compute

namespace hdrive {

std::optional<Metric> metric_of_line(std::string_view line) {
  Metric metric;
  std::string fault;
  if (compute::parse_metric_line(line, metric, fault) != compute::LineKind::metric)
    return std::nullopt;
  return metric;
}

}  // namespace hdrive
