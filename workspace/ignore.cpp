// SPDX-License-Identifier: Apache-2.0
#include "workspace/ignore.h"

#include <algorithm>

#include "base/text.h"
#include "workspace/wildmatch.h"

namespace hdrive::workspace {
namespace {

constexpr std::string_view kSpecial = "*?[\\";

// Blanks at the end go, unless a backslash keeps them.
std::string_view without_trailing_blanks(std::string_view line) {
  std::size_t end = line.size();
  bool in_blanks = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ') {
      if (!in_blanks) end = i;
      in_blanks = true;
      continue;
    }
    in_blanks = false;
    if (line[i] == '\\' && ++i >= line.size()) return line;
  }
  return in_blanks ? line.substr(0, end) : line;
}

}  // namespace

IgnoreFile::IgnoreFile(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::size_t number = 0;
  for (std::string_view line : base::split(text, '\n')) {
    ++number;
    line = line.substr(0, line.find('\0'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    auto pattern = parse(line);
    if (!pattern) continue;
    pattern->line = number;
    patterns_.push_back(*std::move(pattern));
  }
}

std::optional<IgnoreFile::Pattern> IgnoreFile::parse(std::string_view line) {
  if (line.empty() || line.front() == '#') return std::nullopt;
  line = without_trailing_blanks(line);
  Pattern pattern;
  if (line.starts_with('!')) {
    pattern.negated = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    pattern.folders_only = true;
    line.remove_suffix(1);
  }
  pattern.name_only = line.find('/') == line.npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  pattern.glob = line;
  pattern.literal = std::min(line.find_first_of(kSpecial), line.size());
  return pattern;
}

bool IgnoreFile::matches(const Pattern& pattern, std::string_view path) {
  const std::string_view glob = pattern.glob;
  if (pattern.name_only) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return pattern.literal == glob.size() ? name == glob : wild_match(glob, name, Wild::name);
  }
  const std::string_view literal = glob.substr(0, pattern.literal);
  if (!path.starts_with(literal)) return false;
  const std::string_view rest = glob.substr(literal.size());
  path.remove_prefix(literal.size());
  if (rest.empty() && path.empty()) return true;
  return wild_match(rest, path, Wild::path);
}

std::optional<IgnoreFile::Decision> IgnoreFile::decide(std::string_view path,
                                                       bool is_folder) const {
  // The last pattern that matches decides.
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern)
    if ((is_folder || !pattern->folders_only) && matches(*pattern, path))
      return Decision{!pattern->negated, pattern->line};
  return std::nullopt;
}

IgnoreRules IgnoreRules::with(const std::string& path, std::string_view text,
                              const std::string& name) const {
  IgnoreRules result = *this;
  result.files_.push_back({path.empty() ? "" : path + "/", name, IgnoreFile(text)});
  return result;
}

std::pair<const IgnoreRules::Placed*, IgnoreFile::Decision> IgnoreRules::decide(
    std::string_view path, bool is_folder) const {
  for (auto placed = files_.rbegin(); placed != files_.rend(); ++placed)
    if (const auto decision = placed->file.decide(path.substr(placed->folder.size()), is_folder))
      return {&*placed, *decision};
  return {nullptr, {}};
}

bool IgnoreRules::ignores(std::string_view path, bool is_folder) const {
  return decide(path, is_folder).second.ignored;
}

std::optional<std::string> IgnoreRules::ignored_by(std::string_view path, bool is_folder) const {
  const auto [file, decision] = decide(path, is_folder);
  if (!decision.ignored) return std::nullopt;
  return file->folder + file->name + ":" + std::to_string(decision.line);
}

}  // namespace hdrive::workspace
