// SPDX-License-Identifier: Apache-2.0
//
// What is said of two specifications that differ.
#include "tests/unit/config/support.h"

using namespace hdrive;
using Texts = std::vector<std::string>;

namespace {

SweepSpec some() {
  SweepSpec spec;
  spec.primary_metric = "loss";
  spec.space.parameters = {{"--lr", Uniform{0, 1}}};
  spec.command = {"python3", "a b.py"};
  spec.max_total_runs = 10;
  return spec;
}

}  // namespace

TEST_CASE("What is the same in two specifications is not told") {
  CHECK(changes(some(), some()).empty());
  CHECK(differences(some(), some()).empty());
}

TEST_CASE("A change is told from before to after, a difference from the other's side") {
  SweepSpec other = some();
  other.max_total_runs = 20;
  other.stop_at = 0.5;
  other.keep_work = KeepWork::always;
  CHECK(changes(some(), other) ==
        Texts{"max_total_runs: 10 -> 20", "keep_work: none -> always", "stop_at: none -> 0.5"});
  CHECK(differences(other, some()) == Texts{"max_total_runs: 20 instead of 10",
                                            "keep_work: always instead of never",
                                            "stop_at: 0.5 instead of none"});
}

TEST_CASE("Of what takes many lines each part that differs is told") {
  SweepSpec other = some();
  other.policy = {"bandit", {{"slack_factor", 0.25}}};
  other.command = {"python3", "b.py"};
  other.on_end = {"sh", "-c", "echo done"};
  other.gpus = {"0", "1"};
  other.environment_variables = {{"SEED", "7"}};
  other.space.parameters = {{"--lr", Uniform{0, 2}}, {"x", RandInt{3}}};
  CHECK(differences(other, some()) ==
        Texts{"sampling.parameter_space.lr: uniform(0, 2) instead of uniform(0, 1)",
              "sampling.parameter_space.x: randint(3) instead of none",
              "policy.slack_factor: 0.25 instead of none",
              "policy.type: bandit instead of no_termination",
              "command: python3 b.py instead of python3 'a b.py'",
              "environment_variables.SEED: 7 instead of none", "gpus: 0, 1 instead of []",
              "on_end: sh -c 'echo done' instead of none"});
}

TEST_CASE("Of a list that grew only what was added is told as a change") {
  SweepSpec before = some(), after = some();
  before.start_points = {{{"--lr", 0.5}}};
  after.start_points = {{{"--lr", 0.5}}, {{"--lr", 0.25}}};
  CHECK(changes(before, after) == Texts{"start_points: {\"--lr\": 0.25} added"});
  CHECK(differences(after, before) ==
        Texts{"start_points: {\"--lr\": 0.5}, {\"--lr\": 0.25} instead of {\"--lr\": 0.5}"});
}
