// SPDX-License-Identifier: Apache-2.0
#include "config/job_command.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "base/text.h"

namespace hdrive::config {
namespace {

constexpr std::array<std::string_view, 3> kGroups{"search_space", "inputs", "outputs"};

struct Placeholder {
  std::string_view text, group, name;
};

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\n'; }

// `${{ inputs.x }}`, or the earlier `{inputs.x}`, at the front of `text`.
std::optional<Placeholder> placeholder(std::string_view text) {
  const bool current = text.starts_with("${{");
  std::string_view inside;
  std::size_t size = 0;
  if (current) {
    const std::size_t end = text.find("}}");
    if (end == std::string_view::npos) return std::nullopt;
    inside = base::trim(text.substr(3, end - 3));
    size = end + 2;
  } else {
    if (!text.starts_with('{')) return std::nullopt;
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) return std::nullopt;
    inside = text.substr(1, end - 1);
    size = end + 1;
  }
  const std::size_t dot = std::min(inside.find('.'), inside.size());
  const std::string_view group = inside.substr(0, dot);
  const bool known = std::find(kGroups.begin(), kGroups.end(), group) != kGroups.end();
  if (!current && (!known || dot == inside.size())) return std::nullopt;
  return Placeholder{text.substr(0, size), group,
                     dot < inside.size() ? inside.substr(dot + 1) : ""};
}

/// Writes one line, keeping track of what quotes it is in.
class Line {
 public:
  Line(std::string_view command, const Resolve& resolve) : rest_(command), resolve_(resolve) {}

  std::string write() {
    while (!rest_.empty()) {
      if (quote_ != '\'' && rest_[0] == '\\' && rest_.size() > 1)
        take(2);
      else if (quote_ == 0 && rest_.starts_with("$[[") && rest_.find("]]") != rest_.npos)
        write_optional();
      else if (const auto found = placeholder(rest_))
        write_placeholder(*found);
      else
        write_character();
    }
    return std::move(out_);
  }

  bool unset = false;                    ///< something in it is
  std::vector<std::string> conditional;  ///< variables in it that may not exist

 private:
  void take(std::size_t size) {
    out_ += rest_.substr(0, size);
    rest_.remove_prefix(size);
  }

  void write_character() {
    const char c = rest_[0];
    if (quote_ == 0 && (c == '\'' || c == '"'))
      quote_ = c;
    else if (c == quote_)
      quote_ = 0;
    take(1);
  }

  void write_optional() {
    std::size_t end = rest_.find("]]");
    // `${{x}}]]`: the brackets close behind the placeholder's braces; `a[0]]]` behind the last.
    while (end + 2 < rest_.size() && rest_[end + 2] == ']') ++end;
    Line part(rest_.substr(3, end - 3), resolve_);
    std::string text = part.write();
    rest_.remove_prefix(end + 2);
    if (part.unset) return;
    for (const std::string& variable : part.conditional) text = "${" + variable + "+" + text + "}";
    out_ += text;
  }

  void write_placeholder(const Placeholder& found) {
    rest_.remove_prefix(found.text.size());
    const auto reference = resolve_(found.group, found.name, found.text);
    if (!reference) return;
    if (reference->kind == Reference::Kind::unset) unset = true;
    const bool conditional_value = reference->kind == Reference::Kind::conditional;
    const std::string value = "${" + reference->variable + (conditional_value ? "-" : "") + "}" +
                              (reference->suffix.empty() ? "" : reference->suffix);
    if (quote_ == '"')
      out_ += value;
    else if (quote_ == '\'')
      out_ += "'\"" + value + "\"'";
    else if (conditional_value)
      write_conditional(reference->variable);
    else
      out_ += "\"" + value + "\"";
    if (conditional_value) conditional.push_back(reference->variable);
  }

  // With the option in front of it, which means nothing alone: `--beta `, or `--beta=`.
  void write_conditional(const std::string& variable) {
    std::size_t start = out_.size();
    while (start > 0 && is_white(out_[start - 1])) --start;
    const bool apart = start < out_.size();
    while (start > 0 && !is_white(out_[start - 1])) --start;
    const std::string_view word = std::string_view(out_).substr(start);
    const bool option = word.starts_with('-') && word.find_first_of("\"'$=\\;|&(") == word.npos;
    const bool joined = word.starts_with('-') && word.ends_with('=') && !apart;
    std::string front;
    if ((option && apart) || joined) {
      front = word;
      out_.resize(start);
    }
    out_ += "${" + variable + "+" + front + "\"$" + variable + "\"}";
  }

  std::string_view rest_;
  const Resolve& resolve_;
  std::string out_;
  char quote_ = 0;
};

bool is_of_a_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::string shell_line(std::string_view command, const Resolve& resolve) {
  return Line(command, resolve).write();
}

std::string shell_word(std::string_view word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

std::string variable_name(std::string_view prefix, std::string_view name) {
  std::string result(prefix);
  for (const char c : name) result += is_of_a_name(c) ? c : '_';
  return result;
}

}  // namespace hdrive::config
