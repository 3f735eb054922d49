// SPDX-License-Identifier: Apache-2.0
#include "compute/line_file.h"

#include <fcntl.h>

#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

class GrowingFile {
 public:
  explicit GrowingFile(const std::string& text = "") { append(text); }
  void append(const std::string& text) {
    std::ofstream(path_, std::ios::binary | std::ios::app) << text;
  }
  base::UniqueFd open() const {
    return base::UniqueFd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  }

 private:
  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "file";
};

std::vector<std::string> lines(LineFile& file, bool last = false, std::size_t budget = 1 << 30) {
  std::vector<std::string> result;
  std::string buffer;
  file.read(buffer, budget, last, [&](const LineFile::Line& line) {
    result.push_back(std::to_string(line.offset) + ":" + std::string(line.text) +
                     (line.cut ? "..." : ""));
  });
  return result;
}

using Lines = std::vector<std::string>;

TEST_CASE("only complete lines are told, and the position is after them") {
  GrowingFile text("one\ntwo\nthr");
  LineFile file(text.open(), 0, {});
  CHECK(lines(file) == Lines{"0:one", "4:two"});
  CHECK(file.position() == 8);
  CHECK(lines(file).empty());
  text.append("ee\n");
  CHECK(lines(file) == Lines{"8:three"});
  CHECK(file.position() == 14);
}

TEST_CASE("the last line is told without its newline when nothing follows") {
  GrowingFile text("one\ntw");
  LineFile file(text.open(), 0, {});
  CHECK(lines(file, true) == Lines{"0:one", "4:tw"});
  CHECK(file.position() == 6);
}

TEST_CASE("reading goes on at a position") {
  GrowingFile text("one\ntwo\n");
  LineFile file(text.open(), 4, {});
  CHECK(lines(file) == Lines{"4:two"});
}

TEST_CASE("a line that is too long is cut, and the rest of it left out") {
  GrowingFile text("a\n" + std::string(600, 'x'));
  LineFile file(text.open(), 0, {10, false});
  CHECK(lines(file) == Lines{"0:a", "2:xxxxxxxxxx..."});
  text.append(std::string(600, 'y') + "\nb\n");
  CHECK(lines(file) == Lines{"1203:b"});
}

TEST_CASE("a reader that begins within a line too long leaves the rest of it out") {
  GrowingFile text("a\n" + std::string(600, 'x'));
  LineFile first(text.open(), 0, {10, false});
  lines(first);
  text.append("tail\nb\n");
  LineFile second(text.open(), first.position(), {10, false});
  CHECK(lines(second) == Lines{"607:b"});
}

TEST_CASE("a line longer than one reading of the file is told whole where it may be") {
  const std::string big(700000, 'x');
  GrowingFile text(big + "\nb\n");
  LineFile file(text.open(), 0, {1 << 20, false});
  CHECK(lines(file) == Lines{"0:" + big, "700001:b"});
}

TEST_CASE("carriage returns end lines only where asked for") {
  GrowingFile text("a\rb\r\nc\n");
  LineFile bars(text.open(), 0, {100, true}), plain(text.open(), 0, {100, false});
  CHECK(lines(bars) == Lines{"0:a", "2:b", "4:", "5:c"});
  CHECK(lines(plain) == Lines{"0:a\rb\r", "5:c"});
}

TEST_CASE("a budget bounds one reading, and nothing is lost") {
  std::string whole;
  for (int i = 0; i < 200000; ++i) whole += "line\n";
  GrowingFile text(whole);
  LineFile file(text.open(), 0, {});
  std::size_t told = 0, calls = 0;
  std::string buffer;
  for (bool at_end = false; !at_end; ++calls)
    at_end = file.read(buffer, 1000, false, [&](const LineFile::Line&) { ++told; }).at_end;
  CHECK(told == 200000);
  CHECK(calls > 3);
}

TEST_CASE("lines are counted from 1") {
  GrowingFile text("one\ntwo\nthree\n");
  LineFile file(text.open(), 0, {});
  CHECK(file.line_number(0) == 1);
  CHECK(file.line_number(4) == 2);
  CHECK(file.line_number(8) == 3);
}

}  // namespace
}  // namespace hdrive::compute
