// SPDX-License-Identifier: Apache-2.0
//
// Runs of earlier sweeps in a history, before policies, and in a sweep of the library.
#include "hdrive/warm_start.h"

#include <cmath>

#include "hdrive/policy.h"
#include "hdrive/reader.h"
#include "hdrive/sweep.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/scheduler/histories.h"

using namespace hdrive;
using hdrive::testing::kNaN;
using hdrive::testing::run_with;

namespace {

EarlierRun earlier(std::vector<double> reports, double x = 0.5, RunId run = 3) {
  return {"HD_0123456789",  run,   {{"x", x}},        RunStatus::completed,
          EndCause::exited, false, std::move(reports)};
}

History history_after(Goal goal, std::vector<std::vector<double>> of_earlier) {
  History history(goal);
  for (auto& reports : of_earlier) history.add_earlier(earlier(std::move(reports)));
  return history;
}

void add(History& history, const std::vector<double>& reports, double x = 0.1) {
  const RunId id = history.size();
  history.add(run_with(id, {{"x", x}}));
  for (const double report : reports) history.report(id, report);
}

Verdict judged(const std::string& name, std::map<std::string, Value> options,
               const History& history, std::string* sentence = nullptr) {
  const auto policy = *make_policy({name, std::move(options)}, history.goal());
  const Verdict verdict = policy->judge(history.size() - 1, history);
  if (sentence) *sentence = policy->explain(verdict);
  return verdict;
}

SweepSpec specification() {
  SweepSpec spec;
  spec.space.parameters.push_back({"x", Uniform{0, 1}});
  spec.sampling = {"bayesian", {}};
  spec.primary_metric = "loss";
  spec.goal = Goal::minimize;
  spec.max_total_runs = 6;
  spec.seed = 3;
  return spec;
}

double bowl(double x) { return (x - 0.3) * (x - 0.3); }

Objective objective() {
  return
      [](RunContext& run) { run.report("loss", bowl(*as_number(*find(run.parameters(), "x")))); };
}

Result<SweepSummary> run_in(const std::filesystem::path& directory, const SweepSpec& spec,
                            const WarmStart& start) {
  SweepParts parts;
  parts.store = *create_sqlite_store(directory, {directory.filename().string(), "", "", "",
                                                 spec.primary_metric, spec.goal, "", Time{}});
  parts.clock = make_steady_clock();
  parts.target = make_in_process_target(objective(), parts.clock);
  parts.earlier = start.runs;
  return run_sweep(spec, parts);
}

}  // namespace

TEST_CASE("The best run, the number of runs and their parameters are of the sweep's own runs") {
  History history = history_after(Goal::minimize, {{0.1}, {0.2}});
  CHECK(history.size() == 0);
  CHECK(history.earlier() == 2);
  CHECK_FALSE(history.incumbent());
  CHECK(history.count(RunStatus::completed) == 0);
  add(history, {0.7});
  CHECK(history.incumbent() == RunId{0});
  CHECK(history.find({{"x", 0.1}}) == RunId{0});
  CHECK_FALSE(history.find({{"x", 0.5}}));
  CHECK(history.count(RunStatus::running) == 1);
  CHECK(history.name(0) == "run 0");
  CHECK(history.name(-1) == "run 3 of HD_01234567");
  CHECK_THROWS_AS(history.run(-3), std::out_of_range);
  CHECK_THROWS_AS(history.add_earlier(earlier({1})), std::invalid_argument);
}

TEST_CASE("With the earlier runs in front a history is one of all, and changes along") {
  History history = history_after(Goal::minimize, {{0.1}, {0.2, 0.15}});
  const History& all = history.with_earlier();
  add(history, {0.7});
  CHECK(all.size() == 3);
  CHECK(all.incumbent() == RunId{0});
  CHECK(all.reports(1)[1] == 0.15);
  CHECK(all.best(2) == 0.7);
  CHECK(all.find({{"x", 0.5}}) == RunId{0});
  CHECK(all.count(RunStatus::completed) == 2);
  CHECK(all.name(1) == "run 3 of HD_01234567");
  CHECK(all.name(2) == "run 0");
  history.restart(0);
  CHECK(all.reports(2).empty());
  CHECK(all.version() == history.version());
  const History moved = std::move(history), copy = moved.snapshot();
  CHECK(copy.with_earlier().size() == 3);
  CHECK(copy.with_earlier().incumbent() == RunId{0});
  const History without(Goal::maximize);
  CHECK(&without.with_earlier() == &without);
}

TEST_CASE("Bandit compares with earlier runs, and names the one that leads") {
  History history = history_after(Goal::maximize, {{0.5, 0.8}});
  add(history, {0.45});
  CHECK(judged("bandit", {{"slack_amount", 0.1}}, history).action == Verdict::Action::keep);
  history.report(0, 0.6);
  std::string sentence;
  const Verdict verdict = judged("bandit", {{"slack_amount", 0.1}}, history, &sentence);
  CHECK(verdict.action == Verdict::Action::stop);
  CHECK(verdict.leader == -1);
  CHECK(verdict.threshold == Approx(0.7));
  CHECK_THAT(sentence, Catch::Contains("(run 3 of HD_01234567's 0.8 after 2 reports"));
}

