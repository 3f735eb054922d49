// SPDX-License-Identifier: Apache-2.0
#include "cli/picture.h"

#include "tests/catch.h"

using namespace hdrive::cli;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
const std::string kHide = "\x1b[?25l\r", kShow = "\x1b[?25h";

}  // namespace

TEST_CASE("A picture of the same size is redrawn line by line, and nothing else is cleared") {
  Picture picture;
  CHECK(picture.redraw({}, {"one", "two"}, {80, 24}) == kHide + "one\x1b[K\ntwo\x1b[K" + kShow);
  CHECK(picture.redraw({}, {"1", "2"}, {80, 24}) == kHide + "\x1b[1A" + "1\x1b[K\n2\x1b[K" + kShow);
}

TEST_CASE("Messages push the picture down and clear nothing below it") {
  Picture picture;
  picture.redraw({}, {"one", "two"}, {80, 24});
  CHECK(picture.redraw({"failed"}, {"one", "two"}, {80, 24}) ==
        kHide + "\x1b[1A" + "failed\x1b[K\none\x1b[K\ntwo\x1b[K" + kShow);
}

TEST_CASE("Below a picture that became smaller the rest is cleared, from behind its last line") {
  Picture picture;
  picture.redraw({}, {"one", "two", "three"}, {80, 24});
  const std::string smaller = picture.redraw({}, {"1"}, {80, 24});
  CHECK(smaller == kHide + "\x1b[2A" + "1\x1b[K\x1b[J" + kShow);
}

TEST_CASE("Lines that a narrower terminal wrapped are covered whole") {
  Picture picture;
  picture.redraw({}, {std::string(30, 'a'), "b"}, {40, 24});
  CHECK(has(picture.redraw({}, {"a", "b"}, {10, 24}), "\x1b[3A"));
}

TEST_CASE("A picture higher than the terminal keeps its first lines and never scrolls") {
  Picture picture;
  picture.redraw({}, {"one", "two", "three"}, {80, 2});
  CHECK(picture.redraw({}, {"one", "two", "three"}, {80, 2}) ==
        kHide + "\x1b[1A" + "one\x1b[K\ntwo\x1b[K" + kShow);
}

TEST_CASE("A message that fills its row to the last column is not cut by clearing the rest") {
  Picture picture;
  CHECK(has(picture.redraw({"12345"}, {"x"}, {5, 24}), "12345\nx"));
  CHECK(has(picture.redraw({"123456"}, {"x"}, {5, 24}), "123456\x1b[K\nx"));
}

TEST_CASE("What a script named cannot draw") {
  Picture picture;
  const std::string bytes = picture.redraw({"\x1b[2J"}, {"\u009b2J"}, {80, 24});
  CHECK(has(bytes, "\\x1b[2J"));
  CHECK(has(bytes, "\\x9b2J"));
}
