// SPDX-License-Identifier: Apache-2.0
//
// The same decisions as git's wildmatch.c takes, quirks included: people know their ignore files
// from git.
#include "workspace/wildmatch.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>

namespace hdrive::workspace {
namespace {

enum class Outcome {
  match,
  no_match,
  abort_all,          // no other length of an earlier `*` can help
  abort_to_starstar,  // only another length of an earlier `**` can
};

constexpr int kMostSteps = 1'000'000;

bool is_special(char c) { return c == '*' || c == '?' || c == '[' || c == '\\'; }

struct Class {
  std::string_view name;
  int (*contains)(int);
};
constexpr Class kClasses[] = {
    {"alnum", [](int c) { return std::isalnum(c); }},
    {"alpha", [](int c) { return std::isalpha(c); }},
    {"blank", [](int c) { return int{c == ' ' || c == '\t'}; }},
    {"cntrl", [](int c) { return std::iscntrl(c); }},
    {"digit", [](int c) { return std::isdigit(c); }},
    {"graph", [](int c) { return std::isgraph(c); }},
    {"lower", [](int c) { return std::islower(c); }},
    {"print", [](int c) { return std::isprint(c); }},
    {"punct", [](int c) { return std::ispunct(c); }},
    {"space", [](int c) { return std::isspace(c); }},
    {"upper", [](int c) { return std::isupper(c); }},
    {"xdigit", [](int c) { return std::isxdigit(c); }},
};

class Matcher {
 public:
  Matcher(std::string_view pattern, std::string_view text, Wild kind)
      : pattern_(pattern), text_(text), path_(kind == Wild::path) {}

  Outcome match(std::size_t p, std::size_t t) {
    const std::size_t begin = p;
    for (; p < pattern_.size(); ++p, ++t) {
      if (++steps_ > kMostSteps) return Outcome::abort_all;
      const char wanted = pattern_[p];
      if (t >= text_.size() && wanted != '*') return Outcome::abort_all;
      switch (wanted) {
        case '?':
          if (path_ && text_[t] == '/') return Outcome::no_match;
          break;
        case '[': {
          const auto [outcome, end] = bracket(p, t);
          if (outcome != Outcome::match) return outcome;
          p = end;
          break;
        }
        case '*': {
          bool done = true;
          const Outcome outcome = star(begin, p, t, done);
          if (done) return outcome;
          break;  // at the slash behind the star in both
        }
        case '\\':
          ++p;
          if (at(p) != text_[t]) return Outcome::no_match;
          break;
        default:
          if (wanted != text_[t]) return Outcome::no_match;
      }
    }
    return t < text_.size() ? Outcome::no_match : Outcome::match;
  }

 private:
  char at(std::size_t p) const { return p < pattern_.size() ? pattern_[p] : '\0'; }

  // At a `*`. Unless `done` is cleared the answer is final.
  Outcome star(std::size_t begin, std::size_t& p, std::size_t& t, bool& done) {
    const std::size_t first = p++;
    bool over_slashes = !path_;
    if (at(p) == '*') {
      while (at(p) == '*') ++p;
      const bool from_slash = first == begin || pattern_[first - 1] == '/';
      const bool to_slash =
          p >= pattern_.size() || at(p) == '/' || (at(p) == '\\' && at(p + 1) == '/');
      if (path_ && from_slash && to_slash) {
        // "a/**/b" matches "a/b" too.
        if (at(p) == '/' && match(p + 1, t) == Outcome::match) return Outcome::match;
        over_slashes = true;
      }
    }
    if (p >= pattern_.size())
      return !over_slashes && text_.find('/', t) != text_.npos ? Outcome::no_match : Outcome::match;
    if (!over_slashes && at(p) == '/') {
      t = text_.find('/', std::min(t, text_.size()));
      if (t == text_.npos) return Outcome::no_match;
      done = false;
      return Outcome::match;
    }
    return any_length(p, t, over_slashes);
  }

  Outcome any_length(std::size_t p, std::size_t t, bool over_slashes) {
    for (; t < text_.size(); ++t) {
      if (++steps_ > kMostSteps) return Outcome::abort_all;
      if (!is_special(at(p))) {
        while (t < text_.size() && (over_slashes || text_[t] != '/') && text_[t] != at(p)) ++t;
        if (t >= text_.size() || text_[t] != at(p)) return Outcome::no_match;
      }
      const Outcome outcome = match(p, t);
      if (outcome != Outcome::no_match) {
        if (!over_slashes || outcome != Outcome::abort_to_starstar) return outcome;
      } else if (!over_slashes && text_[t] == '/') {
        return Outcome::abort_to_starstar;
      }
    }
    return Outcome::abort_all;
  }

  // At a `[`: whether the character matches, and where the `]` is.
  std::pair<Outcome, std::size_t> bracket(std::size_t p, std::size_t t) const {
    const auto c = static_cast<unsigned char>(text_[t]);
    ++p;
    const bool negated = at(p) == '!' || at(p) == '^';
    if (negated) ++p;
    bool matched = false;
    unsigned char previous = 0;
    bool first = true;
    for (; first || at(p) != ']'; ++p) {
      first = false;
      auto wanted = static_cast<unsigned char>(at(p));
      if (wanted == 0) return {Outcome::abort_all, p};
      if (wanted == '\\') {
        wanted = static_cast<unsigned char>(at(++p));
        if (wanted == 0) return {Outcome::abort_all, p};
        matched |= c == wanted;
      } else if (wanted == '-' && previous && at(p + 1) != '\0' && at(p + 1) != ']') {
        wanted = static_cast<unsigned char>(at(++p));
        if (wanted == '\\') wanted = static_cast<unsigned char>(at(++p));
        if (wanted == 0) return {Outcome::abort_all, p};
        matched |= previous <= c && c <= wanted;
        wanted = 0;
      } else if (wanted == '[' && at(p + 1) == ':') {
        const std::size_t name = p + 2, end = pattern_.find(']', name);
        if (end == pattern_.npos) return {Outcome::abort_all, p};
        if (end == name || pattern_[end - 1] != ':') {
          matched |= c == '[';  // no class after all
        } else {
          const std::string_view word = pattern_.substr(name, end - 1 - name);
          const auto* known = std::find_if(std::begin(kClasses), std::end(kClasses),
                                           [&](const Class& each) { return each.name == word; });
          if (known == std::end(kClasses)) return {Outcome::abort_all, p};
          matched |= known->contains(c) != 0;
          p = end;
          wanted = 0;
        }
      } else {
        matched |= c == wanted;
      }
      previous = wanted;
    }
    const bool refused = matched == negated || (path_ && c == '/');
    return {refused ? Outcome::no_match : Outcome::match, p};
  }

  std::string_view pattern_, text_;
  bool path_;
  int steps_ = 0;
};

}  // namespace

bool wild_match(std::string_view pattern, std::string_view text, Wild kind) {
  return Matcher(pattern, text, kind).match(0, 0) == Outcome::match;
}

}  // namespace hdrive::workspace
