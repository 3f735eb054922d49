// SPDX-License-Identifier: Apache-2.0
//
// What every policy has to keep to. Each row of `policy_algorithms()` runs through the same cases, and so
// does a policy of one's own: a new policy is a new row of the registry, and of `settings` below where it
// has required options.
#include "hdrive/policy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <random>
#include <set>
#include <stdexcept>

#include "tests/catch.h"

using namespace hdrive;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

using Series = std::vector<std::vector<double>>;

/// Stops a run whose latest report is worse than its first by more than 0.3. The smallest policy there
/// can be.
class Collapse final : public Policy {
 public:
  explicit Collapse(Goal goal) : goal_(goal) {}

  Verdict judge(RunId id, const History& history) const override {
    const auto reports = history.reports(id);
    Verdict verdict;
    verdict.interval = static_cast<std::int64_t>(reports.size());
    if (reports.size() < 2 || history.count_at(verdict.interval) < 2) return verdict;
    if (!std::isfinite(reports.front()) || !std::isfinite(reports.back())) return verdict;
    const double margin = goal_ == Goal::maximize ? -0.3 : 0.3;
    verdict.value = reports.back();
    verdict.threshold = reports.front() + margin;
    verdict.peers = 1;
    const bool stop = history.better(verdict.threshold, verdict.value);
    verdict.finding = stop ? Verdict::Finding::beyond : Verdict::Finding::within;
    verdict.action = stop ? Verdict::Action::stop : Verdict::Action::keep;
    return verdict;
  }
  std::string explain(const Verdict& verdict) const override {
    return "report " + std::to_string(verdict.interval) + " against the first";
  }
  std::string describe() const override { return "collapse"; }

 private:
  Goal goal_;
};

struct Subject {
  std::string name;
  std::function<std::shared_ptr<const Policy>(Goal)> make;
  bool mirrors = true;  ///< minimizing is maximizing the negated values
  std::int64_t interval = 1, delay = 0;
};

/// The settings with which a row is tested. Rows not named here need none.
struct Setting {
  std::string_view algorithm;
  std::map<std::string, Value> options;
  bool mirrors = true;
};
const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = {
      {"bandit", {{"slack_factor", 0.1}}, false},  // T differs below zero
      {"bandit", {{"slack_amount", 0.1}}},
      {"truncation_selection", {{"truncation_percentage", std::int64_t{25}}}},
      {"truncation_selection",
       {{"truncation_percentage", std::int64_t{40}}, {"exclude_finished_jobs", true}}},
  };
  return all;
}

Subject subject(const AlgorithmInfo& info, const Setting& setting, std::int64_t interval,
                std::int64_t delay) {
  AlgorithmSpec spec{std::string(info.name), setting.options};
  const bool scheduled =
      std::any_of(info.options.begin(), info.options.end(),
                  [](const OptionInfo& option) { return option.name == "evaluation_interval"; });
  if (scheduled) spec.options["evaluation_interval"] = interval;
  if (scheduled) spec.options["delay_evaluation"] = delay;
  const auto make = [spec](Goal goal) {
    auto made = make_policy(spec, goal);
    if (!made) throw std::invalid_argument(made.error().message());
    return *made;
  };
  return {make(Goal::maximize)->describe(), make, setting.mirrors, interval, delay};
}

std::vector<Subject> subjects() {
  std::vector<Subject> all;
  for (const AlgorithmInfo& info : policy_algorithms()) {
    std::vector<Setting> own;
    for (const Setting& setting : settings())
      if (setting.algorithm == info.name) own.push_back(setting);
    if (own.empty()) own.push_back({info.name, {}});
    for (const Setting& setting : own) {
      all.push_back(subject(info, setting, 1, 0));
      all.push_back(subject(info, setting, 2, 3));
    }
  }
  all.push_back(
      {"a policy of one's own", [](Goal goal) { return std::make_shared<const Collapse>(goal); }});
  return all;
}

// ---- histories -----------------------------------------------------------------------------------

/// Curves with ties, NaN and infinities among them; some runs report nothing.
Series random_series(std::uint32_t seed) {
  std::mt19937 random(seed);
  Series series(5 + random() % 20);
  for (auto& reports : series) {
    reports.resize(random() % 9);
    for (double& value : reports) {
      value = static_cast<double>(random() % 17) * 0.125 - 1;
      if (random() % 10 == 0) value = std::array{kNaN, kInf, -kInf}[random() % 3];
    }
  }
  return series;
}

void add_runs(History& history, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    Run run;
    run.id = history.size();
    run.status = RunStatus::running;
    history.add(run);
  }
}

/// Some of the runs have ended.
void end_some(History& history) {
  for (RunId id = 0; id < history.size(); id += 4)
    history.set_status(id, RunStatus::completed, EndCause::exited);
  for (RunId id = 2; id < history.size(); id += 7)
    history.set_status(id, RunStatus::canceled, EndCause::policy);
}

