// SPDX-License-Identifier: Apache-2.0
//
// The places in a command where a drawn value goes: `${{search_space.x}}`, and the older
// `{search_space.x}`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hdrive::config {

/// A stretch of a word: literal text, or a placeholder.
struct Piece {
  enum class Kind {
    literal,
    parameter,  ///< `name` is the parameter's
    unknown     ///< `${{...}}` of another kind
  };
  Kind kind = Kind::literal;
  std::string_view text;  ///< as written, braces included
  std::string_view name;
  bool old_style = false;  ///< without the dollar and the second braces
};

/// The word cut into pieces, in order; the texts together are the word. Views into `word`.
std::vector<Piece> pieces_of(std::string_view word);

/// "AZUREML_SWEEP_x": the environment variable that carries a parameter. Dashes in front are
/// dropped, what a variable's name can't hold becomes '_'.
std::string sweep_variable(std::string_view parameter);

/// Whether the word reads `variable` from the environment, as `$X`, `${X}` or `os.environ["X"]`.
bool mentions(std::string_view word, std::string_view variable);

}  // namespace hdrive::config
