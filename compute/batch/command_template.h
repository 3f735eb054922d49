// SPDX-License-Identifier: Apache-2.0
//
// A command of a batch system with places for what differs from job to job. Plain value; pure.
//
//   qsub -N {name} [-l gpu={gpus}] {options} {script}
//
// Words in brackets are left out where a placeholder in them has no value. "{{x}}" is "{x}", and a word that begins with
// "[[" begins with one bracket; braces around anything but small letters and underscores are just braces.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/result.h"

namespace hdrive::compute {

/// What stands in a placeholder's place. Of several texts each is a word of its own where the placeholder is a word of
/// its own; within a word they have commas between them. Empty: no value.
using PlaceValues = std::map<std::string, std::vector<std::string>, std::less<>>;

class CommandTemplate {
 public:
  /// Fails on a placeholder that is not among `known`, and on brackets that do not fit.
  static Result<CommandTemplate> make(std::span<const std::string> words,
                                      std::span<const std::string_view> known);

  /// Whether the placeholder stands anywhere in it.
  bool has(std::string_view place) const { return places_.contains(place); }
  /// Placeholders outside of brackets: they always need a value.
  const std::set<std::string, std::less<>>& always() const { return always_; }

  /// The command's words.
  std::vector<std::string> fill(const PlaceValues& values) const;

 private:
  struct Piece {
    std::string text;
    bool is_place = false;
  };
  struct Word {
    std::vector<Piece> pieces;
    int group = 0;  // of brackets; 0: outside
  };

  std::vector<Word> words_;
  std::set<std::string, std::less<>> places_, always_;
};

}  // namespace hdrive::compute
