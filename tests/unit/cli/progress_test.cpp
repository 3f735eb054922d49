// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include "hdrive/overview.h"
#include "tests/catch.h"

using namespace hdrive;
using namespace hdrive::cli;
using namespace std::chrono_literals;

namespace {

Progress halfway() {
  Progress progress;
  progress.total = 40;
  progress.running = 2;
  progress.finished = 15;
  progress.stopped = 4;
  progress.failed = 1;
  progress.metric = "accuracy";
  progress.best = Progress::Best{7, 0.9712, "lr=0.01 layers=2 activation=relu dropout=0.25"};
  progress.elapsed = 83s;
  progress.left = 130s;
  progress.end = "14:32:10";
  return progress;
}

}  // namespace

TEST_CASE("Eighty columns show bar, counts, best run and times") {
  const auto lines = progress_lines(halfway(), 79, Glyphs{});
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] ==
        "[#############-------------] 20/40  2 running, 15 finished, 4 stopped, 1 failed");
  CHECK(lines[1] == "best  accuracy 0.9712  run 7  lr=0.01 layers=2 activation=relu dropout=0.25");
  CHECK(lines[2] == "time  1m 23s, about 2m 10s left, until 14:32:10");
}

TEST_CASE("Forty columns keep every number") {
  const auto lines = progress_lines(halfway(), 39, Glyphs{});
  CHECK(lines[0] == "[##---] 20/40 run 2 ok 15 stop 4 fail 1");
  CHECK(lines[1] == "best  accuracy 0.9712  run 7  lr=0.0...");
  CHECK(lines[2] == "time  1m 23s, about 2m 10s left");
}

TEST_CASE("Where the metric's name is long it is cut, and its number never") {
  Progress progress = halfway();
  progress.metric = "validation_cross_entropy";
  progress.best->value = 1.23457e-05;
  progress.live.push_back({3, 75s, 1.23457e-05, "lr=0.01"});
  const auto best = [&](int width) { return progress_lines(progress, width, Glyphs{})[1]; };
  const auto live = [&](int width) { return live_lines(progress, width, 1, Glyphs{})[0]; };
  CHECK(best(39) == "best  validation_... 1.23457e-05  run 7");
  CHECK(best(18) == "best  1.23457e-05");
  CHECK(live(39) == "run 3  1m 15s  validatio... 1.23457e-05");
  for (int width = 0; width < 60; ++width)
    for (const std::string& line : {best(width), live(width)}) {
      INFO(line);
      CHECK((line.find("1.23457e-05") != line.npos || line.find("1.2") == line.npos));
    }
}

TEST_CASE("A paused sweep is called so, and no end is expected of it") {
  Progress progress = halfway();
  progress.paused = true;
  CHECK(progress_lines(progress, 79, Glyphs{})[2] == "time  1m 23s, paused; 2 runs to end");
  progress.running = 0;
  CHECK(progress_lines(progress, 79, Glyphs{})[2] == "time  1m 23s, paused; nothing runs");
}

TEST_CASE("The runs that go on have a line each, as far as there is room") {
  Progress progress = halfway();
  for (RunId run = 3; run < 6; ++run) progress.live.push_back({run, 75s, std::nullopt, "lr=0.01"});
  progress.live[1].last = 0.875;
  using Lines = std::vector<std::string>;
  const std::string first = "run 3  1m 15s  accuracy -  lr=0.01";
  CHECK(live_lines(progress, 79, 3, Glyphs{}) == Lines{first,
                                                       "run 4  1m 15s  accuracy 0.875  lr=0.01",
                                                       "run 5  1m 15s  accuracy -  lr=0.01"});
  CHECK(live_lines(progress, 79, 2, Glyphs{}) == Lines{first, "and 2 more runs"});
  CHECK(live_lines(progress, 12, 1, Glyphs{}) == Lines{"and 3 mor..."});
  CHECK(live_lines(progress, 79, 0, Glyphs{}).empty());
}

TEST_CASE("No line is ever wider than the terminal") {
  Progress progress = halfway();
  progress.best->parameters = "name=\u6DF1\u5EA6\u5B66\u4E60\u6DF1\u5EA6\u5B66\u4E60";
  progress.canceled = 3;
  for (int width = 0; width <= 120; ++width)
    for (const bool utf8 : {false, true})
      for (const auto& line : progress_lines(progress, width, Glyphs::of(utf8)))
        CHECK(display_width(line) <= width);
}

TEST_CASE("The bar is full only when all runs have ended") {
  Progress progress;
  progress.total = 1000;
  progress.finished = 999;
  CHECK(progress_lines(progress, 100, Glyphs{})[0].find("-]") != std::string::npos);
  progress.finished = 1000;
  CHECK(progress_lines(progress, 100, Glyphs{})[0].find("#]") != std::string::npos);
  progress.total = 0;
  progress.finished = 0;
  CHECK(progress_lines(progress, 100, Glyphs{})[0].find("[-") == 0);
}

TEST_CASE("Before the first report there is no best, and while stopping no expected end") {
  Progress progress = halfway();
  progress.best.reset();
  progress.stopping = true;
  const auto lines = progress_lines(progress, 79, Glyphs{});
  CHECK(lines[1] == "best  no accuracy reported yet");
  CHECK(lines[2] == "time  1m 23s, cancelling 2 runs");
}

TEST_CASE("The expected rest follows the mean duration of the runs that ended") {
  Pace pace;
  pace.to_start = 4;
  pace.at_once = 2;
  pace.budget_left = 1h;
  CHECK_FALSE(expected_rest(pace).has_value());
  pace.ended = 2;
  pace.ended_total = 20s;
  CHECK(*expected_rest(pace) == 20s);
  pace.running = {Duration{5s}, Duration{10s}};
  CHECK(*expected_rest(pace) == 22500ms);
}

TEST_CASE("The expected rest is never shorter than a live run's own, nor longer than the budget") {
  Pace pace;
  pace.at_once = 8;
  pace.ended = 1;
  pace.ended_total = 60s;
  pace.budget_left = 1h;
  pace.running = {Duration{10s}, Duration{59s}, Duration{90s}};
  CHECK(*expected_rest(pace) == 50s);
  pace.budget_left = 30s;
  CHECK(*expected_rest(pace) == 30s);
  pace.budget_left = -5s;
  CHECK(*expected_rest(pace) == 0s);
}

TEST_CASE("No rest is expected of runs that take longer than those before") {
  Pace pace;
  pace.ended = 1;
  pace.ended_total = 60s;
  pace.budget_left = 1h;
  pace.running = {Duration{60s}, Duration{90s}};
  CHECK_FALSE(expected_rest(pace).has_value());
  pace.to_start = 1;
  CHECK(*expected_rest(pace) == 60s);
}
