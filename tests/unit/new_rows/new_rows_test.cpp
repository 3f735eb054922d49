// SPDX-License-Identifier: Apache-2.0
//
// A sampler and a policy that are one file and one line each (see CMakeLists.txt) are there for everybody.
#include "hdrive/config.h"
#include "hdrive/policy.h"
#include "hdrive/sampler.h"
#include "tests/catch.h"
#include "tests/unit/config/support.h"

using namespace hdrive;

namespace {

const char* kFile = R"(sampling:
  type: constant
  at: 0.25
  parameter_space:
  - {name: x, expression: uniform, values: [0, 1]}
policy: {type: short_leash, evaluation_interval: 2}
primary_metric_name: loss
primary_metric_goal: Minimize
max_total_runs: 3
)";

std::string told_of(const std::string& text, const std::string& from, const std::string& to) {
  std::string changed = text;
  return test::told(changed.replace(changed.find(from), from.size(), to), test::no_command());
}

}  // namespace

TEST_CASE("A new sampler is listed, checked, described and made like the others") {
  CHECK(sampler_algorithms().back().name == "same");
  const SearchSpace space{{{"x", Uniform{0, 1}}}};
  const auto made = make_sampler({"same", {{"at", 0.25}}}, space, {});
  REQUIRE(made);
  const auto proposal = (*made)->propose(History(Goal::minimize), 0);
  CHECK(proposal->parameters == Assignment{{"x", 0.25}});
  CHECK((*make_sampler({"same", {}}, space, {}))->describe() == "all parameters at 0.5");
  CHECK_FALSE(make_sampler({"same", {{"at", 2.0}}}, space, {}));
}

TEST_CASE("A new policy judges and explains by its schedule like the others") {
  CHECK(policy_algorithms().back().name == "short_leash");
  const auto made = make_policy({"short_leash", {}}, Goal::minimize);
  REQUIRE(made);
  History history(Goal::minimize);
  for (const double value : {1.0, 2.0}) {
    Run run;
    run.id = history.size();
    run.status = RunStatus::running;
    history.add(run);
    history.report(run.id, value);
  }
  const Verdict verdict = (*made)->judge(1, history);
  CHECK(verdict.action == Verdict::Action::stop);
  CHECK((*made)->explain(verdict) == "best value 2 after 1 report is behind the leader");
}

TEST_CASE("Files may name them, and are told what is wrong with what they say") {
  CHECK(test::told(kFile, test::no_command()) == "");
  CHECK_THAT(told_of(kFile, "constant", "sam"),
             Catch::Contains("same") && Catch::Contains("did you mean \"same\"?"));
  CHECK_THAT(told_of(kFile, "at: 0.25", "at: 3"), Catch::Contains("number from 0 to 1"));
  CHECK_THAT(told_of(kFile, "short_leash", "short_lash"),
             Catch::Contains("did you mean \"short_leash\"?"));
  for (const char* words :
       {"### same", "Tries one point again and again.", "`at`", "### short_leash"})
    CHECK_THAT(config_reference(), Catch::Contains(words));
  CHECK_THAT(config_json_schema(), Catch::Contains("\"short_leash\""));
}
