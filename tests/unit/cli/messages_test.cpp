// SPDX-License-Identifier: Apache-2.0
#include "cli/messages.h"

#include "tests/catch.h"

using namespace hdrive;
using namespace hdrive::cli;
using namespace std::chrono_literals;

namespace {

// A sweep of one run that reported 0.5 and ended as told.
SweepState ended_run(RunStatus status, EndCause cause, const std::string& reason) {
  SweepState state("accuracy", Goal::maximize);
  state.apply(SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, Time{1s}});
  state.apply(RunProposed{0, {{"--lr", 0.25}}, "drawn", Time{1s}});
  state.apply(RunStarted{0, 1, 42, Time{2s}});
  state.apply(RunMetrics{0, 1, {{"accuracy", 0.5, {}, {}}}, {}, Time{3s}});
  state.apply(RunEnded{0, 1, status, cause, 0, {}, reason, "", Time{14s}});
  return state;
}

}  // namespace

TEST_CASE("A completed run is told with its best value, duration and parameters") {
  const auto state = ended_run(RunStatus::completed, EndCause::exited, "completed");
  CHECK(run_line(state.history().run(0), state) == "run 0  Completed  accuracy 0.5  12s  lr=0.25");
}

TEST_CASE("A run that did not complete is told with its reason on one line") {
  const auto state = ended_run(RunStatus::canceled, EndCause::policy, "too\nslow");
  CHECK(run_line(state.history().run(0), state) ==
        "run 0  Stopped    accuracy 0.5  12s  lr=0.25  (too\\nslow)");
}

TEST_CASE("A run of thousands of parameters is told in a line that people can read") {
  SweepState state("accuracy", Goal::maximize);
  RunProposed proposed{0, {}, "drawn", Time{1s}};
  for (int i = 0; i < 3000; ++i)
    proposed.parameters.push_back({"parameter_" + std::to_string(i), std::string(20, 'x')});
  state.apply(SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, Time{1s}});
  state.apply(proposed);
  RunEnded failed{0, 1, RunStatus::failed, EndCause::not_started};
  failed.reason = "cannot start: " + std::string(100'000, 'y');
  state.apply(failed);
  const std::string line = run_line(state.history().run(0), state);
  CHECK(line.size() < 1500);
  CHECK(line.starts_with("run 0  Failed     accuracy -  0.0s  parameter_0=xxxxxxxxxxxxxxxxxxxx "));
  CHECK(line.find("...  (cannot start: yyy") != std::string::npos);
  CHECK(line.ends_with("yyy...)"));
}

TEST_CASE("Warnings and errors are told, notes for information are not") {
  CHECK(warning_line(Noted{Noted::Level::warning, 3, "odd", {}}) == "warning: run 3: odd");
  CHECK(warning_line(Noted{Noted::Level::error, {}, "bad", {}}) == "error: bad");
  CHECK_FALSE(warning_line(Noted{Noted::Level::info, {}, "fine", {}}).has_value());
  CHECK_FALSE(warning_line(RunStarted{}).has_value());
}

TEST_CASE("A run that gets out of reach is told, and its return") {
  ContactNews news;
  CHECK(news.take_lines().empty());
  news.take({3, 1, true, "node1 does not answer", {}});
  CHECK(news.take_lines() ==
        std::vector<std::string>{"run 3 is out of reach, and may be alive: node1 does not answer"});
  CHECK(news.take_lines().empty());
  news.take({3, 1, false, "", {}});
  CHECK(news.take_lines() == std::vector<std::string>{"run 3 is in reach again"});
}

TEST_CASE("A hundred runs that get out of reach with their host are told in one line") {
  ContactNews news;
  for (RunId run = 0; run < 100; ++run) news.take({run, 1, true, "node1 does not answer", {}});
  news.take({100, 1, true, "node2 does not answer", {}});
  news.take({101, 1, true, "node2 does not answer", {}});
  CHECK(news.take_lines() ==
        std::vector<std::string>{
            "runs 0, 1, 2 and 97 more are out of reach, and may be alive: node1 does not answer",
            "runs 100 and 101 are out of reach, and may be alive: node2 does not answer"});
  for (RunId run = 0; run < 4; ++run) news.take({run, 1, false, "", {}});
  CHECK(news.take_lines() == std::vector<std::string>{"runs 0, 1, 2 and 3 are in reach again"});
}

TEST_CASE("A pause is told, and its end where somebody had paused the sweep") {
  const auto changed = [](SweepStatus status, const std::string& reason) {
    return SweepChanged{status, SweepEnd::none, reason, {}, Time{1s}};
  };
  PauseNews news;
  CHECK_FALSE(news.line(changed(SweepStatus::running, "")));
  CHECK(news.line(changed(SweepStatus::paused, "paused by `hdrive pause`")) ==
        "paused by `hdrive pause`");
  CHECK(news.line(changed(SweepStatus::running, "")) == "the sweep goes on");
  CHECK_FALSE(news.line(changed(SweepStatus::running, "")));
  CHECK(news.line(changed(SweepStatus::paused, "its program is gone")));
  CHECK_FALSE(news.line(changed(SweepStatus::running, "")));
  CHECK_FALSE(news.line(RunStarted{}));
}

TEST_CASE("A run that goes again is told once: of lost ones the engine notes it") {
  CHECK(warning_line(RunRequeued{3, 2, "tried again", {}, EndCause::interrupt}) ==
        "run 3, attempt 2: tried again");
  CHECK_FALSE(warning_line(RunRequeued{3, 2, "lost", {}, EndCause::lost}).has_value());
}

TEST_CASE("The stderr of failed runs is told, that of others is not") {
  RunEnded ended;
  ended.run = 5;
  ended.stderr_tail = "one\ntwo\x1b\n";
  ended.status = RunStatus::completed;
  CHECK(stderr_lines(ended).empty());
  ended.status = RunStatus::failed;
  CHECK(stderr_lines(ended) ==
        std::vector<std::string>{"run 5: the last lines of its stderr:", "  one", "  two\\x1b"});
}

TEST_CASE("The first interruption says what a second one does") {
  CHECK(interruption_line(1, 2) == "cancelling 2 runs; Ctrl-C again kills them at once");
  CHECK(interruption_line(2, 1) == "killing 1 run");
}

TEST_CASE("An interruption tells what it does to the runs that are alive") {
  CHECK(interruption_line(1, 2) == "cancelling 2 runs; Ctrl-C again kills them at once");
  CHECK(interruption_line(2, 1) == "killing 1 run");
  CHECK(interruption_line(2, 0) == "no run is alive; the sweep ends");
}
