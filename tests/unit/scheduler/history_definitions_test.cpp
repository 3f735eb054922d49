// SPDX-License-Identifier: Apache-2.0
//
// History against its definitions: all answers of long random recordings are those of a naive one.
#include <algorithm>
#include <cmath>
#include <random>

#include "tests/catch.h"
#include "tests/unit/scheduler/histories.h"
#include "tests/unit/scheduler/naive_history.h"

using hdrive::Goal;
using hdrive::History;
using hdrive::RunId;
using hdrive::RunStatus;
using hdrive::testing::history_of;
using hdrive::testing::kInf;
using hdrive::testing::kNaN;
using hdrive::testing::NaiveHistory;
using hdrive::testing::run_with;
using Ranked = History::Ranked;

namespace {

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Does the same to a History and to its naive twin, at random.
class Twins {
 public:
  Twins(Goal goal, std::uint32_t seed) : fast(goal), naive(goal), random_(seed) {}

  void step() {
    const int die = below(100);
    if (naive.runs.empty() || die < 5) return add();
    const RunId id = below(static_cast<int>(naive.count()));
    if (die < 7) return restart(id);
    if (die < 17) return set_status(id);
    report(id, value());
  }

  /// Asks everything about one random run and interval, so that memos begin at random moments.
  void compare_somewhere() {
    if (naive.runs.empty()) return;
    compare(below(static_cast<int>(naive.count())), 1 + below(12));
  }

  void compare_everywhere() {
    for (RunId id = 0; id < naive.count(); ++id)
      for (std::int64_t n = 1; n <= 12; ++n) compare(id, n);
  }

  History fast;
  NaiveHistory naive;

 private:
  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }

  double value() {
    static constexpr double kOdd[] = {kNaN, kInf, -kInf, 1e308, -1e308, -0.0};
    return below(6) == 0 ? kOdd[below(6)] : (below(9) - 4) * 0.25;  // few values: many ties
  }

  void add() {
    naive.runs.push_back({RunStatus::running, {}});
    fast.add(run_with(fast.size()));
  }
  void report(RunId id, double value) {
    naive.runs[static_cast<std::size_t>(id)].reports.push_back(value);
    fast.report(id, value);
  }
  void restart(RunId id) {
    naive.runs[static_cast<std::size_t>(id)] = {RunStatus::queued, {}};
    fast.restart(id);
  }
  void set_status(RunId id) {
    const auto status = static_cast<RunStatus>(below(5));
    naive.runs[static_cast<std::size_t>(id)].status = status;
    fast.set_status(id, status);
  }

  void compare(RunId id, std::int64_t n) {
    INFO("run " << id << ", interval " << n << " of " << naive.count() << " runs");
    REQUIRE(fast.best(id, n) == naive.best(id, n));
    REQUIRE(fast.average(id, n).has_value() == naive.average(id, n).has_value());
    if (fast.average(id, n)) REQUIRE(*fast.average(id, n) == Approx(*naive.average(id, n)));
    REQUIRE(fast.count_at(n) == naive.count_at(n));
    const auto leader = fast.leader_at(n);
    REQUIRE(leader.has_value() == naive.leader_at(n).has_value());
    if (leader) {
      REQUIRE(leader->run == *naive.leader_at(n));
      REQUIRE(leader->value == *naive.best(leader->run, n));
    }
    compare_incumbents();
    compare_medians(id, n);
    compare_ranks(id, n, Ranked::all);
    compare_ranks(id, n, Ranked::unfinished);
  }

  void compare_incumbents() {
    for (const bool failed : {false, true})
      for (const bool canceled : {false, true})
        REQUIRE(fast.incumbent({failed, canceled}) == naive.incumbent({failed, canceled}));
  }

  void compare_medians(RunId id, std::int64_t n) {
    const auto got = fast.median_average_of_others(id, n);
    const auto expected = naive.median_average_of_others(id, n);
    REQUIRE(got.has_value() == expected.has_value());
    if (!got) return;
    REQUIRE(got->peers == expected->peers);
    REQUIRE(got->value == Approx(expected->value).margin(1e-12));
  }

  void compare_ranks(RunId id, std::int64_t n, Ranked ranked) {
    const std::vector<RunId> with = naive.ranking(n, ranked, id);
    const auto place = std::find(with.begin(), with.end(), id) - with.begin();
    REQUIRE(fast.rank_at(id, n, ranked).from_worst == place + 1);
    REQUIRE(fast.rank_at(id, n, ranked).of == static_cast<std::int64_t>(with.size()));
    const std::vector<RunId> ids = naive.ranking(n, ranked);
    for (std::size_t i = 0; i < ids.size(); ++i)
      REQUIRE(same(fast.value_at_rank(static_cast<std::int64_t>(i) + 1, n, ranked),
                   naive.best(ids[i], n).value_or(kNaN)));
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("all answers are those of the definitions, whatever is recorded and asked when") {
  for (const Goal goal : {Goal::minimize, Goal::maximize}) {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
      INFO("seed " << seed << ", " << to_string(goal));
      Twins twins(goal, seed);
      for (int step = 0; step < 250; ++step) {
        twins.step();
        if (step % 3 == 0) twins.compare_somewhere();
      }
      twins.compare_everywhere();
    }
  }
}

TEST_CASE("the answers do not depend on the order in which different runs were recorded") {
  std::mt19937 random(7);
  std::vector<std::vector<double>> series(60);
  for (auto& reports : series) {
    reports.resize(random() % 9);
    for (double& value : reports)
      value = random() % 8 == 0 ? kNaN : static_cast<double>(random() % 1000) / 7;
  }
  const History run_by_run = history_of(Goal::maximize, series);
  History interleaved(Goal::maximize);
  for (RunId id = 0; id < 60; ++id) interleaved.add(run_with(id));
  for (std::size_t n = 0; n < 9; ++n) {
    for (RunId id = 59; id >= 0; --id) {
      const auto& reports = series[static_cast<std::size_t>(id)];
      if (n < reports.size()) interleaved.report(id, reports[n]);
      (void)interleaved.median_average_of_others(id, static_cast<std::int64_t>(n) + 1);
      (void)interleaved.rank_at(id, static_cast<std::int64_t>(n) + 1, Ranked::all);
    }
  }
  for (std::int64_t n = 1; n <= 9; ++n) {
    for (RunId id = 0; id < 60; ++id) {
      const auto a = run_by_run.median_average_of_others(id, n);
      const auto b = interleaved.median_average_of_others(id, n);
      REQUIRE(a.has_value() == b.has_value());
      if (a) REQUIRE(a->value == b->value);
      REQUIRE(run_by_run.average(id, n) == interleaved.average(id, n));
      REQUIRE(run_by_run.rank_at(id, n, Ranked::all).from_worst ==
              interleaved.rank_at(id, n, Ranked::all).from_worst);
    }
  }
}
