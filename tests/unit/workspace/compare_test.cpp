// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.h"
#include "tests/unit/workspace/folder.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using test::Project;
using Kind = FileDifference::Kind;

TEST_CASE("Two snapshots are compared file by file, texts by lines") {
  Project project;
  project.write("same.py", "x\n");
  project.write("gone.py", "1\n2\n");
  project.write("train.py", "a\nb\nc\nd\n");
  project.write("weights.bin", std::string("\0\1", 2));
  const Capture one = project.capture();
  fs::remove(project.source() / "gone.py");
  project.write("new.py", "1\n2\n3\n");
  project.write("train.py", "a\nB\nc\nd\ne\n");
  project.write("weights.bin", std::string("\0\2", 2));
  const Capture other = project.capture();
  const auto found = *compare_snapshots(project.store(), one.id, project.store(), other.id);
  REQUIRE(found.size() == 4);
  CHECK(found[0].path == "gone.py");
  CHECK(found[0].kind == Kind::removed);
  CHECK(found[0].lines_removed == 2);
  CHECK(found[1].path == "new.py");
  CHECK(found[1].kind == Kind::added);
  CHECK(found[1].lines_added == 3);
  CHECK(found[2].path == "train.py");
  CHECK(found[2].kind == Kind::changed);
  CHECK(found[2].lines_added == 2);
  CHECK(found[2].lines_removed == 1);
  CHECK(found[3].path == "weights.bin");
  CHECK_FALSE(found[3].text);
}

TEST_CASE("Texts that have nothing in common are still counted, and quickly") {
  Project project;
  std::string one_text, other_text;
  for (int i = 0; i < 20'000; ++i) {
    one_text += "a" + std::to_string(i) + "\n";
    other_text += "b" + std::to_string(i) + "\n";
  }
  project.write("x", one_text);
  const Capture one = project.capture();
  project.write("x", other_text);
  const Capture other = project.capture();
  const auto found = *compare_snapshots(project.store(), one.id, project.store(), other.id);
  REQUIRE(found.size() == 1);
  CHECK(found[0].lines_added == 20'000);
  CHECK(found[0].lines_removed == 20'000);
}

}  // namespace
}  // namespace hdrive
