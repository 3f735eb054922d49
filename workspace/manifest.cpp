// SPDX-License-Identifier: Apache-2.0
#include "workspace/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace hdrive::workspace {
namespace {

constexpr std::string_view kFirstLine = "hdrive-snapshot 1";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string line_of(const SnapshotEntry& entry) {
  const std::string path = escaped(entry.path);
  if (is_folder(entry)) return "d " + path;
  if (entry.digest.empty()) return "l " + escaped(entry.target) + " " + path;
  return fmt::format("{} {} {} {}", entry.executable ? 'x' : 'f', entry.digest, entry.size, path);
}

// A path that stays below the folder it is relative to.
bool is_inside(std::string_view path) {
  if (path.empty() || path.find('\0') != path.npos) return false;
  const auto parts = base::split(path, '/');
  return std::none_of(parts.begin(), parts.end(), [](std::string_view part) {
    return part.empty() || part == "." || part == "..";
  });
}

std::optional<SnapshotEntry> parse_line(std::string_view line) {
  const auto words = base::split(line, ' ');
  SnapshotEntry entry;
  entry.path = unescaped(words.back());
  const std::string_view kind = words.front();
  if (!is_inside(entry.path)) return std::nullopt;
  if (kind == "d" && words.size() == 2) return entry;
  if (kind == "l" && words.size() == 3) {
    entry.target = unescaped(words[1]);
    return entry.target.empty() ? std::nullopt : std::optional(entry);
  }
  if ((kind != "f" && kind != "x") || words.size() != 4 || !is_digest(words[1]))
    return std::nullopt;
  entry.executable = kind == "x";
  entry.digest = words[1];
  const auto [end, error] =
      std::from_chars(words[2].data(), words[2].data() + words[2].size(), entry.size);
  if (error != std::errc() || end != words[2].data() + words[2].size()) return std::nullopt;
  return entry;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '%')
      result += fmt::format("%{:02X}", byte);
    else
      result += c;
  }
  return result;
}

std::string unescaped(std::string_view word) {
  std::string result;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const int high = word[i] == '%' && i + 2 < word.size() ? hex_digit(word[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_digit(word[i + 2]);
    if (low < 0) {
      result += word[i];
      continue;
    }
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string write_manifest(std::vector<SnapshotEntry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  std::string text = std::string(kFirstLine) + "\n";
  for (const SnapshotEntry& entry : entries) text += line_of(entry) + "\n";
  return text;
}

Result<std::vector<SnapshotEntry>> parse_manifest(std::string_view text) {
  std::vector<SnapshotEntry> entries;
  auto lines = base::split(text, '\n');
  if (lines.size() < 2 || lines.front() != kFirstLine || !lines.back().empty())
    return Error{"", "is no description of a snapshot that this version reads",
                 Error::Kind::damaged};
  lines.pop_back();
  for (std::size_t i = 1; i < lines.size(); ++i) {
    auto entry = parse_line(lines[i]);
    if (!entry)
      return Error{"", fmt::format("line {} is no entry of a snapshot", i + 1),
                   Error::Kind::damaged};
    entries.push_back(*std::move(entry));
  }
  return entries;
}

}  // namespace hdrive::workspace
