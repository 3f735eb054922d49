// SPDX-License-Identifier: Apache-2.0
//
// The command of a v2 job: from a line with `${{inputs.x}}`, `${{search_space.x}}`,
// `${{outputs.x}}` and optional parts in `$[[...]]` to one that bash reads as it is.
//
// A placeholder becomes a variable of the environment, as Azure's client makes it one, quoted by
// where it stands, so that a value is one word whatever is in it. Pure functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hdrive::config {

/// What a placeholder stands for.
struct Reference {
  enum class Kind {
    value,        ///< there in each run
    conditional,  ///< a parameter that exists only with some option
    unset         ///< an optional input that was not given
  };
  Kind kind = Kind::value;
  std::string variable;     ///< of the environment
  std::string suffix = {};  ///< behind its value: "/model"
};

/// What a placeholder means: its group ("inputs"), its name, and it as written. Nothing: it means
/// nothing, which was reported.
using Resolve = std::function<std::optional<Reference>(
    std::string_view group, std::string_view name, std::string_view text)>;

/// The line for bash. A part in brackets is left out where it names what is unset, and where it
/// names a conditional parameter in the runs that have none; so is the option in front of a
/// conditional parameter: `--beta ${{search_space.beta}}`.
std::string shell_line(std::string_view command, const Resolve& resolve);

/// A word as bash takes it literally.
std::string shell_word(std::string_view word);

/// A name as part of a variable's: what one cannot hold becomes '_'.
std::string variable_name(std::string_view prefix, std::string_view name);

}  // namespace hdrive::config
