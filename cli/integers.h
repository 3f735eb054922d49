// SPDX-License-Identifier: Apache-2.0
//
// Options that take a whole number. CLI11 by itself takes what is out of range for the nearest number that
// is not; every integer option of every verb is declared here instead, and such a number is an error.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "hdrive/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace hdrive::cli {

/// The whole number of this type that all of `text` spells, blanks around it aside, and that is not below
/// `least`. The Error says what is allowed.
Result<std::int64_t> parse_integer(std::string_view text, std::int64_t least);
Result<std::uint64_t> parse_integer(std::string_view text, std::uint64_t least);

/// Adds an option whose value `take` reads; what that returns is wrong with it, or nothing.
CLI::Option* add_number_option(CLI::App& app, const std::string& names,
                               std::function<std::string(const std::string&)> take,
                               const std::string& description);

/// Adds an option for a whole number of the type of `least`, and not below it. `target` may be optional.
template <class Target, class Integer>
CLI::Option* add_integer_option(CLI::App& app, const std::string& names, Target& target,
                                Integer least, const std::string& description) {
  const auto take = [&target, least](const std::string& text) {
    const auto number = parse_integer(text, least);
    if (number) target = *number;
    return number ? std::string() : number.error().what;
  };
  return add_number_option(app, names, take, description);
}

}  // namespace hdrive::cli
