// SPDX-License-Identifier: Apache-2.0
//
// What a sweep tells once instead of for each run.
#include "scheduler/joined_notes.h"
#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;
using scheduler::JoinedNotes;

namespace {

TargetNote odd_line(RunId run) {
  return {run, "stdout.log:" + std::to_string(run) + ": \"" + std::string(1, 'a' + run % 20) +
                   "\\\"2\" is no number"};
}

std::vector<std::string> warnings_of(const Simulation& simulation) {
  std::vector<std::string> texts;
  for (const Noted& note : only<Noted>(simulation.store->stored))
    if (note.level == Noted::Level::warning) texts.push_back(note.text);
  return texts;
}

}  // namespace

TEST_CASE(
    "the same note is told of three runs, whatever it quotes and counts, and of more they are "
    "counted") {
  JoinedNotes notes;
  for (RunId run = 5; run < 8; ++run) CHECK(notes.admit(odd_line(run)));
  CHECK(notes.admit(odd_line(6)));  // again: all of a run that is told
  for (RunId run = 8; run < 45; ++run)
    for (int twice = 0; twice < 2; ++twice) CHECK_FALSE(notes.admit(odd_line(run)));
  CHECK(
      notes.take_counted() ==
      std::vector<std::string>{"37 more runs, as in run 5: stdout.log:5: \"f\\\"2\" is no number"});
  CHECK(notes.take_counted().empty());
}

TEST_CASE("another note, and one that is of no run, is told whatever was told before") {
  JoinedNotes notes;
  for (RunId run = 0; run < 9; ++run) notes.admit(odd_line(run));
  CHECK(notes.admit({20, "its file is a directory"}));
  for (int i = 0; i < 9; ++i) CHECK(notes.admit({std::nullopt, "a disk is slow"}));
}

TEST_CASE("a sweep tells the notes of three runs, and at its end how many more there were") {
  Simulation simulation;
  simulation.note_of = [](const RunRequest& request) { return odd_line(request.run).note; };
  REQUIRE(simulation.run());
  const auto warnings = warnings_of(simulation);
  REQUIRE(warnings.size() == 4);
  CHECK(warnings.back().starts_with("7 more runs, as in run 0: stdout.log:0: "));
}

TEST_CASE("a policy that finds one report in each run is told to be of no use") {
  Simulation simulation;
  simulation.spec.policy = {"bandit", {{"slack_factor", 0.1}}};
  REQUIRE(simulation.run());
  REQUIRE(warnings_of(simulation).size() == 1);
  CHECK(warnings_of(simulation).front().starts_with("no run reported loss more than once"));
}

TEST_CASE("nothing is told of a policy where a run reported twice, nor where there is none") {
  Simulation twice;
  twice.spec.policy = {"bandit", {{"slack_factor", 0.1}}};
  twice.model = [](const RunRequest& request) {
    return request.run == 9 ? curve({0.5, 0.5}) : curve({0.5});
  };
  REQUIRE(twice.run());
  CHECK(warnings_of(twice).empty());
  Simulation none;
  REQUIRE(none.run());
  CHECK(warnings_of(none).empty());
}