TEST_CASE("Median stopping and truncation compare with the curves of earlier runs") {
  History history = history_after(Goal::minimize, {{1.0, 0.4}, {1.2, 0.6}, {kNaN, kNaN}});
  add(history, {0.9});
  CHECK(judged("median_stopping", {}, history).action == Verdict::Action::keep);
  CHECK(judged("median_stopping", {}, history).peers == 2);
  history.report(0, 0.95);
  CHECK(judged("median_stopping", {}, history).action == Verdict::Action::stop);
  const Verdict rank =
      judged("truncation_selection", {{"truncation_percentage", std::int64_t{50}}}, history);
  CHECK(rank.peers == 4);
  CHECK(rank.action == Verdict::Action::stop);
  // Earlier runs have ended, so they are not ranked among the unfinished.
  CHECK(judged("truncation_selection",
               {{"truncation_percentage", std::int64_t{50}}, {"exclude_finished_jobs", true}},
               history)
            .finding == Verdict::Finding::no_peers);
}

TEST_CASE("A sweep takes over what an earlier one has, and is the same when that one is gone") {
  test::TemporaryDirectory home;
  SweepSpec first = specification();
  first.sampling = {"random", {}};
  first.max_total_runs = 25;
  REQUIRE(run_in(home.path() / "HD_first", first, {}));
  SweepSpec second = specification();
  second.resume_from = {"HD_first"};
  const auto start = read_warm_start(second, home.path());
  INFO((start ? "" : start.error().message()));
  REQUIRE(start);
  CHECK(start->runs.size() == 25);
  CHECK_THAT(start->notes.at(0), Catch::Contains("25 runs taken over, of which 25 have a value"));
  const auto ended = run_in(home.path() / "HD_second", second, *start);
  REQUIRE(ended);
  CHECK(ended->runs == 6);
  std::filesystem::remove_all(home.path() / "HD_first");

  // What a resumed sweep would have of it.
  SweepState state("loss", Goal::minimize);
  REQUIRE(replay_sweep(home.path() / "HD_second", "", [&](const Change& it) { state.apply(it); }));
  CHECK(state.history().earlier() == 25);
  CHECK_THAT(state.history().run(0).proposal, Catch::StartsWith("model of 25 results"));
  CHECK(*state.history().best(*state.history().incumbent()) < 1e-3);
}

TEST_CASE("Another metric, another goal, no such sweep: errors that name the key and the word") {
  test::TemporaryDirectory home;
  REQUIRE(run_in(home.path() / "HD_first", specification(), {}));
  const auto refusal = [&](auto change) {
    SweepSpec spec = specification();
    spec.resume_from = {"HD_first"};
    change(spec);
    const auto start = read_warm_start(spec, home.path());
    REQUIRE_FALSE(start);
    return start.error().message();
  };
  CHECK_THAT(refusal([](SweepSpec& it) { it.primary_metric = "accuracy"; }),
             Catch::Contains("resume_from: \"HD_first\"") &&
                 Catch::Contains("to Minimize \"loss\", and this one to Minimize \"accuracy\""));
  CHECK_THAT(refusal([](SweepSpec& it) { it.goal = Goal::maximize; }),
             Catch::Contains("and this one to Maximize \"loss\""));
  CHECK_THAT(refusal([](SweepSpec& it) { it.resume_from = {"HD_fist"}; }),
             Catch::Contains("resume_from: \"HD_fist\""));
  CHECK_THAT(refusal([](SweepSpec& it) { it.resume_child_runs = {"HD_first/0"}; }),
             Catch::Contains("it completed; a run that was stopped or failed can go on"));
  CHECK_THAT(refusal([](SweepSpec& it) { it.resume_child_runs = {"HD_first/6"}; }),
             Catch::Contains("the runs 0 to 5"));
  CHECK_THAT(refusal([](SweepSpec& it) { it.resume_child_runs = {"HD_first"}; }),
             Catch::Contains("names no run"));
}

TEST_CASE("A run that goes on has the values of the earlier one, before all start points") {
  SweepSpec spec = specification();
  spec.sampling = {"random", {}};
  spec.start_points = {{{"x", 0.25}}};
  EarlierRun stopped = earlier({0.4}, 0.75);
  stopped.status = RunStatus::canceled;
  stopped.ended_by = EndCause::policy;
  stopped.goes_on = true;
  SweepParts parts;
  parts.clock = make_steady_clock();
  parts.target = make_in_process_target(objective(), parts.clock);
  parts.store = make_memory_store({"HD_1", "", "", "", "loss", Goal::minimize, "", Time{}});
  parts.earlier = {earlier({0.3}, 0.2), stopped};
  REQUIRE(run_sweep(spec, parts));
  SweepState state("loss", Goal::minimize);
  REQUIRE(parts.store->replay("", [&](const Change& it) { state.apply(it); }));
  const History& history = state.history();
  CHECK(history.size() == 6);
  CHECK(history.run(0).parameters == Assignment{{"x", 0.75}});
  CHECK(history.run(0).proposal == "goes on from HD_0123456789_3");
  CHECK(history.run(1).parameters == Assignment{{"x", 0.25}});
  CHECK(continuation_from(history.run(0).proposal) == Continuation{"HD_0123456789", 3});
  CHECK_FALSE(continuation_from(history.run(1).proposal));
  CHECK_FALSE(continuation_from("goes on from HD_1_x"));
}
