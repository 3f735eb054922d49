// SPDX-License-Identifier: Apache-2.0
//
// ArgumentParser: what may stand behind a verb, and the reading of it. Each verb declares its
// arguments once; parsing, help, the manual page and shell completion follow from that.
//
// This header is light, and CLI11 is argument_parser.cpp's alone: a verb that included it would
// take seconds longer to compile. One thread; what an argument is declared to fill outlives the
// parser.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/integers.h"
#include "hdrive/result.h"

namespace hdrive::cli {

/// What a shell offers for a value, besides an argument's `choices`.
enum class Completion {
  nothing,
  files,
  directories,
  configurations,
  sweeps,
  runs,
  settings,
  parameters
};

/// One argument of a verb.
struct Argument {
  /// "-f" and "--format"; of a positional, which has no dashes, one name for programs.
  std::vector<std::string> names;
  std::string value;  ///< what the help calls its value, "FILE"; empty: a flag
  std::string description;
  /// Takes a value as it was typed; gives what is wrong with it, or nothing.
  std::function<std::string(const std::string&)> take;
  std::vector<std::string> choices;      ///< where only these are allowed
  std::vector<std::string> suggestions;  ///< what shells offer where others are allowed, too
  Completion completion = Completion::nothing;
  bool required = false;
  bool repeated = false;  ///< may be given again; a positional takes all that follow
  bool hidden = false;    ///< neither helped with nor completed

  bool is_option() const { return names.front().starts_with('-'); }
  bool takes_value() const { return !value.empty(); }
};

class ArgumentParser {
 public:
  /// With `-h,--help`.
  ArgumentParser();

  /// These declare an argument: `names` as "-f,--format", or one word without dashes for a
  /// positional. What they return is valid as long as the parser, for the members that are rarer.
  Argument& flag(std::string_view names, bool& target, std::string description);
  Argument& text(std::string_view names, std::string& target, std::string value,
                 std::string description);
  Argument& texts(std::string_view names, std::vector<std::string>& target, std::string value,
                  std::string description);
  Argument& choice(std::string_view names, std::string& target, std::vector<std::string> choices,
                   std::string value, std::string description);
  /// A whole number of the type of `least`, and not below it. `target` may be optional.
  template <class Target, class Integer>
  Argument& integer(std::string_view names, Target& target, Integer least,
                    std::string description) {
    return add(names, "N", std::move(description), [&target, least](const std::string& text) {
      const auto number = parse_integer(text, least);
      if (number) target = *number;
      return number ? std::string() : number.error().what;
    });
  }
  Argument& add(std::string_view names, std::string value, std::string description,
                std::function<std::string(const std::string&)> take);

  /// What to say of words that no argument takes, the first of which is no option; may be left out.
  void explain_extras(std::function<std::string(const std::vector<std::string>&)> explain) {
    explain_extras_ = std::move(explain);
  }

  /// What the option for it, if it is declared, gives as the place of all sweeps; empty: nothing.
  void set_home(const std::string& home) { home_ = &home; }
  std::string home() const { return home_ ? *home_ : ""; }

  /// The option of this name, dashes included; null if there is none.
  const Argument* find(std::string_view name) const;
  /// All of them, as declared.
  const std::deque<Argument>& arguments() const { return arguments_; }

  enum class Parsed { all, help };
  /// Hands each argument its values. An error says what is wrong with the words, in the user's
  /// terms; `help`: that was asked for.
  Result<Parsed> parse(std::vector<std::string> words) const;

 private:
  std::deque<Argument> arguments_;  // a deque: references stay valid
  std::function<std::string(const std::vector<std::string>&)> explain_extras_;
  const std::string* home_ = nullptr;
};

}  // namespace hdrive::cli
