// SPDX-License-Identifier: Apache-2.0
#include "config/problems.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace hdrive {

std::string Problem::message() const {
  std::string place = file;
  if (line > 0) place += ":" + std::to_string(line) + ":" + std::to_string(column);
  if (!place.empty()) place += ": ";
  return place + (severity == Severity::warning ? "warning: " : "") + text;
}

bool LoadedConfig::ok() const {
  return std::none_of(problems.begin(), problems.end(), [](const Problem& problem) {
    return problem.severity == Problem::Severity::error;
  });
}

namespace config {

int Problems::add_source(std::string name, std::string text, Lines lines) {
  sources_.push_back({std::move(name), std::move(text), lines, {}});
  return static_cast<int>(sources_.size()) - 1;
}

void Problems::add(Problem::Severity severity, Place place, std::string& text) {
  if (severity == Problem::Severity::error) ++errors_;
  Problem problem{severity, sources_[place.source].name, place.line, place.column, std::move(text)};
  entries_.push_back({place, std::move(problem)});
}

// Positions count bytes; a person counts characters.
int Problems::characters(Source& source, Place place) const {
  if (source.line_starts.empty()) {
    source.line_starts.push_back(0);
    for (std::size_t i = 0; i < source.text.size(); ++i)
      if (source.text[i] == '\n') source.line_starts.push_back(i + 1);
  }
  const auto line = static_cast<std::size_t>(place.line - 1);
  if (line >= source.line_starts.size()) return place.column;
  const std::size_t start = source.line_starts[line];
  const auto bytes = static_cast<std::size_t>(place.column - 1);
  const std::string_view before = std::string_view(source.text).substr(start, bytes);
  const auto continuations = std::count_if(before.begin(), before.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
  });
  return place.column - static_cast<int>(continuations);
}

std::vector<Problem> Problems::take() {
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.place.source, a.place.line, a.place.column) <
           std::tie(b.place.source, b.place.line, b.place.column);
  });
  std::vector<Problem> result;
  result.reserve(entries_.size());
  for (Entry& entry : entries_) {
    Source& source = sources_[entry.place.source];
    if (source.lines == Lines::untold)
      entry.problem.line = entry.problem.column = 0;
    else if (entry.place.line > 0)
      entry.problem.column = characters(source, entry.place);
    result.push_back(std::move(entry.problem));
  }
  entries_.clear();
  return result;
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  if (text.size() <= kLongest) return std::string(text);
  std::size_t end = kLongest - 10;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string in_quotes(std::string_view text) { return base::json_string(shortened(text)); }

std::string listing(const std::vector<std::string>& words) { return base::join(words, ", "); }

}  // namespace config
}  // namespace hdrive
