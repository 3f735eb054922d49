// SPDX-License-Identifier: Apache-2.0
#include "compute/output_patterns.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "compute/metric_lines.h"

namespace hdrive::compute {
namespace {

std::unique_ptr<re2::RE2> compile(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return std::make_unique<re2::RE2>(pattern, options);
}

std::optional<std::string> fault_of(const re2::RE2& expression) {
  if (!expression.ok()) return "it is no regular expression (RE2): " + expression.error();
  if (expression.NumberOfCapturingGroups() > 0) return std::nullopt;
  return "it has no group for the value; put parentheses around it, as in \"accuracy: "
         "([0-9.]+)\"";
}

std::string_view view(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

}  // namespace

OutputPatterns::~OutputPatterns() = default;
OutputPatterns::OutputPatterns(OutputPatterns&&) noexcept = default;
OutputPatterns& OutputPatterns::operator=(OutputPatterns&&) noexcept = default;

Result<OutputPatterns> OutputPatterns::make(const std::vector<std::string>& patterns,
                                            std::string primary_metric) {
  OutputPatterns made;
  made.primary_metric_ = std::move(primary_metric);
  for (const std::string& text : patterns) {
    Pattern pattern;
    pattern.expression = compile(text);
    if (const auto fault = fault_of(*pattern.expression))
      return Error{"metric pattern " + base::json_string(text), *fault};
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
                   "it has no group for the value; name it (?P<value>...)"};
    made.patterns_.push_back(std::move(pattern));
  }
  return made;
}

void OutputPatterns::search(std::string_view line, std::vector<Metric>& metrics,
                            std::vector<std::string>& faults) const {
  line = line.substr(0, kLongestOutputLine);
  for (const Pattern& pattern : patterns_) {
    const int groups = 1 + std::max({pattern.value, pattern.name, pattern.step});
    std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups));
    const re2::StringPiece text(line.data(), line.size());
    const auto group = [&](int number) { return view(found[static_cast<std::size_t>(number)]); };
    for (std::size_t from = 0; from <= line.size();) {
      if (!pattern.expression->Match(text, from, line.size(), re2::RE2::UNANCHORED, found.data(),
                                     groups))
        break;
      const auto end = static_cast<std::size_t>(found[0].data() + found[0].size() - line.data());
      from = end > from ? end : from + 1;
      const auto value = base::parse_number(group(pattern.value));
      if (!value) {
        faults.push_back("a metric pattern matched, but its value is not a number: " +
                         base::json_string(group(pattern.value).substr(0, 80)));
        continue;
      }
      Metric metric;
      metric.value = *value;
      metric.name = pattern.name > 0 ? std::string(group(pattern.name)) : primary_metric_;
      if (const char* problem = check_metric_name(metric.name)) {
        faults.push_back(std::string("a metric pattern matched, but ") + problem);
        continue;
      }
      const auto step = pattern.step > 0 ? base::parse_number(group(pattern.step)) : std::nullopt;
      if (step && std::abs(*step) < 9e18) metric.step = static_cast<std::int64_t>(*step);
      metrics.push_back(std::move(metric));
    }
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
