// SPDX-License-Identifier: Apache-2.0
#include "config/placeholders.h"

#include <algorithm>

#include "base/text.h"
#include "hdrive/value.h"

namespace hdrive::config {
namespace {

constexpr std::string_view kSpace = "search_space.";

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// `${{ search_space.x }}` at the front of `text`, or nothing (an empty piece).
Piece placeholder(std::string_view text) {
  if (!text.starts_with("${{")) return {};
  const std::size_t end = text.find("}}");
  if (end == std::string_view::npos) return {};
  Piece piece{Piece::Kind::unknown, text.substr(0, end + 2), base::trim(text.substr(3, end - 3))};
  if (!piece.name.starts_with(kSpace)) return piece;
  piece.kind = Piece::Kind::parameter;
  piece.name.remove_prefix(kSpace.size());
  return piece;
}

Piece old_placeholder(std::string_view text) {
  if (!text.starts_with('{') || !text.substr(1).starts_with(kSpace)) return {};
  const std::size_t end = text.find('}');
  if (end == std::string_view::npos) return {};
  const std::size_t start = 1 + kSpace.size();
  return {Piece::Kind::parameter, text.substr(0, end + 1), text.substr(start, end - start), true};
}

}  // namespace

std::vector<Piece> pieces_of(std::string_view word) {
  std::vector<Piece> pieces;
  std::size_t literal = 0;
  for (std::size_t i = 0; i < word.size();) {
    Piece piece = placeholder(word.substr(i));
    if (piece.text.empty()) piece = old_placeholder(word.substr(i));
    if (piece.text.empty()) {
      ++i;
      continue;
    }
    if (i > literal)
      pieces.push_back({Piece::Kind::literal, word.substr(literal, i - literal), {}});
    i += piece.text.size();
    literal = i;
    pieces.push_back(piece);
  }
  if (literal < word.size()) pieces.push_back({Piece::Kind::literal, word.substr(literal), {}});
  return pieces;
}

std::string sweep_variable(std::string_view parameter) {
  std::string name = "AZUREML_SWEEP_";
  for (const char c : bare_name(parameter)) name += is_word_character(c) ? c : '_';
  return name;
}

bool mentions(std::string_view word, std::string_view variable) {
  for (std::size_t at = word.find(variable); at != std::string_view::npos;
       at = word.find(variable, at + 1)) {
    const std::size_t end = at + variable.size();
    const bool starts = at == 0 || !is_word_character(word[at - 1]);
    const bool ends = end == word.size() || !is_word_character(word[end]);
    if (starts && ends) return true;
  }
  return false;
}

}  // namespace hdrive::config
