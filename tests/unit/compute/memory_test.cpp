// SPDX-License-Identifier: Apache-2.0
//
// Runs kept below a limit of memory by control groups.
#include "compute/memory_groups.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

using Catch::Matchers::Contains;

// A tree that looks like the kernel's, as far as plain files can.
class Tree {
 public:
  explicit Tree(const std::string& own) { write(folder_.path() / "own", own); }
  void file(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((mounts() / path).parent_path());
    write(mounts() / path, text);
  }
  std::filesystem::path mounts() const { return folder_.path() / "cgroup"; }
  MemoryGroups groups() const { return MemoryGroups(mounts(), folder_.path() / "own"); }

 private:
  TemporaryDirectory folder_;
};

TEST_CASE("without control groups a limit is refused with what would help") {
  Tree tree("0::/user.slice/session-3.scope\n");
  tree.file("user.slice/cgroup.subtree_control", "cpu pids\n");
  auto made = tree.groups().make("hdrive-a-1", 1'000'000);
  REQUIRE_FALSE(made);
  CHECK_THAT(made.error().what, Contains("systemd-run --user --scope -p Delegate=yes"));
  CHECK_FALSE(std::filesystem::exists(tree.mounts() / "user.slice/hdrive-trial"));
}

TEST_CASE("a file that is no list of groups is no harm") {
  for (const char* own : {"", "::", "nonsense", "0:", "4:memory"}) {
    Tree tree(own);
    CHECK_FALSE(tree.groups().make("hdrive-a-1", 1'000'000));
  }
}

// Where the machine lets us.
bool groups_are_possible() {
  MemoryGroups groups;
  const std::string name = "hdrive-test-" + std::to_string(::getpid());
  const bool possible = static_cast<bool>(groups.make(name, 100 << 20));
  groups.remove(name);
  return possible;
}

TEST_CASE("a run that wants more memory than it asked for is ended, and says so") {
  if (!groups_are_possible()) {
    WARN("this machine lets us make no control groups; the test is skipped");
    return;
  }
  LocalRuns runs;
  // A shell that holds 200 MB in a variable, and one that does with less.
  auto request = runs.script(0, "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}");
  request.resources.memory = 50 << 20;
  const auto end = runs.run(request);
  CHECK(end.exit_code != 0);
  CHECK_THAT(end.note, Contains("it wanted more memory than it had asked for"));
  auto modest = runs.script(1, "x=$(head -c 2000000 /dev/zero | tr '\\0' x); log length ${#x}");
  modest.resources.memory = 50 << 20;
  CHECK(runs.run(modest).exit_code == 0);
  CHECK(runs.values(1).at("length") == 2000000);
  CHECK(runs.notes.empty());
  // Nothing is left of the groups.
  MemoryGroups groups;
  for (const auto& each : {request, modest}) {
    const auto made = groups.make(MemoryGroups::name_of(each), 50 << 20);
    REQUIRE(made);
    CHECK(read(*made / "cgroup.procs").empty());
    groups.remove(MemoryGroups::name_of(each));
    CHECK_FALSE(std::filesystem::exists(*made));
  }
}

}  // namespace
}  // namespace hdrive::compute
