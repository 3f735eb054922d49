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
  void resize(std::uint64_t size) { std::filesystem::resize_file(path_, size); }
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

TEST_CASE("lines are counted from 1, also by a reader that began later") {
  GrowingFile text("one\ntwo\nthree\n");
  const auto numbers = [&](std::uint64_t from) {
    std::vector<std::uint64_t> result;
    LineFile file(text.open(), from, {});
    std::string buffer;
    file.read(buffer, 1 << 20, false, [&](const LineFile::Line& line) {
      result.push_back(file.line_number(line).value_or(0));
    });
    return result;
  };
  CHECK(numbers(0) == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(numbers(4) == std::vector<std::uint64_t>{2, 3});
}

constexpr std::size_t kSlice = 256 << 10;

TEST_CASE("a line longer than a budget is read, and one longer than allowed is cut, in one call") {
  const auto size =
      GENERATE(kSlice - 1, kSlice, kSlice + 1, std::size_t{700000}, std::size_t{1048575},
               std::size_t{1048576}, std::size_t{1048577}, std::size_t{5000000});
  const std::string big(size, 'x');
  GrowingFile text(big + "\nb\n");
  LineFile file(text.open(), 0, {1 << 20, false});
  std::vector<std::size_t> told;
  std::string buffer;
  bool at_end = false;
  for (int calls = 0; !at_end && calls < 50; ++calls)
    at_end = file.read(buffer, kSlice, false,
                       [&](const LineFile::Line& line) {
                         told.push_back(line.text.size() + (line.cut ? 1 : 0));
                       })
                 .at_end;
  CHECK(at_end);
  const std::size_t longest = 1 << 20;
  CHECK(told == std::vector<std::size_t>{size > longest ? longest + 1 : size, 1});
}

TEST_CASE("a sparse file of terabytes is one line that is too long, and takes no time") {
  GrowingFile text("a\n");
  text.resize(std::uint64_t{15} << 40);
  text.append("tail\nb\n");
  LineFile file(text.open(), 0, {1 << 20, false});
  std::vector<std::string> told;
  std::string buffer;
  bool at_end = false;
  for (int calls = 0; !at_end && calls < 50; ++calls)
    at_end = file.read(buffer, 256 << 10, true,
                       [&](const LineFile::Line& line) {
                         told.push_back(std::string(line.text.substr(0, 1)) +
                                        std::to_string(file.line_number(line).value_or(0)));
                       })
                 .at_end;
  CHECK(at_end);
  CHECK(told == Lines{"a1", std::string(1, '\0') + "2", "b3"});
}

TEST_CASE("a file that was written anew is read anew, whether shorter, as long or longer") {
  const std::string now = GENERATE("1\n", "four\nfive\n", "six\nseven\neight\n");
  GrowingFile text("one\nthree\n");
  LineFile file(text.open(), 0, {});
  lines(file);
  text.resize(0);
  text.append(now);
  std::string all;
  std::string buffer;
  bool began_anew = false;
  began_anew = file.read(buffer, 1 << 20, false,
                         [&](const LineFile::Line& line) { all += std::string(line.text) + "\n"; })
                   .began_anew;
  CHECK(began_anew);
  CHECK(all == now);
}

TEST_CASE("a file that is written anew all the time holds nobody up") {
  GrowingFile text("one\n");
  LineFile file(text.open(), 0, {});
  lines(file);
  int times = 0;
  std::string buffer;
  for (int i = 0; i < 5; ++i) {
    text.resize(0);
    text.append(std::string(1, static_cast<char>('a' + i)) + "\n");
    times += file.read(buffer, 1 << 20, false, [](const LineFile::Line&) {}).began_anew;
  }
  CHECK(times == 5);
}

}  // namespace
}  // namespace hdrive::compute
