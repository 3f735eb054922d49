// SPDX-License-Identifier: Apache-2.0
#include "cli/board.h"

#include "cli/board_keeper.h"
#include "tests/catch.h"

using namespace hdrive;
using namespace hdrive::cli;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

Verdict verdict(double value, double threshold) {
  Verdict result;
  result.value = value;
  result.threshold = threshold;
  return result;
}

Board two_runs() {
  Board board;
  board.metric = "loss";
  board.best = Board::Row{7, {}, "lr=0.01", {4, 40, {0.8, 0.4, 0.2, 0.1}, {}}};
  board.live = {{8, 75s, "lr=0.02", {2, 20, {0.9, 0.3}, verdict(0.3, 0.4)}},
                {9, 5s, "lr=0.9", {2, {}, {0.9, 0.8}, verdict(0.8, 0.4)}}};
  board.live_runs = 2;
  board.ended = {"run 6  Stopped  0.7  12.0s  worse than the median",
                 "run 5  Completed  0.5  59s  lr=0.3"};
  board.hours = {0.1, 0.5};
  board.record = {0.5, 0.1};
  board.now = 1;
  return board;
}

using Lines = std::vector<std::string>;
Time at(int seconds) { return Time{std::chrono::seconds{1'700'000'000 + seconds}}; }

}  // namespace

TEST_CASE("Each run that trains is shown against the best one and against its limit") {
  CHECK(board_lines(two_runs(), 110, 5, Glyphs{}) ==
        Lines{"best 7          step 40    loss 0.1  ^-__                                   lr=0.01",
              "run 8   1m 15s  step 20    loss 0.3  ^.    ahead   stops at 0.4, 25 % away  lr=0.02",
              "run 9   5.0s    2 reports  loss 0.8  ^^    behind  stops at 0.4, beyond it  lr=0.9",
              "ended run 6  Stopped  0.7  12.0s  worse than the median"});
  // The best run needs no second line while it trains.
  Board board = two_runs();
  board.best->run = 8;
  const auto lines = board_lines(board, 110, 5, Glyphs{});
  CHECK_THAT(lines[0], Contains("run 8 ") && Contains("  best    stops at"));
}

TEST_CASE("A higher board has what ended before, and the best so far over time") {
  const auto lines = board_lines(two_runs(), 100, 20, Glyphs{});
  const auto has = [&](const std::string& part) {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const auto& line) { return line.find(part) != line.npos; });
  };
  CHECK(has("ended run 6"));
  CHECK(has("      run 5"));
  CHECK(has("best loss so far"));
  CHECK(has("6m 00s"));
  CHECK(has("1h 00m"));
}

TEST_CASE("Where there is no room for all runs the last line says how many more there are") {
  Board board = two_runs();
  board.live_runs = 30;
  const auto lines = board_lines(board, 100, 4, Glyphs{});
  CHECK(std::any_of(lines.begin(), lines.end(),
                    [](const auto& line) { return line.find("more run") != line.npos; }));
}

TEST_CASE("A board is never larger than its place") {
  Board board = two_runs();
  board.live[0].parameters = "name=\u6DF1\u5EA6\u5B66\u4E60";
  for (int width = 0; width <= 130; width += 3)
    for (int height = 0; height <= 40; height += 3)
      for (const bool utf8 : {false, true}) {
        const auto lines = board_lines(board, width, height, Glyphs::of(utf8));
        CHECK(static_cast<int>(lines.size()) <= height);
        for (const auto& line : lines) CHECK(display_width(line) <= width);
      }
}

TEST_CASE("A low terminal has no board, and a higher one keeps a part for messages") {
  CHECK(board_room({80, 10}) == 0);
  CHECK(board_room({80, 19}) == 0);
  CHECK(board_room({80, 24}) == 18);
  CHECK(board_room({80, 50}) == 38);
}

TEST_CASE("How near a policy is to stopping a run is told in per cent of its limit") {
  const auto told = [](double value, double threshold, Goal goal) {
    return limit_text({1, {}, {value}, verdict(value, threshold)}, goal);
  };
  CHECK(told(0.3, 0.4, Goal::minimize) == "stops at 0.4, 25 % away");
  CHECK(told(0.8, 0.5, Goal::maximize) == "stops at 0.5, 60 % away");
  CHECK(told(0.4, 0.5, Goal::maximize) == "stops at 0.5, beyond it");
  CHECK(limit_text({}, Goal::minimize).empty());
  CHECK(limit_text({1, {}, {1}, Verdict{}}, Goal::minimize).empty());
}

TEST_CASE("A board is kept from what a listener hears") {
  SweepState state("loss", Goal::minimize);
  BoardKeeper keeper("loss", Goal::minimize, nullptr);
  const auto hear = [&](const Change& change) {
    state.apply(change);
    keeper.take(change, state);
  };
  hear(SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, at(0)});
  for (const RunId run : {0, 1}) {
    hear(RunProposed{run, {{"lr", 0.5}}, "drawn", at(0)});
    hear(RunStarted{run, 1, 7, at(0)});
    hear(RunMetrics{run,
                    1,
                    {{"loss", 0.5 - static_cast<double>(run) / 10, 30, {}}, {"other", 9, 99, {}}},
                    {},
                    at(60)});
  }
  const std::vector<Progress::Live> live{{0, 60s, 0.5, ""}, {1, 60s, 0.4, ""}};
  keeper.refresh(state, at(3600), live, 10);
  REQUIRE(keeper.board().best);
  CHECK(keeper.board().best->run == 1);
  REQUIRE(keeper.board().live.size() == 2);
  CHECK(keeper.board().live[0].glimpse.step == 30);
  CHECK(keeper.board().live[0].glimpse.values == std::vector<double>{0.5});
  CHECK(keeper.board().record == std::vector<double>{0.4});
  CHECK(keeper.board().hours == std::vector<double>{1});
  hear(RunEnded{
      0, 1, RunStatus::canceled, EndCause::policy, {}, {}, "worse than the median", "", at(90)});
  keeper.refresh(state, at(7200), {live[1]}, 10);
  CHECK(keeper.board().ended == Lines{"run 0  Stopped  0.5  1m 30s  worse than the median"});
  CHECK(keeper.board().live_runs == 1);
  // Who has no room for it asks for nothing.
  BoardKeeper asking("loss", Goal::minimize,
                     [](RunId) -> Glimpse { throw std::logic_error("asked"); });
  asking.refresh(state, at(7200), {live[1]}, 0);
  CHECK(asking.board().live.empty());
}
