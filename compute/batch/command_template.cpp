// SPDX-License-Identifier: Apache-2.0
#include "compute/batch/command_template.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace hdrive::compute {
namespace {

constexpr std::string_view kPlaceLetters = "abcdefghijklmnopqrstuvwxyz_";

// The name of the placeholder that `text` begins with; empty: none.
std::string_view place_at(std::string_view text) {
  if (!text.starts_with('{')) return {};
  const std::size_t end = text.find_first_not_of(kPlaceLetters, 1);
  return end != text.npos && end > 1 && text[end] == '}' ? text.substr(1, end - 1)
                                                         : std::string_view();
}

// How many brackets more are opened than closed.
int depth_of(std::string_view word) {
  return static_cast<int>(std::count(word.begin(), word.end(), '[') -
                          std::count(word.begin(), word.end(), ']'));
}

Error unknown_place(std::string_view name, std::span<const std::string_view> known) {
  std::vector<std::string> names, written;
  for (const std::string_view each : known) {
    names.emplace_back(each);
    written.push_back("{" + names.back() + "}");
  }
  const std::string place = "{" + std::string(name) + "}";
  const std::string hint = base::did_you_mean(name, names);
  return Error{"",
               "there is no placeholder " + place + "; allowed: " + base::join(written, ", ") +
                   (hint.empty() ? "" : ";" + hint) + "; write {" + place +
                   "} if the command itself is to get it",
               Error::Kind::invalid};
}

}  // namespace

Result<CommandTemplate> CommandTemplate::make(std::span<const std::string> words,
                                              std::span<const std::string_view> known) {
  CommandTemplate made;
  int group = 0, groups = 0, depth = 0;
  bool has_place = false;
  for (const std::string& written : words) {
    std::string_view text = written;
    if (group == 0 && text.starts_with("[[")) {
      text.remove_prefix(1);
    } else if (group == 0 && text.starts_with('[')) {
      text.remove_prefix(1);
      group = ++groups;
      depth = 1;
      has_place = false;
    }
    const int inside = group;
    if (group != 0) {
      depth += depth_of(text);
      if (depth <= 0) {
        if (depth < 0 || !text.ends_with(']'))
          return Error{"", "the brackets of " + base::json_string(written) + " do not fit",
                       Error::Kind::invalid};
        text.remove_suffix(1);
        group = 0;
      }
    }
    Word word{{}, inside};
    std::string literal;
    while (!text.empty()) {
      if (text.starts_with("{{") && !place_at(text.substr(1)).empty()) {
        const std::size_t length = place_at(text.substr(1)).size() + 2;
        if (text.substr(1 + length).starts_with('}')) {
          literal += text.substr(1, length);
          text.remove_prefix(length + 2);
          continue;
        }
      }
      const std::string_view name = place_at(text);
      if (name.empty()) {
        literal += text.front();
        text.remove_prefix(1);
        continue;
      }
      if (std::find(known.begin(), known.end(), name) == known.end())
        return unknown_place(name, known);
      if (!literal.empty()) word.pieces.push_back({std::exchange(literal, {}), false});
      word.pieces.push_back({std::string(name), true});
      made.places_.emplace(name);
      if (inside == 0) made.always_.emplace(name);
      has_place = true;
      text.remove_prefix(name.size() + 2);
    }
    if (!literal.empty() || (word.pieces.empty() && inside == 0))
      word.pieces.push_back({std::move(literal), false});
    if (!word.pieces.empty()) made.words_.push_back(std::move(word));
    if (inside != 0 && group == 0 && !has_place)
      return Error{"",
                   "no placeholder is in the brackets that end in " + base::json_string(written) +
                       ": they are for words that are left out where a value is missing; write "
                       "[[ for a bracket",
                   Error::Kind::invalid};
  }
  if (group != 0)
    return Error{"", "a bracket is opened and not closed; write [[ for a word that begins with one",
                 Error::Kind::invalid};
  return made;
}

std::vector<std::string> CommandTemplate::fill(const PlaceValues& values) const {
  const auto value_of = [&](const std::string& place) -> const std::vector<std::string>* {
    const auto found = values.find(place);
    return found == values.end() || found->second.empty() ? nullptr : &found->second;
  };
  std::set<int> left_out;
  for (const Word& word : words_)
    for (const Piece& piece : word.pieces)
      if (word.group != 0 && piece.is_place && !value_of(piece.text)) left_out.insert(word.group);
  std::vector<std::string> result;
  for (const Word& word : words_) {
    if (left_out.contains(word.group)) continue;
    if (word.pieces.size() == 1 && word.pieces.front().is_place) {
      if (const auto* texts = value_of(word.pieces.front().text))
        result.insert(result.end(), texts->begin(), texts->end());
      continue;
    }
    std::string text;
    for (const Piece& piece : word.pieces) {
      const auto* texts = piece.is_place ? value_of(piece.text) : nullptr;
      if (texts)
        text += base::join(*texts, ",");
      else if (!piece.is_place)
        text += piece.text;
    }
    result.push_back(std::move(text));
  }
  return result;
}

}  // namespace hdrive::compute
