// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;

SweepSpec azure_spec() {
  SweepSpec spec;
  spec.space.parameters = {{"a", Choice{{std::int64_t{1}}}}, {"u", Uniform{0, 1}}};
  spec.primary_metric = "loss";
  spec.max_total_runs = 1000;
  spec.max_concurrent_runs = 100;
  spec.source_directory = "/nowhere";
  return spec;
}

std::string told_of(const SweepSpec& spec) {
  return messages(azure_problems(spec, "hdconfig.yml"));
}

TEST_CASE("A specification of HyperDrive's own has nothing Azure would refuse") {
  CHECK(told_of(azure_spec()) == "");
}

TEST_CASE("Azure's limits are told") {
  SweepSpec spec = azure_spec();
  spec.max_total_runs = 1001;
  spec.max_concurrent_runs = 101;
  spec.max_duration = std::chrono::seconds(90);
  spec.primary_metric = std::string(256, 'x');
  CHECK(told_of(spec) ==
        "hdconfig.yml: warning: Azure: max_total_runs is 1001; allowed: 1 to 1000\n"
        "hdconfig.yml: warning: Azure: max_concurrent_runs is 101; allowed: 1 to 100\n"
        "hdconfig.yml: warning: Azure: max_duration_minutes is 1.5; allowed: an integer\n"
        "hdconfig.yml: warning: Azure: primary_metric_name has 256 bytes; allowed: 255\n");
}

TEST_CASE("What Azure's samplers do not take is told") {
  SweepSpec spec = azure_spec();
  spec.space.parameters.push_back({"q", QNormal{0, 1, 0.5}});
  spec.sampling.name = "grid";
  CHECK(told_of(spec) ==
        "hdconfig.yml: warning: Azure: grid sampling takes no uniform (parameter \"u\"); allowed: "
        "choice\n"
        "hdconfig.yml: warning: Azure: grid sampling takes no qnormal (parameter \"q\"); allowed: "
        "choice\n"
        "hdconfig.yml: warning: Azure: q of parameter \"q\" is 0.5; allowed: an integer\n");
  spec.sampling.name = "bayesian";
  spec.policy = {"bandit", {{"slack_factor", 0.1}}};
  CHECK(told_of(spec) ==
        "hdconfig.yml: warning: Azure: bayesian sampling takes no qnormal (parameter \"q\"); "
        "allowed: choice, quniform, uniform\n"
        "hdconfig.yml: warning: Azure: bayesian sampling goes with no early termination; remove "
        "the policy, or make it NoTerminationPolicy\n"
        "hdconfig.yml: warning: Azure: q of parameter \"q\" is 0.5; allowed: an integer\n");
}

TEST_CASE("Algorithms, options and keys of our own are told") {
  SweepSpec spec = azure_spec();
  spec.policy = {"truncation_selection",
                 {{"truncation_percentage", std::int64_t{20}}, {"exclude_finished_jobs", true}}};
  spec.sampling = {"sobol", {}};
  spec.command = {"t"};
  spec.max_lost_retries = 5;
  spec.seed = 5;  // drawn, perhaps
  CHECK(told_of(spec) ==
        "hdconfig.yml: warning: Azure: there is no sobol sampling; allowed: random, grid, "
        "bayesian\n"
        "hdconfig.yml: warning: Azure: the policy takes no option \"exclude_finished_jobs\"\n"
        "hdconfig.yml: warning: Azure: hdconfig.yml has no key \"command\"; it is hdrive's own, so "
        "remove it there\n"
        "hdconfig.yml: warning: Azure: hdconfig.yml has no key \"max_lost_retries\"; it is "
        "hdrive's own, so remove it there\n");
}

TEST_CASE("In a file, what Azure would refuse is told with its place") {
  ConfigOverrides overrides = no_command();
  overrides.azure = true;
  overrides.set = {{"max_concurrent_runs", "200"}, {"policy.type", "truncation_selection"}};
  CHECK(told("sampling:\n"
             "  type: random\n"
             "  parameter_space:\n"
             "  - {name: x, expression: quniform, values: [0, 1, 0.5]}\n"
             "primary_metric_name: accuracy\n"
             "primary_metric_goal: Maximize\n"
             "max_total_runs: 2000\n"
             "policy:\n"
             "  truncation_percentage: 10\n"
             "  exclude_finished_jobs: true\n"
             "max_lost_retries: 3\n",
             overrides) ==
        "hdconfig.yml:4:12: warning: Azure: q of parameter \"x\" is 0.5; allowed: an integer\n"
        "hdconfig.yml:7:1: warning: Azure: max_total_runs is 2000; allowed: 1 to 1000\n"
        "hdconfig.yml:10:3: warning: Azure: the policy takes no option \"exclude_finished_jobs\"\n"
        "hdconfig.yml:11:1: warning: Azure: hdconfig.yml has no key \"max_lost_retries\"; it is "
        "hdrive's own, so remove it there\n"
        "--set max_concurrent_runs: warning: Azure: max_concurrent_runs is 200; allowed: 1 to "
        "100\n");
}

TEST_CASE("What means something else there is told where the file says it, or does not") {
  ConfigOverrides overrides = no_command();
  overrides.azure = true;
  const std::string all = told(
      "sampling:\n"
      "  type: bayesian\n"
      "  parameter_space:\n"
      "  - {name: n, expression: randint, values: [9]}\n"
      "primary_metric_name: accuracy\n"
      "primary_metric_goal: Maximize\n"
      "max_total_runs: 40\n"
      "max_duration_minutes: 60\n"
      "seed: 4\n",
      overrides);
  for (const char* line :
       {"hdconfig.yml:4:12: warning: Azure: randint is meant for seeds, whose neighbours are as "
        "different as others; here they are taken as ordered (parameter \"n\")\n",
        "hdconfig.yml:8:1: warning: Azure: max_duration_minutes counts all time since the "
        "submission; here without pauses and the time between a stop and a resume\n",
        "hdconfig.yml:9:1: warning: Azure: hdconfig.yml has no key \"seed\"; it is hdrive's own, "
        "so remove it there\n",
        "warning: Azure: without max_concurrent_runs all runs start at once; here "})
    CHECK_THAT(all, Catch::Contains(line));
  CHECK(told(around(""), overrides) == "");
}

TEST_CASE("A command that was typed is no key of the file, so Azure does not mind it") {
  ConfigOverrides overrides;
  overrides.azure = true;
  overrides.command = {"train"};
  CHECK(told(around(""), overrides) == "");
  CHECK(told(around("command: train\n"), overrides) ==
        "hdconfig.yml:9:1: warning: Azure: hdconfig.yml has no key \"command\"; it is hdrive's "
        "own, so remove it there\n");
}

}  // namespace
}  // namespace hdrive
