// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/filter.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "server/mlflow/fault.h"

namespace hdrive::server::mlflow {
namespace {

struct Item final : Searchable {
  std::map<std::string, double> metrics;
  std::map<std::string, std::string> params, tags, attributes;
  std::vector<std::string> datasets;

  std::optional<double> number(Entity entity, const std::string& key) const override {
    const auto found = metrics.find(key);
    if (entity == Entity::attribute && key == "start_time") return 5;
    return entity == Entity::metric && found != metrics.end() ? std::optional(found->second)
                                                              : std::nullopt;
  }
  std::optional<std::string> text(Entity entity, const std::string& key) const override {
    const auto& map = entity == Entity::param ? params : entity == Entity::tag ? tags : attributes;
    const auto found = map.find(key);
    return found != map.end() ? std::optional(found->second) : std::nullopt;
  }
  std::vector<std::string> dataset_texts(const std::string&) const override { return datasets; }
};

const Item& item() {
  static const Item one = [] {
    Item made;
    made.metrics = {{"loss", 0.5}, {"val loss", 2}, {"bad", std::nan("")}, {"a.b", 1}};
    made.params = {{"model", "Tree"}, {"empty", ""}};
    made.tags = {{"mlflow.parentRunId", "p1"}, {"stage", "it's"}};
    made.attributes = {{"run_id", "r1"}, {"status", "FINISHED"}, {"run_name", "first"}};
    made.datasets = {"iris", "wine"};
    return made;
  }();
  return one;
}

bool holds(const std::string& filter) {
  const auto clauses = parse_filter(filter, attributes_of_runs());
  return std::all_of(clauses.begin(), clauses.end(),
                     [](const Clause& clause) { return matches(clause, item()); });
}

TEST_CASE("metrics are compared with numbers") {
  for (const char* filter :
       {"metrics.loss < 0.6", "metrics.loss<=0.5", "metric.loss = 5e-1", "metrics.loss != 1",
        "metrics.loss >= .5", "metrics.loss > -1", "metrics.`val loss` = 2",
        "metrics.\"val loss\" > 1.5", "metrics.a.b = 1"})
    CHECK(holds(filter));
  for (const char* filter :
       {"metrics.loss < 0.5", "metrics.missing < 1", "metrics.missing != 1", "metrics.bad = 1"})
    CHECK(!holds(filter));
}

TEST_CASE("params, tags and attributes are compared with quoted texts") {
  for (const char* filter :
       {"params.model = 'Tree'", "param.model != \"tree\"", "parameters.model LIKE 'Tr%'",
        "params.model ilike 't_EE'", "tags.mlflow.parentRunId = 'p1'",
        "tags.`mlflow.parentRunId` IS NOT NULL", "tag.stage = 'it''s'", "params.missing IS NULL",
        "attributes.status = 'FINISHED'", "run_id IN ('r0', 'r1')", "run_id NOT IN ('r2')",
        "attr.`run name` = 'first'", "params.empty = ''", "dataset.name = 'wine'",
        "datasets.name IN ('x', 'iris')"})
    CHECK(holds(filter));
  for (const char* filter :
       {"params.model LIKE 'tr%'", "params.model LIKE 'Tr'", "tags.stage IS NULL",
        "params.missing != 'x'", "dataset.name LIKE 'x%'", "run_id IN ('r2')"})
    CHECK(!holds(filter));
}

TEST_CASE("clauses are joined by AND") {
  CHECK(holds(""));
  CHECK(holds("metrics.loss < 1 and params.model = 'Tree' AND status = 'FINISHED'"));
  CHECK(!holds("metrics.loss < 1 AND status = 'FAILED'"));
}

TEST_CASE("what is no filter is refused with a reason") {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"metrics.loss < '1'", "Expected numeric value type"},
      {"metrics.loss LIKE 1", "Invalid comparator"},
      {"params.model > 'a'", "Invalid comparator"},
      {"params.model = Tree", "Expected a quoted string value"},
      {"params.model = 'Tree", "has no end"},
      {"metrics.loss < 1 OR metrics.loss > 2", "joined by AND only"},
      {"metrics.loss < 1 AND", "expected a name"},
      {"loss < 1", "Invalid attribute key 'loss'"},
      {"things.loss < 1", "Invalid entity type 'things'"},
      {"metrics. < 1", "names nothing"},
      {"status IN ('a')", "support comparison with a list"},
      {"run_id IN ('a'", "expected ) or ,"},
      {"run_id IN ()", "expected a quoted string"},
      {"metrics.loss IS NULL", "Invalid comparator"},
      {"attributes.run_id IS NULL", "only supported for tags and params"},
      {"dataset.size = 'a'", "Invalid dataset key"},
      {"metrics.loss", "expected a comparison"}};
  for (const auto& [filter, reason] : wrong) {
    CAPTURE(filter);
    try {
      parse_filter(filter, attributes_of_runs());
      FAIL("it was taken");
    } catch (const Fault& fault) {
      CHECK(fault.code == "INVALID_PARAMETER_VALUE");
      CHECK_THAT(fault.message, Catch::Matchers::Contains(reason));
    }
  }
}

TEST_CASE("LIKE with many percent signs takes no long time") {
  Item long_text;
  long_text.params["x"] = std::string(20'000, 'a');
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "%a";
  const auto clauses = parse_filter("params.x LIKE '" + pattern + "b'", attributes_of_runs());
  CHECK(!matches(clauses.front(), long_text));
}

std::vector<std::string> sorted(const std::string& order, const std::vector<Item>& items) {
  const std::vector<Order> orders = {parse_order(order, attributes_of_runs())};
  std::vector<std::pair<std::string, SortKey>> keys;
  for (const Item& one : items)
    keys.emplace_back(one.attributes.at("run_id"),
                      SortKey(orders, one, 0, one.attributes.at("run_id")));
  std::sort(keys.begin(), keys.end(),
            [&](const auto& a, const auto& b) { return a.second.comes_before(b.second, orders); });
  std::vector<std::string> ids;
  for (const auto& [id, key] : keys) ids.push_back(id);
  return ids;
}

TEST_CASE("what has no value is last in both directions, and NaN just before") {
  std::vector<Item> items(4);
  const double values[] = {2, 1, std::nan("")};
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].attributes["run_id"] = std::string(1, static_cast<char>('a' + i));
    if (i < 3) items[i].metrics["loss"] = values[i];
  }
  using Ids = std::vector<std::string>;
  CHECK(sorted("metrics.loss", items) == Ids{"b", "a", "c", "d"});
  CHECK(sorted("metrics.loss DESC", items) == Ids{"a", "b", "c", "d"});
  CHECK(sorted("run_id desc", items) == Ids{"d", "c", "b", "a"});
}

TEST_CASE("what is no order is refused") {
  for (const char* text :
       {"", "metrics.loss up", "metrics.loss ASC DESC", "nothing ASC", "'x'", "dataset.name"})
    CHECK_THROWS_AS(parse_order(text, attributes_of_runs()), Fault);
}

}  // namespace
}  // namespace hdrive::server::mlflow
