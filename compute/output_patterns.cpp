// SPDX-License-Identifier: Apache-2.0
#include "compute/output_patterns.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "compute/metric_lines.h"

namespace hdrive::compute {
namespace {

constexpr char kAnyValue[] = "\\S+";
constexpr std::size_t kExcerpt = 80;

std::unique_ptr<re2::RE2> compile(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return std::make_unique<re2::RE2>(pattern, options);
}

std::optional<std::string> fault_of(const re2::RE2& expression) {
  if (!expression.ok()) return "it is no regular expression (RE2): " + expression.error();
  if (expression.NumberOfCapturingGroups() > 0) return std::nullopt;
  return "it has no group for the value; put parentheses around it, as in \"accuracy: (\\S+)\"";
}

std::string_view view(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

// ---- the value's group, in the text of a pattern ------------------------------------------------

// The end of a bracket expression, "[^]a]" or "[[:digit:]]", that begins at `at`.
std::size_t end_of_class(std::string_view pattern, std::size_t at) {
  ++at;
  if (at < pattern.size() && pattern[at] == '^') ++at;
  if (at < pattern.size() && pattern[at] == ']') ++at;
  for (; at < pattern.size() && pattern[at] != ']'; ++at) {
    if (pattern[at] == '\\') ++at;
    if (pattern.substr(at).starts_with("[:")) at = std::min(pattern.find(":]", at), pattern.size());
  }
  return at;
}

// Where the contents of a group begin that opens at `at`, and whether it captures.
std::pair<std::size_t, bool> contents_of_group(std::string_view pattern, std::size_t at) {
  const std::string_view rest = pattern.substr(at + 1);
  if (!rest.starts_with('?')) return {at + 1, true};
  const bool named = rest.starts_with("?P<") || rest.starts_with("?<");
  const std::size_t end = pattern.find_first_of(named ? ">" : ":)", at);
  return {end == std::string_view::npos ? pattern.size() : end + 1, named};
}

// The pattern with \S+ in the capturing group of that number; empty where that would change
// nothing.
std::string with_any_value(const std::string& pattern, int wanted) {
  std::vector<std::pair<std::size_t, int>> open;  // where the contents begin, number or 0
  int groups = 0;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\') {
      if (pattern.compare(at, 2, "\\Q") == 0)
        at = std::min(pattern.find("\\E", at), pattern.size());
      ++at;
    } else if (c == '[') {
      at = end_of_class(pattern, at);
    } else if (c == '(') {
      const auto [contents, captures] = contents_of_group(pattern, at);
      open.emplace_back(contents, captures ? ++groups : 0);
      at = contents - 1;
      if (contents > 0 && pattern[at] == ')') open.pop_back();  // flags alone: (?i)
    } else if (c == ')' && !open.empty()) {
      const auto [contents, number] = open.back();
      open.pop_back();
      if (number != wanted) continue;
      if (pattern.compare(contents, at - contents, kAnyValue) == 0) return "";
      return pattern.substr(0, contents) + kAnyValue + pattern.substr(at);
    }
  }
  return "";
}

// ---- numbers that go on beyond a match ----------------------------------------------------------

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
char at(std::string_view line, std::size_t position) {
  return position < line.size() ? line[position] : '\0';
}

// Whether a number that ends before `end` goes on there: "2.000|e-03", "1|,234.5", "0|.25", "1|2".
bool goes_on(std::string_view line, std::size_t end) {
  const char next = at(line, end), after = at(line, end + 1);
  if (is_digit(next)) return true;
  if (next == '.' || next == ',') return is_digit(after);
  if (next != 'e' && next != 'E') return false;
  return is_digit(after) || ((after == '-' || after == '+') && is_digit(at(line, end + 2)));
}

// Whether a number that begins at `begin` began before: "-|0.25", "0.|25", "1|2".
bool began_before(std::string_view line, std::size_t begin) {
  if (begin == 0 || !(is_digit(at(line, begin)) || at(line, begin) == '.')) return false;
  const char before = line[begin - 1], earlier = begin > 1 ? line[begin - 2] : ' ';
  if (is_digit(before)) return true;
  if (before == '.' || before == ',') return is_digit(earlier);
  return before == '-' && !is_digit(earlier) && !is_letter(earlier) && earlier != '-';
}

bool in_number(char c) {
  return is_digit(c) || c == '.' || c == ',' || c == 'e' || c == 'E' || c == '-' || c == '+';
}

// All of the number of which `begin` to `end` is a part.
std::string_view whole_number(std::string_view line, std::size_t begin, std::size_t end) {
  while (begin > 0 && began_before(line, begin)) --begin;
  while (end < line.size() && in_number(line[end])) ++end;
  return line.substr(begin, end - begin);
}

// "0.93," as it stands in a sentence; the number alone.
std::string_view without_punctuation(std::string_view value) {
  while (!value.empty() && std::string_view(",;:)]}").find(value.back()) != std::string_view::npos)
    value.remove_suffix(1);
  return value;
}

std::string short_text(std::string_view text) {
  return base::json_string(text.substr(0, kExcerpt));
}

}  // namespace

OutputPatterns::~OutputPatterns() = default;
OutputPatterns::OutputPatterns(OutputPatterns&&) noexcept = default;
OutputPatterns& OutputPatterns::operator=(OutputPatterns&&) noexcept = default;

