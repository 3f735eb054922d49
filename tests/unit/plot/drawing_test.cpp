// SPDX-License-Identifier: Apache-2.0
//
// What charts are drawn with: text that is valid XML, ticks, numbers, colours, surfaces.
#include <cmath>
#include <limits>

#include "base/file.h"
#include "plot/axes.h"
#include "plot/field.h"
#include "plot/painter.h"
#include "plot/scale.h"
#include "plot/theme.h"
#include "plot/words.h"
#include "tests/catch.h"

using namespace hdrive;
using namespace hdrive::plot;
using Catch::Matchers::Contains;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<std::string> labels(const Scale& scale, int count) {
  std::vector<std::string> result;
  for (const Tick& tick : scale.ticks(count)) result.push_back(tick.label);
  return result;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("Text of any bytes is text of XML") {
  CHECK(xml_text("a<b>&\"c\"'") == "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
  CHECK(xml_text("lr\n\tx") == "lr  x");
  const std::string strange = "\uFFFD";
  CHECK(xml_text("a\x1b[31m") == "a" + strange + "[31m");
  CHECK(xml_text(std::string_view("a\0b", 3)) == "a" + strange + "b");
  CHECK(xml_text("a\xffz") == "a" + strange + "z");
  CHECK(xml_text("x\u202ey\uffff") == "x" + strange + "y" + strange);
  CHECK(xml_text("Größe 大") == "Größe 大");
}

TEST_CASE("Text is cut between characters") {
  CHECK(cut("learning_rate", 13) == "learning_rate");
  CHECK(cut("learning_rate", 12) == "learning_ra\u2026");
  CHECK(cut("大大大大", 3) == "大大\u2026");
  CHECK(text_width("大", 11) > text_width("a", 11));
}

TEST_CASE("What is not finite is not drawn, and breaks a line") {
  SvgPainter painter;
  painter.line({0, kNan}, {1, 1}, {"#000000"});
  painter.circle({std::numeric_limits<double>::infinity(), 0}, 2, {.color = "#000000"});
  painter.text(kNan, 0, "x", {.color = "#000000"});
  CHECK(painter.document(10, 10, "#fff", "t", "a").find("nan") == std::string::npos);
  const std::vector<double> x{0, 1, 2, 3, 4}, y{0, 1, kNan, 3.25, -0.04};
  CHECK(Path().through(x, y).text() == "M0 0L1 1M3 3.2L4 0");
  const std::vector<double> alone_x{7, 8}, alone_y{7, kNan};
  CHECK(Path().through(alone_x, alone_y).text() == "M7 7h0.1");
}

TEST_CASE("Ticks stand at round numbers") {
  CHECK(labels(Scale(ScaleKind::linear, {0.1, 0.52}, 0, 1), 5) ==
        Words{"0.1", "0.2", "0.3", "0.4", "0.5"});
  CHECK(labels(Scale(ScaleKind::integer, {0, 3}, 0, 1), 9) == Words{"0", "1", "2", "3"});
  CHECK(labels(Scale(ScaleKind::log, {1e-5, 0.1}, 0, 1), 9) ==
        Words{"1e\u22125", "0.0001", "0.001", "0.01", "0.1"});
  CHECK(labels(Scale(ScaleKind::log, {1, 8}, 0, 1), 9) == Words{"1", "2", "3", "5"});
  CHECK(labels(Scale(ScaleKind::duration, {0, 300}, 0, 1), 5) ==
        Words{"0", "1 min", "2 min", "3 min", "4 min", "5 min"});
  CHECK(labels(Scale(ScaleKind::category, {}, 0, 1, {"adam", "sgd", "lion"}), 2) ==
        Words{"adam", "lion"});
}

TEST_CASE("A scale maps its range, and one value alone stands in the middle") {
  const Scale up(ScaleKind::linear, {0, 10}, 100, 0);
  CHECK(up(0) == Approx(100));
  CHECK(up(10) == Approx(0));
  CHECK(Scale(ScaleKind::linear, {5, 5}, 0, 100)(5) == Approx(50));
  CHECK(Scale(ScaleKind::log, {1, 100}, 0, 100)(10) == Approx(50));
  CHECK(std::isnan(Scale(ScaleKind::log, {1, 100}, 0, 100)(-1)));
  CHECK(Scale(ScaleKind::log, {-1, 100}, 0, 100).kind() == ScaleKind::linear);
  CHECK(Scale(ScaleKind::linear, {kNan, kNan}, 0, 1)(0.5) == Approx(0.5));
}

TEST_CASE("What diverged does not stretch an axis") {
  std::vector<double> values{1e30};
  for (int i = 0; i < 100; ++i) values.push_back(i);
  CHECK(robust_extent(values).high < 1000);
  CHECK(extent(values).high == 1e30);
  CHECK(extent(std::vector<double>{-1, 0, 2, kNan}, true).low == 2);
  CHECK(std::isnan(extent({}).low));
}

TEST_CASE("Numbers and durations read as they do on the page") {
  CHECK(number_text(0) == "0");
  CHECK(number_text(-1.5) == "\u22121.5");
  CHECK(number_text(0.00123456) == "0.001235");
  CHECK(number_text(1e-7) == "1e\u22127");
  CHECK(number_text(12345) == "12\u202f345");
  CHECK(number_text(2.5e8) == "2.5e8");
  CHECK(number_text(kNan) == "NaN");
  CHECK(percent_text(0.253) == "25\u202f%");
  CHECK(percent_text(0.0031) == "0.3\u202f%");
  CHECK(duration_text(0.25) == "250 ms");
  CHECK(duration_text(83) == "1 min 23 s");
  CHECK(duration_text(7500) == "2 h 5 min");
  CHECK(duration_text(200000) == "2 d 7 h");
}

TEST_CASE("The colours are those of the page") {
  const std::string css =
      *base::read_file(std::filesystem::path(HDRIVE_SOURCE_DIR) / "web/src/style/tokens.css");
  const std::size_t dark = css.find("@media (prefers-color-scheme: dark)");
  REQUIRE(dark != css.npos);
  const auto token = [&](const std::string& name, std::size_t from) {
    const std::size_t at = css.find("--" + name + ": ", from);
    REQUIRE(at != css.npos);
    return css.substr(at + name.size() + 4, 7);
  };
  for (const auto& [kind, from] :
       {std::pair{PlotTheme::light, std::size_t{0}}, {PlotTheme::dark, dark}}) {
    const Theme& theme = theme_of(kind);
    const std::pair<const char*, std::string_view> all[] = {
        {"surface", theme.surface},     {"ink", theme.ink},
        {"ink-2", theme.ink_2},         {"ink-3", theme.ink_3},
        {"line", theme.line},           {"line-2", theme.line_2},
        {"best", theme.best},           {"faded", theme.faded},
        {"queued", theme.queued},       {"running", theme.running},
        {"completed", theme.completed}, {"failed", theme.failed},
        {"canceled", theme.canceled},   {"stopped", theme.stopped}};
    for (const auto& [name, color] : all) CHECK(token(name, from) == color);
    for (std::size_t i = 0; i < theme.ramp.size(); ++i)
      CHECK(token("ramp-" + std::to_string(i), from) == theme.ramp[i]);
    CHECK(theme.shades.front() == theme.ramp.front());
    CHECK(theme.shades.back() == theme.ramp.back());
  }
  CHECK(mix("#000000", "#ff8040", 0.5) == "#804020");
}

TEST_CASE("A surface is the mean of the runs around each place, and nothing where none is near") {
  const std::vector<double> x{0.1, 0.1, 0.9}, y{0.1, 0.1, 0.9}, value{10, 20, 40};
  const Field field = make_field(x, y, value, 20, 20, 1.5);
  CHECK(field.at(2, 2) == Approx(15));
  CHECK(field.at(18, 18) == Approx(40));
  CHECK(std::isnan(field.at(2, 18)));
  // The line on which a plane has a value crosses each row once.
  Field plane{4, 3, {}};
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 4; ++column) plane.value.push_back(column);
  const auto line = isoline(plane, 1.5);
  REQUIRE(line.size() == 2);
  for (const auto& [x0, y0, x1, y1] : line) {
    CHECK(x0 == Approx(1.5));
    CHECK(x1 == Approx(1.5));
    CHECK(std::abs(y1 - y0) == Approx(1));
  }
}

TEST_CASE("Axes leave room for their numbers") {
  const Frame small = lay_out({0, 0, 400, 300}, {.range = {0, 1}}, {.range = {0, 1}});
  const Frame large = lay_out({0, 0, 400, 300}, {.range = {0, 1}}, {.range = {0, 900'000}});
  CHECK(large.box.x > small.box.x);
  CHECK(small.box.right() < 400);
  CHECK(small.box.bottom() < 300);
}
