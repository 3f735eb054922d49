// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_syntax.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace hdrive::config {
namespace {

// yaml-cpp's words say what its scanner met; these say what to look for.
std::string explain_syntax(const std::string& message) {
  struct Row {
    std::string_view theirs, ours;
  };
  static constexpr Row kRows[] = {
      {"illegal map value",
       "\": \" is not allowed here; check the indentation, or quote a text that holds \": \""},
      {"end of map not found",
       "this line does not continue the mapping it is in; check the indentation"},
      {"end of sequence not found",
       "this line does not continue the list it is in; check the indentation"},
      {"end of map flow not found", "\"{\" is never closed; add \"}\""},
      {"end of sequence flow not found", "\"[\" is never closed; add \"]\""},
      {"illegal EOF in scalar", "a quoted text is never closed; add the closing quote"},
      {"illegal document indicator in scalar", "a quoted text is never closed before this line"},
      {"unknown token", "a value cannot begin with this character; put the value in quotes"},
      {"illegal block entry", "\"- \" is not allowed here; check the indentation"},
      {"illegal map key", "\"? \" is not allowed here; check the indentation"},
      {"the referenced anchor is not defined",
       "an alias (*) names no anchor; define it before with &, or put a text that begins with "
       "\"*\" in quotes"},
      {"illegal flow end", "this \"]\" or \"}\" closes nothing; remove it"},
  };
  if (message.starts_with("unknown escape character: "))
    return R"(not valid YAML: in double quotes "\" begins an escape, and "\)" +
           message.substr(message.size() - 1) +
           R"(" is none; write regular expressions, and other text with backslashes, in single quotes)";
  for (const Row& row : kRows)
    if (message == row.theirs) return "not valid YAML: " + std::string(row.ours);
  return "not valid YAML: " + message;
}

// A tab in the indentation makes yaml-cpp stumble somewhere later: name the cause.
std::optional<Place> tab_in_indentation(int source, std::string_view text, int line) {
  const auto lines = base::split(text, '\n');
  const int last = std::min<int>(line, static_cast<int>(lines.size()));
  for (int i = last; i >= std::max(1, last - 1); --i) {
    const std::string_view row = lines[static_cast<std::size_t>(i - 1)];
    const std::size_t indent = row.find_first_not_of(" \t");
    const std::size_t tab = row.find('\t');
    if (tab != std::string_view::npos && indent != std::string_view::npos && tab < indent)
      return Place{source, i, static_cast<int>(tab) + 1};
  }
  return std::nullopt;
}

// `key:value` in the line or above it, which is one word for YAML and makes it stumble over the
// next key.
std::optional<Place> colon_without_blank(int source, std::string_view text, int line) {
  constexpr std::string_view kWord =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  const auto lines = base::split(text, '\n');
  const int last = std::min<int>(line, static_cast<int>(lines.size()));
  for (int i = last; i >= std::max(1, last - 2); --i) {
    const std::string_view row = lines[static_cast<std::size_t>(i - 1)];
    const std::size_t begin = row.find_first_not_of(" -");
    if (begin == row.npos || row[begin] == '#') continue;
    const std::size_t colon = row.find_first_not_of(kWord, begin);
    if (colon == row.npos || colon == begin || row[colon] != ':') continue;
    if (colon + 1 == row.size() || row[colon + 1] == ' ' || row[colon + 1] == '\t' ||
        row[colon + 1] == '\r' || row[colon + 1] == '/')
      continue;
    return Place{source, i, static_cast<int>(colon) + 1};
  }
  return std::nullopt;
}

/// Follows the brackets of a text as far as YAML sees them: not in quotes and comments, and outside
/// of brackets only where a value begins.
class Brackets {
 public:
  struct Open {
    char bracket;
    int line, column;
  };

  /// Reads up to a place.
  Brackets(std::string_view text, Place end) {
    for (std::size_t i = 0; i < text.size() && !(line_ == end.line && column_ == end.column); ++i) {
      take(text[i]);
      before_ = text[i];
    }
  }

  /// The innermost bracket that is open.
  std::optional<Open> innermost() const {
    return open_.empty() ? std::nullopt : std::optional(open_.back());
  }

 private:
  void take(char c) {
    const bool begins = !open_.empty() || before_ == ' ' || before_ == '\n' || before_ == '-';
    if (quote_ != 0) {
      if (c == quote_ && !(quote_ == '"' && before_ == '\\')) quote_ = 0;
    } else if (comment_) {
      comment_ = c != '\n';
    } else if ((c == '"' || c == '\'') && begins) {
      quote_ = c;
    } else if (c == '#' && (before_ == ' ' || before_ == '\n')) {
      comment_ = true;
    } else if ((c == '[' || c == '{') && begins) {
      open_.push_back({c, line_, column_});
    } else if ((c == ']' || c == '}') && !open_.empty()) {
      open_.pop_back();
    }
    column_ = c == '\n' ? 1 : column_ + 1;
    line_ += c == '\n' ? 1 : 0;
  }

  std::vector<Open> open_;
  char before_ = '\n', quote_ = 0;
  bool comment_ = false;
  int line_ = 1, column_ = 1;
};

// "[" closed by "}", or the other way about; nothing where none is open.
std::string crossed_brackets(std::string_view text, Place place) {
  const auto open = Brackets(text, place).innermost();
  if (!open) return "";
  const char right = open->bracket == '[' ? ']' : '}', wrong = right == ']' ? '}' : ']';
  const std::string where = open->line == place.line ? "column " + std::to_string(open->column)
                                                     : "line " + std::to_string(open->line);
  return "not valid YAML: the " + in_quotes({&open->bracket, 1}) + " of " + where +
         " is closed by " + in_quotes({&wrong, 1}) + "; write " + in_quotes({&right, 1});
}

}  // namespace

void report_syntax(const std::string& message, Place place, const Node* unfinished,
                   Problems& problems) {
  const std::string& text = problems.source_text(place.source);
  if (const auto tab = tab_in_indentation(place.source, text, place.line))
    return problems.error(*tab, "not valid YAML: a tab indents this line; indent with spaces");
  if (message == "illegal map value" || message == "end of map not found")
    if (const auto colon = colon_without_blank(place.source, text, place.line))
      return problems.error(*colon,
                            "not valid YAML: a blank is missing after the colon; write \"key: "
                            "value\"");
  if (message == "illegal flow end")
    if (std::string crossed = crossed_brackets(text, place); !crossed.empty())
      return problems.error(place, std::move(crossed));
  // Where a bracket is missing is anyone's guess; where it was opened is known.
  if (unfinished && message.find("flow not found") != std::string::npos) place = unfinished->place;
  problems.error(place, explain_syntax(message));
}

// Whether the bytes are text at all; yaml-cpp would silently replace what is not.
bool check_text(int source, Problems& problems) {
  const std::string& text = problems.source_text(source);
  Place place{source, 1, 1};
  std::size_t i = 0;
  const auto fail = [&](const std::string& what) {
    problems.error(place, what + "; allowed: YAML as UTF-8 text");
    return false;
  };
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0) return fail("this is a binary file (it holds a zero byte)");
    std::size_t length = 1;
    if (byte >= 0x80) {
      while (i + length < text.size() && length < 4 &&
             (static_cast<unsigned char>(text[i + length]) & 0xC0) == 0x80)
        ++length;
      const std::string_view character = std::string_view(text).substr(i, length);
      if (base::to_utf8(character) != character) return fail("these bytes are not UTF-8");
    }
    if (byte == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      place.column += static_cast<int>(length);
    }
    i += length;
  }
  return true;
}

}  // namespace hdrive::config