Result<OutputPatterns::Pattern> OutputPatterns::make_pattern(const std::string& text) {
  Pattern pattern;
  pattern.text = text;
  pattern.expression = compile(text);
  if (const auto fault = fault_of(*pattern.expression))
    return Error{"metric pattern " + base::json_string(text), *fault, Error::Kind::invalid};
  const auto& groups = pattern.expression->NamedCapturingGroups();
  const auto number = [&](const char* name, int otherwise) {
    const auto found = groups.find(name);
    return found == groups.end() ? otherwise : found->second;
  };
  pattern.name = number("name", 0);
  pattern.step = number("step", 0);
  // Without a group `value`: the first that is nothing else.
  int first = 1;
  while (first == pattern.name || first == pattern.step) ++first;
  pattern.value = number("value", first);
  if (pattern.value > pattern.expression->NumberOfCapturingGroups())
    return Error{"metric pattern " + base::json_string(text),
                 "it has no group for the value; name it (?P<value>...)", Error::Kind::invalid};
  const std::string any_value = with_any_value(text, pattern.value);
  if (!any_value.empty()) pattern.any_value = compile(any_value);
  const bool sound = pattern.any_value && pattern.any_value->ok() &&
                     pattern.any_value->NumberOfCapturingGroups() >= pattern.value;
  if (!sound) pattern.any_value.reset();
  return pattern;
}

Result<OutputPatterns> OutputPatterns::make(const std::vector<std::string>& patterns,
                                            std::string primary_metric) {
  OutputPatterns made;
  made.primary_metric_ = std::move(primary_metric);
  for (const std::string& text : patterns) {
    auto pattern = make_pattern(text);
    if (!pattern) return pattern.error();
    made.patterns_.push_back(*std::move(pattern));
  }
  return made;
}

// One pattern in one line.
struct OutputPatterns::Search {
  std::string_view line;
  const Pattern& pattern;
  const std::string& primary_metric;
  std::vector<Metric>& metrics;
  std::vector<PatternFault>& faults;
  std::vector<re2::StringPiece> found;

  bool match(const re2::RE2& expression, std::size_t from) {
    const int groups = 1 + std::max({pattern.value, pattern.name, pattern.step});
    found.assign(static_cast<std::size_t>(groups), {});
    const re2::StringPiece text(line.data(), line.size());
    const int known = std::min(groups, 1 + expression.NumberOfCapturingGroups());
    return expression.Match(text, from, line.size(), re2::RE2::UNANCHORED, found.data(), known);
  }
  std::string_view group(int number) const { return view(found[static_cast<std::size_t>(number)]); }
  std::size_t begin(int number) const {
    return static_cast<std::size_t>(found[static_cast<std::size_t>(number)].data() - line.data());
  }
  std::size_t end(int number) const { return begin(number) + group(number).size(); }

  // Returns how often the pattern matched.
  int run() {
    int matches = 0;
    for (std::size_t from = 0; from <= line.size(); ++matches) {
      if (!match(*pattern.expression, from)) break;
      const std::size_t stop = take();
      from = stop > from ? stop : from + 1;
    }
    return matches;
  }

  // Returns where to go on.
  std::size_t take() {
    const auto value = base::parse_number(without_punctuation(group(pattern.value)));
    if (!value) {
      faults.push_back({"a metric pattern matched, but its value is not a number: " +
                        short_text(group(pattern.value))});
      return end(0);
    }
    if (const auto stop = misread()) return *stop;
    Metric metric;
    metric.value = *value;
    metric.name = pattern.name > 0 ? std::string(group(pattern.name)) : primary_metric;
    if (const char* problem = check_metric_name(metric.name)) {
      faults.push_back({std::string("a metric pattern matched, but ") + problem});
      return end(0);
    }
    const auto step = pattern.step > 0 ? base::parse_number(group(pattern.step)) : std::nullopt;
    if (step && std::abs(*step) < 9e18) metric.step = static_cast<std::int64_t>(*step);
    metrics.push_back(std::move(metric));
    return end(0);
  }

  // A pattern that says what stands beside the number has seen to it; where the match ends with the
  // value, the number may go on. Returns the end of the number then.
  std::optional<std::size_t> misread() {
    const std::size_t from = begin(pattern.value), to = end(pattern.value);
    const bool cut =
        (to == end(0) && goes_on(line, to)) || (from == begin(0) && began_before(line, from));
    if (!cut) return std::nullopt;
    const std::string_view whole = whole_number(line, from, to);
    faults.push_back({"the metric pattern " + short_text(pattern.text) + " takes only " +
                          short_text(group(pattern.value)) + " of " + short_text(whole) +
                          ", which was left out; write (\\S+) for the value, which takes every "
                          "number, or let the pattern go on with what follows the number",
                      true});
    return std::max(end(0), static_cast<std::size_t>(whole.data() + whole.size() - line.data()));
  }

  // A number where the pattern wants one, and that it does not take.
  void look_for_missed() {
    if (!pattern.any_value || !match(*pattern.any_value, 0)) return;
    const std::string_view value = without_punctuation(group(pattern.value));
    if (!base::parse_number(value)) return;
    faults.push_back({"the metric pattern " + short_text(pattern.text) + " passes over " +
                          short_text(value) +
                          "; write (\\S+) for the value, which takes every number",
                      true});
  }
};

void OutputPatterns::search(std::string_view line, std::vector<Metric>& metrics,
                            std::vector<PatternFault>& faults, bool look_for_missed) const {
  line = line.substr(0, kLongestOutputLine);
  for (const Pattern& pattern : patterns_) {
    Search search{line, pattern, primary_metric_, metrics, faults, {}};
    if (search.run() == 0 && look_for_missed) search.look_for_missed();
  }
}

}  // namespace hdrive::compute

namespace hdrive {

std::optional<std::string> metric_pattern_fault(const std::string& pattern) {
  const auto made = compute::OutputPatterns::make({pattern}, "metric");
  if (made) return std::nullopt;
  return made.error().what;
}

}  // namespace hdrive
