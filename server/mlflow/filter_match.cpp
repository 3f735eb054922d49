// SPDX-License-Identifier: Apache-2.0
//
// What a filter finds, and in which order.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/unicode.h"
#include "server/mlflow/filter.h"

namespace hdrive::server::mlflow {
namespace {

bool is_among(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// SQL's LIKE: % stands for any text, _ for one character. Goes back to the latest % only, so it takes no longer than
// the product of both lengths.
bool is_like(std::string_view text, std::string_view pattern) {
  std::string_view text_back, pattern_back;
  bool can_go_back = false;
  while (!text.empty()) {
    if (!pattern.empty() && pattern.front() == '%') {
      pattern.remove_prefix(1);
      text_back = text;
      pattern_back = pattern;
      can_go_back = true;
      continue;
    }
    char32_t code = 0;
    std::string_view rest = text;
    const std::string_view character = base::take_character(rest, code);
    if (!pattern.empty() && pattern.front() == '_') {
      pattern.remove_prefix(1);
      text = rest;
      continue;
    }
    if (pattern.starts_with(character)) {
      pattern.remove_prefix(character.size());
      text = rest;
      continue;
    }
    if (!can_go_back) return false;
    base::take_character(text_back, code);
    text = text_back;
    pattern = pattern_back;
  }
  while (!pattern.empty() && pattern.front() == '%') pattern.remove_prefix(1);
  return pattern.empty();
}

bool holds(Comparison comparison, double left, double right) {
  switch (comparison) {
    case Comparison::less:
      return left < right;
    case Comparison::less_equal:
      return left <= right;
    case Comparison::equal:
      return left == right;
    case Comparison::not_equal:
      return left != right;
    case Comparison::greater_equal:
      return left >= right;
    case Comparison::greater:
      return left > right;
    default:
      return false;
  }
}

bool holds(const Clause& clause, const std::string& left) {
  switch (clause.comparison) {
    case Comparison::equal:
      return left == clause.texts.front();
    case Comparison::not_equal:
      return left != clause.texts.front();
    case Comparison::like:
      return is_like(left, clause.texts.front());
    case Comparison::ilike:
      return is_like(base::lower(left), base::lower(clause.texts.front()));
    case Comparison::in:
      return is_among(clause.texts, left);
    case Comparison::not_in:
      return !is_among(clause.texts, left);
    default:
      return false;
  }
}

// 0: a value, 1: NaN, 2: none.
int rank(const std::optional<double>& number, const std::optional<std::string>& text) {
  return number ? (std::isnan(*number) ? 1 : 0) : text ? 0 : 2;
}

// Below, at or above 0, ascending.
int in_order(const std::optional<double>& number, const std::optional<std::string>& text,
             const std::optional<double>& other_number,
             const std::optional<std::string>& other_text) {
  const int left = rank(number, text), right = rank(other_number, other_text);
  if (left != right || left != 0) return left - right;
  if (number && other_number) return (*number > *other_number) - (*number < *other_number);
  return text && other_text ? text->compare(*other_text) : 0;
}

}  // namespace

bool matches(const Clause& clause, const Searchable& item) {
  if (clause.entity == Entity::dataset) {
    const auto texts = item.dataset_texts(clause.key);
    return std::any_of(texts.begin(), texts.end(),
                       [&](const std::string& text) { return holds(clause, text); });
  }
  if (clause.texts.empty() && clause.comparison < Comparison::like) {
    const auto number = item.number(clause.entity, clause.key);
    return number && holds(clause.comparison, *number, clause.number);
  }
  const auto text = item.text(clause.entity, clause.key);
  if (clause.comparison == Comparison::is_null) return !text;
  if (clause.comparison == Comparison::is_not_null) return text.has_value();
  return text && holds(clause, *text);
}

SortKey::SortKey(const std::vector<Order>& orders, const Searchable& item, std::int64_t created,
                 std::string id)
    : created_(created), id_(std::move(id)) {
  for (const Order& order : orders) {
    numbers_.push_back(item.number(order.entity, order.key));
    texts_.push_back(item.text(order.entity, order.key));
  }
}

bool SortKey::comes_before(const SortKey& other, const std::vector<Order>& orders) const {
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const int order = in_order(numbers_[i], texts_[i], other.numbers_[i], other.texts_[i]);
    // What has no value, or NaN, is last in both directions.
    const bool fixed = rank(numbers_[i], texts_[i]) != rank(other.numbers_[i], other.texts_[i]);
    if (order != 0) return fixed || orders[i].ascending ? order < 0 : order > 0;
  }
  return created_ != other.created_ ? created_ > other.created_ : id_ < other.id_;
}

}  // namespace hdrive::server::mlflow