History run_by_run(Goal goal, const Series& series) {
  History history(goal);
  add_runs(history, series.size());
  for (std::size_t run = 0; run < series.size(); ++run)
    for (const double value : series[run]) history.report(static_cast<RunId>(run), value);
  end_some(history);
  return history;
}

/// The same, each run's first report before any's second, and the last run first.
History round_by_round(Goal goal, const Series& series) {
  History history(goal);
  add_runs(history, series.size());
  for (std::size_t n = 0; n < 9; ++n)
    for (std::size_t run = series.size(); run-- > 0;)
      if (n < series[run].size()) history.report(static_cast<RunId>(run), series[run][n]);
  end_some(history);
  return history;
}

Series negated(Series series) {
  for (auto& reports : series)
    for (double& value : reports) value = -value;
  return series;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same(const Verdict& a, const Verdict& b) {
  return a.action == b.action && a.finding == b.finding && a.interval == b.interval &&
         a.peers == b.peers && same(a.value, b.value) && same(a.threshold, b.threshold) &&
         a.leader == b.leader && a.note == b.note && same(a.leader_value, b.leader_value);
}

/// Calls `check(policy, subject, series, goal)` for every policy, goal and some histories.
template <class Check>
void for_all(Check check) {
  for (const Subject& each : subjects()) {
    for (const Goal goal : {Goal::minimize, Goal::maximize}) {
      const auto policy = each.make(goal);
      for (std::uint32_t seed = 1; seed <= 12; ++seed) {
        INFO(each.name << ", " << to_string(goal) << ", seed " << seed);
        check(*policy, each, random_series(seed), goal);
      }
    }
  }
}

}  // namespace

TEST_CASE("every row of the registry is tested, and describes itself in one line") {
  std::set<std::string> names;
  for (const Subject& each : subjects()) {
    CHECK_FALSE(each.name.empty());
    CHECK(each.name.find('\n') == std::string::npos);
    names.insert(each.name);
  }
  CHECK(names.size() >= policy_algorithms().size() + 1);
}

TEST_CASE("a policy gives the same verdict when asked again, and leaves the history as it was") {
  for_all([](const Policy& policy, const Subject&, const Series& series, Goal goal) {
    const History history = run_by_run(goal, series);
    const std::uint64_t version = history.version();
    for (RunId id = 0; id < history.size(); ++id) {
      const Verdict first = policy.judge(id, history);
      for (RunId other = 0; other < history.size(); ++other) (void)policy.judge(other, history);
      REQUIRE(same(policy.judge(id, history), first));
    }
    REQUIRE(history.version() == version);
  });
}

TEST_CASE("a verdict does not depend on the order in which different runs reported") {
  for_all([](const Policy& policy, const Subject&, const Series& series, Goal goal) {
    const History one = run_by_run(goal, series), other = round_by_round(goal, series);
    for (RunId id = 0; id < one.size(); ++id)
      REQUIRE(same(policy.judge(id, one), policy.judge(id, other)));
  });
}

TEST_CASE("a verdict is the same for one who judged all along and one who comes later") {
  for_all([](const Policy& policy, const Subject& each, const Series& series, Goal goal) {
    const auto newcomer = each.make(goal);
    History watched(goal);
    add_runs(watched, series.size());
    for (std::size_t n = 0; n < 9; ++n) {
      for (std::size_t run = 0; run < series.size(); ++run) {
        if (n >= series[run].size()) continue;
        watched.report(static_cast<RunId>(run), series[run][n]);
        (void)policy.judge(static_cast<RunId>(run), watched);
      }
    }
    end_some(watched);
    const History fresh = run_by_run(goal, series);
    for (RunId id = 0; id < fresh.size(); ++id)
      REQUIRE(same(policy.judge(id, watched), newcomer->judge(id, fresh)));
  });
}

TEST_CASE("a policy that is not due keeps the run and says so") {
  for_all([](const Policy& policy, const Subject& each, const Series& series, Goal goal) {
    const History history = run_by_run(goal, series);
    for (RunId id = 0; id < history.size(); ++id) {
      const auto count = static_cast<std::int64_t>(history.reports(id).size());
      const Verdict verdict = policy.judge(id, history);
      REQUIRE(verdict.interval == count);
      if (count > 0 && count % each.interval == 0 && count >= each.delay) continue;
      REQUIRE(verdict.action == Verdict::Action::keep);
      REQUIRE(verdict.finding == Verdict::Finding::not_due);
    }
  });
}

