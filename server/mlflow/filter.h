// SPDX-License-Identifier: Apache-2.0
//
// Filter strings and order_by clauses of MLflow's searches:
//
//   metrics.loss < 0.5 AND params.model LIKE 'tree%' AND tags.`mlflow.parentRunId` IS NULL
//   metrics."val loss" DESC
//
// as https://mlflow.org/docs/latest/search-runs.html describes them. Pure functions; faults are thrown (fault.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hdrive::server::mlflow {

/// What a clause speaks of.
enum class Entity { metric, param, tag, attribute, dataset };
enum class Comparison {
  less,
  less_equal,
  equal,
  not_equal,
  greater_equal,
  greater,
  like,
  ilike,
  in,
  not_in,
  is_null,
  is_not_null
};

struct Clause {
  Entity entity = Entity::attribute;
  std::string key;
  Comparison comparison = Comparison::equal;
  double number = 0;               ///< of metrics and attributes that are numbers
  std::vector<std::string> texts;  ///< of the others: one, or those of a list
};

struct Order {
  Entity entity = Entity::attribute;
  std::string key;
  bool ascending = true;
};

/// The attributes there are, of runs or of experiments.
struct Attributes {
  std::vector<std::string> texts, numbers;
  std::vector<std::string> lists;  ///< those of `texts` that can be compared with a list
};
const Attributes& attributes_of_runs();
const Attributes& attributes_of_experiments();
const Attributes& attributes_of_models();

/// What can be searched for. Nothing: it has no such thing, and then no comparison holds but IS NULL.
class Searchable {
 public:
  virtual ~Searchable() = default;
  virtual std::optional<double> number(Entity entity, const std::string& key) const = 0;
  virtual std::optional<std::string> text(Entity entity, const std::string& key) const = 0;
  /// Of its datasets: their names, digests or contexts; one that matches is enough.
  virtual std::vector<std::string> dataset_texts(const std::string& key) const = 0;
};

std::vector<Clause> parse_filter(std::string_view filter, const Attributes& attributes);
Order parse_order(std::string_view text, const Attributes& attributes);

bool matches(const Clause& clause, const Searchable& item);

/// What an item is sorted by; the item itself need not be there any more.
class SortKey {
 public:
  SortKey(const std::vector<Order>& orders, const Searchable& item, std::int64_t created,
          std::string id);
  /// By these same orders, in which what has no value is last and NaN just before that, whatever the direction; then
  /// the latest first, then by id.
  bool comes_before(const SortKey& other, const std::vector<Order>& orders) const;

 private:
  std::vector<std::optional<double>> numbers_;
  std::vector<std::optional<std::string>> texts_;
  std::int64_t created_;
  std::string id_;
};

}  // namespace hdrive::server::mlflow
