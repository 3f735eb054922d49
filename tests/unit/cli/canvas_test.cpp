// SPDX-License-Identifier: Apache-2.0
#include "cli/canvas.h"

#include <limits>

#include "cli/text.h"
#include "tests/catch.h"

using namespace hdrive::cli;

namespace {

using Lines = std::vector<std::string>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("Dots are parts of characters in braille, and characters in ASCII") {
  Canvas braille(2, 1, true);
  CHECK(braille.width() == 4);
  CHECK(braille.height() == 4);
  braille.dot(0, 0);
  braille.dot(3, 3);
  braille.dot(-1, 0);
  braille.dot(4, 0);
  CHECK(braille.lines() == Lines{"\u2801\u2880"});
  Canvas plain(3, 2, false);
  plain.line(0, 1, 2, 0);
  CHECK(plain.lines() == Lines{"  *", "** "});
}

TEST_CASE("A sparkline shows the last of each stretch, between the ends of its scale") {
  CHECK(sparkline(std::vector<double>{0, 1, 2, 7}, 10, 0, 7, true) == "\u2581\u2582\u2583\u2588");
  CHECK(sparkline(std::vector<double>{9, 0, 9, 7}, 2, 0, 7, true) == "\u2581\u2588");
  CHECK(sparkline(std::vector<double>{-100, kNan, 1e300}, 3, 0, 1, true) == "\u2581 \u2588");
  CHECK(sparkline(std::vector<double>{0, 7}, 9, 0, 7, false) == "_^");
  CHECK(sparkline({}, 9, 0, 1, true).empty());
}

TEST_CASE("A chart has its scales beside it, and is as large as it was asked to be") {
  TextChart chart;
  chart.title = "loss";
  chart.x_low = "run 0";
  chart.x_high = "run 2";
  chart.series = {{{0, 1, 2}, {10, kNan, 0}, true}};
  CHECK(chart_lines(chart, 16, 6, false) == Lines{"loss", "10 |*           ", "   |            ",
                                                  "   |            ", " 0 |           *",
                                                  "    run 0  run 2"});
  for (int width = 0; width < 60; ++width)
    for (int height = 0; height < 12; ++height)
      for (const bool utf8 : {false, true}) {
        const auto lines = chart_lines(chart, width, height, utf8);
        CHECK((lines.empty() || static_cast<int>(lines.size()) == height));
        for (const std::string& line : lines) CHECK(display_width(line) <= width);
      }
}

TEST_CASE("Bars are as long as their shares, and have them behind") {
  CHECK(bar_lines({{"lr", 0.75}, {"layers", 0.25}}, 30, false) ==
        Lines{"lr      #############   75.0 %", "layers  ####            25.0 %"});
  for (const std::string& line : bar_lines({{std::string(200, 'x'), 1}}, 40, true))
    CHECK(display_width(line) <= 40);
}

TEST_CASE("What diverged is left out of a range, and what is good is not") {
  std::vector<double> values{1e9};
  for (int i = 0; i < 20; ++i) values.push_back(i);
  CHECK(main_range(values, true).first == 0);
  CHECK(main_range(values, true).second < 100);
  CHECK(main_range(values, false).second == 1e9);
  CHECK(main_range({kNan}, true) == std::pair<double, double>(0, 0));
}