TEST_CASE("every verdict can be explained, and a stop has the numbers it rests on") {
  for_all([](const Policy& policy, const Subject&, const Series& series, Goal goal) {
    const History history = run_by_run(goal, series);
    for (RunId id = 0; id < history.size(); ++id) {
      const Verdict verdict = policy.judge(id, history);
      const std::string reason = policy.explain(verdict);
      INFO(reason);
      REQUIRE_FALSE(reason.empty());
      REQUIRE(reason.find('\n') == std::string::npos);
      REQUIRE(reason.find("nan") == std::string::npos);
      if (verdict.action == Verdict::Action::keep) {
        REQUIRE(verdict.finding != Verdict::Finding::beyond);
        continue;
      }
      const bool justified = verdict.finding == Verdict::Finding::beyond ||
                             (verdict.finding == Verdict::Finding::other && !verdict.note.empty());
      REQUIRE(justified);
      if (verdict.finding != Verdict::Finding::beyond) continue;
      REQUIRE(verdict.peers >= 1);
      // A run without a finite value has none to show, and may be stopped among its likes.
      const bool finite = history.best(id).has_value();
      if (finite) REQUIRE_FALSE(std::isnan(verdict.value));
      if (finite) REQUIRE_FALSE(std::isnan(verdict.threshold));
      if (!std::isnan(verdict.threshold))
        REQUIRE_FALSE(history.better(verdict.value, verdict.threshold));
    }
  });
}

TEST_CASE("a sweep of one run never stops it") {
  for_all([](const Policy& policy, const Subject&, const Series& series, Goal goal) {
    History alone(goal);
    add_runs(alone, 1);
    for (const auto& reports : series) {
      for (const double value : reports) {
        alone.report(0, value);
        REQUIRE(policy.judge(0, alone).action == Verdict::Action::keep);
      }
    }
  });
}

TEST_CASE("the first to reach an interval is never stopped there") {
  for_all([](const Policy& policy, const Subject&, const Series& series, Goal goal) {
    History history = run_by_run(goal, series);
    add_runs(history, 1);
    const RunId last = history.size() - 1;
    for (int n = 0; n < 20; ++n) {
      history.report(last, goal == Goal::maximize ? -100 : 100);
      if (history.count_at(n + 1) == 1)
        REQUIRE(policy.judge(last, history).action == Verdict::Action::keep);
    }
  });
}

TEST_CASE("a run that leads throughout is never stopped, whatever NaN and infinities surround it") {
  for_all([](const Policy& policy, const Subject&, const Series& series, Goal goal) {
    History history = run_by_run(goal, series);
    add_runs(history, 1);
    const RunId leader = history.size() - 1;
    for (int n = 0; n < 12; ++n) {
      history.report(leader, goal == Goal::maximize ? 50 : -50);
      REQUIRE(policy.judge(leader, history).action == Verdict::Action::keep);
    }
  });
}

TEST_CASE("runs that are level with each other are judged without harm to the first of them") {
  for (const Subject& each : subjects()) {
    for (const Goal goal : {Goal::minimize, Goal::maximize}) {
      for (const double value : {0.1, -0.7, 0.0, 1e-300, 1e300}) {
        INFO(each.name << ", " << to_string(goal) << ", " << value);
        const Series level(7, std::vector<double>(6, value));
        const History history = run_by_run(goal, level);
        REQUIRE(each.make(goal)->judge(0, history).action == Verdict::Action::keep);
      }
    }
  }
}

TEST_CASE("minimizing is maximizing the negated values, where the formula is symmetric") {
  for_all([](const Policy& policy, const Subject& each, const Series& series, Goal goal) {
    if (!each.mirrors) return;
    const Goal opposite = goal == Goal::maximize ? Goal::minimize : Goal::maximize;
    const auto mirrored = each.make(opposite);
    const History history = run_by_run(goal, series);
    const History mirror = run_by_run(opposite, negated(series));
    for (RunId id = 0; id < history.size(); ++id) {
      const Verdict a = policy.judge(id, history), b = mirrored->judge(id, mirror);
      REQUIRE(a.action == b.action);
      REQUIRE(a.finding == b.finding);
      REQUIRE(a.peers == b.peers);
      REQUIRE(same(a.threshold, -b.threshold));
    }
  });
}

TEST_CASE("the policies that stop runs do stop one that falls behind") {
  for (const Subject& each : subjects()) {
    if (each.name.find("no_termination") != std::string::npos) continue;
    for (const Goal goal : {Goal::minimize, Goal::maximize}) {
      INFO(each.name << ", " << to_string(goal));
      const double sign = goal == Goal::maximize ? 1 : -1;
      Series series(8, std::vector<double>(8, sign * 0.9));
      series.push_back({sign * 0.3, sign * 0.2, sign * 0.1, sign * -0.1, sign * -0.2, sign * -0.3,
                        sign * -0.4, sign * -0.5});
      const Verdict verdict = each.make(goal)->judge(8, run_by_run(goal, series));
      CHECK(verdict.action == Verdict::Action::stop);
      CHECK(verdict.finding == Verdict::Finding::beyond);
    }
  }
}
