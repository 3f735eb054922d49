// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "tests/catch.h"
#include "tests/support/few_descriptors.h"
#include "tests/unit/workspace/folder.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using test::paths;
using test::Project;

std::vector<fs::path> blobs(const Project& project) {
  std::vector<fs::path> result;
  for (const auto& entry : fs::recursive_directory_iterator(project.store() / "blobs"))
    if (entry.is_regular_file()) result.push_back(entry.path());
  return result;
}

std::string notes(const Capture& capture) {
  std::string text;
  for (const std::string& note : capture.notes) text += note + "\n";
  return text;
}

TEST_CASE("The same tree has the same id, and any difference in it another one") {
  Project project;
  project.write("train.py", "print(1)\n");
  project.write("lib/net.py", "x = 1\n");
  const std::string id = project.capture().id;
  CHECK(id.size() == 64);
  CHECK(project.capture().id == id);
  SECTION("content") { project.write("lib/net.py", "x = 2\n"); }
  SECTION("name") { fs::rename(project.source() / "lib/net.py", project.source() / "lib/nets.py"); }
  SECTION("permission to execute") {
    fs::permissions(project.source() / "train.py", fs::perms::owner_all);
  }
  SECTION("an empty folder") { fs::create_directory(project.source() / "models"); }
  CHECK(project.capture().id != id);
}

TEST_CASE("A source that cannot be read for want of descriptors is not captured as an empty one") {
  Project project;
  project.write("train.py", "print(1)\n");
  project.write("lib/net.py", "x = 1\n");
  const std::string whole = project.capture().id;
  int refused = 0;
  for (std::size_t left = 0; left < 8; ++left) {
    INFO(left);
    const auto capture = [&] {
      const test::FewDescriptors few(left);
      return capture_source(project.options());
    }();
    refused += !capture;
    if (capture)
      CHECK(capture->id == whole);
    else
      CHECK(capture.error().kind == Error::Kind::no_resources);
  }
  CHECK(refused > 1);
}

TEST_CASE("What leaves a file out of a snapshot is told by its line, or as a rule") {
  Project project;
  for (const char* file : {"train.py", "run.sh", "data/big.csv", "data/few.csv", "env/pyvenv.cfg",
                           "env/tool.py", "outputs/model.pkl", "lib/__pycache__/net.pyc"})
    project.write(file, "");
  project.write(".gitignore", "# ours\n*.sh\n");
  project.write("data/.gitignore", "*.csv\n!few.csv\n");
  const auto by = [&](const char* file) { return left_out_by(project.source(), file); };
  CHECK_FALSE(by("train.py"));
  CHECK_FALSE(by("./lib/../train.py"));
  CHECK_FALSE(by("gone.sh"));
  CHECK_FALSE(by("data/few.csv"));
  CHECK(by("run.sh") == ".gitignore:2");
  CHECK(by("data/big.csv") == "data/.gitignore:1");
  CHECK(by("env/tool.py") == "the pyvenv.cfg in env");
  CHECK(by("outputs/model.pkl") == "the rule that each run has a ./outputs of its own");
  CHECK(by("lib/__pycache__/net.pyc") == "the rule that lib/__pycache__ is no source");
  project.write(".amlignore", "");
  CHECK_FALSE(by("run.sh"));
}

TEST_CASE("What is told to be left out is what a capture leaves out") {
  Project project;
  const char* const files[] = {"a.py", "b.log", "c/a.py", "c/b.log", "d/e/f.txt", "d/g.txt"};
  for (const char* file : files) project.write(file, file);
  project.write(".gitignore", "*.log\n/d/*\n!/d/g.txt\n");
  project.write("c/.gitignore", "!b.log\n");
  const auto captured = " " + paths(project, project.capture()) + " ";
  for (const char* file : files) {
    INFO(file);
    const bool is_in = captured.find(" " + std::string(file) + " ") != captured.npos;
    CHECK(is_in == !left_out_by(project.source(), file).has_value());
  }
}

TEST_CASE("A content is stored once, and only what has changed is stored again") {
  Project project;
  project.write("a.py", "same\n");
  project.write("b.py", "same\n");
  project.write("c.py", "other\n");
  const Capture first = project.capture();
  CHECK(first.files == 3);
  CHECK(blobs(project).size() == 2);
  project.write("c.py", "changed\n");
  project.capture();
  CHECK(blobs(project).size() == 3);
}

TEST_CASE("A file that has not changed is not read again") {
  Project project;
  project.write("a.py", "1");
  project.write("b.py", "2");
  const std::string id = project.capture().id;
  // An index that tells a lie is believed as long as the file is as it was.
  const fs::path index = fs::directory_iterator(project.store() / "index")->path();
  const auto entries = *read_snapshot(project.store(), id);
  std::string text = test::read(index);
  text.replace(text.find(entries[0].digest), 64, entries[1].digest);
  test::write(index, text);
  const auto believed = *read_snapshot(project.store(), project.capture().id);
  CHECK(believed[0].digest == entries[1].digest);
  fs::permissions(project.source() / "a.py", fs::perms::owner_all);
  const auto looked = *read_snapshot(project.store(), project.capture().id);
  CHECK(looked[0].digest == entries[0].digest);
}

TEST_CASE("A file that was changed just before a capture is read again by the next one") {
  Project project;
  project.write("a.py", "first\n");
  CaptureOptions options = project.options();
  options.now -= std::chrono::hours{1};
  REQUIRE(capture_source(options));
  const fs::path index = fs::directory_iterator(project.store() / "index")->path();
  CHECK_THAT(test::read(index), !Contains("a.py"));
}

TEST_CASE(
    "Ignore files, caches, virtual environments, git's folder and hdrive's own are left out") {
  Project project;
  for (const char* path :
       {"train.py", "data.bin", ".git/config", ".hdrive/x", "__pycache__/train.pyc",
        "sub/.mypy_cache/x", "venv/pyvenv.cfg", "venv/bin/python", "conda/conda-meta/history",
        "target/CACHEDIR.TAG", "target/x", "outputs/model.pkl", "logs/a.txt", "sub/outputs/kept"})
    project.write(path, "x");
  project.write(".gitignore", "*.bin\n");
  const Capture capture = project.capture();
  CHECK(paths(project, capture) == ".gitignore sub/outputs/kept train.py");
  CHECK(capture.ignored == 1);
  CHECK_THAT(notes(capture), Contains("logs, outputs: not captured: in its working folder each run "
                                      "has its own"));
}

TEST_CASE("Where a folder has an .amlignore, its .gitignore is not asked") {
  Project project;
  project.write("a.txt", "x");
  project.write("b.txt", "x");
  project.write(".gitignore", "a.txt\n");
  project.write(".amlignore", "b.txt\n");
  CHECK(paths(project, project.capture()) == ".amlignore .gitignore a.txt");
}

TEST_CASE("What lies in an ignored folder cannot be taken back in") {
  Project project;
  project.write("data/keep.csv", "x");
  project.write("more/keep.csv", "x");
  project.write("more/drop.csv", "x");
  project.write(".gitignore", "data/\n!data/keep.csv\nmore/*\n!more/keep.csv\n");
  CHECK(paths(project, project.capture()) == ".gitignore more/keep.csv");
}

TEST_CASE("A file that is too large is linked to the original, and named") {
  Project project;
  project.write("big.bin", std::string(2000, 'x'));
  CaptureOptions options = project.options();
  options.max_file = 1000;
  const Capture capture = *capture_source(options);
  CHECK(paths(project, capture) == "big.bin->" + (project.source() / "big.bin").string());
  CHECK_THAT(notes(capture), Contains("big.bin (2.0 kB): larger than snapshot_max_file"));
  CHECK(capture.files == 0);
}

TEST_CASE("A link into the tree stays in it, any other leads to the original") {
  Project project;
  project.write("lib/net.py", "x");
  fs::create_symlink("lib/net.py", project.source() / "inner");
  fs::create_symlink(project.source() / "lib", project.source() / "absolute");
  fs::create_symlink("/usr/share", project.source() / "data");
  fs::create_symlink("../net.py", project.source() / "lib/missing");
  const Capture capture = project.capture();
  CHECK(paths(project, capture) ==
        "absolute->lib data->/usr/share inner->lib/net.py lib/missing->" +
            (project.source() / "net.py").string() + " lib/net.py");
  CHECK_THAT(notes(capture), Contains("data, lib/missing: a link that leads out"));
}

TEST_CASE("A FIFO is neither waited for nor captured") {
  Project project;
  project.write("train.py", "x");
  REQUIRE(::mkfifo((project.source() / "pipe").c_str(), 0600) == 0);
  const Capture capture = project.capture();
  CHECK(paths(project, capture) == "train.py");
  CHECK_THAT(notes(capture), Contains("pipe: neither file nor folder"));
}

TEST_CASE("A folder with too many files is not captured, and a sentence says why") {
  Project project;
  for (int i = 0; i < 20'001; ++i) {
    const auto name = project.source() / std::to_string(i);
    REQUIRE(::symlink("/", name.c_str()) == 0);
  }
  const Capture capture = project.capture();
  CHECK(capture.id.empty());
  CHECK_THAT(notes(capture), Contains("has more than 20000 files, too large"));
}

TEST_CASE("More than Azure takes is a warning") {
  Project project;
  for (int i = 0; i < 2001; ++i) project.write(std::to_string(i), "");
  CHECK_THAT(notes(project.capture()), Contains("Azure ML takes no more than 300 MB and 2,000"));
}

TEST_CASE("A source folder that is not there is told") {
  Project project;
  CaptureOptions options = project.options();
  options.source = project.source() / "nowhere";
  const auto capture = capture_source(options);
  REQUIRE_FALSE(capture);
  CHECK(capture.error().kind == Error::Kind::not_found);
}

TEST_CASE("Several capture the same folder at once, and nothing is torn") {
  Project project;
  for (int i = 0; i < 50; ++i) project.write("f" + std::to_string(i), std::string(10'000, 'a'));
  std::vector<std::string> ids(4);
  std::vector<std::thread> threads;
  for (std::string& id : ids) threads.emplace_back([&] { id = project.capture().id; });
  for (std::thread& thread : threads) thread.join();
  CHECK(std::count(ids.begin(), ids.end(), ids.front()) == 4);
  CHECK(blobs(project).size() == 1);
}

TEST_CASE("Collecting removes what no sweep names, and nothing while a capture is held") {
  Project project;
  project.write("a.py", "first\n");
  project.write("b.py", "same\n");
  Capture first = project.capture();
  project.write("a.py", "second\n");
  Capture second = project.capture();
  const auto busy = collect_snapshots(project.store(), {second.id});
  REQUIRE_FALSE(busy);
  CHECK(busy.error().kind == Error::Kind::busy);
  first.hold.reset();
  second.hold.reset();
  CHECK(*collect_snapshots(project.store(), {second.id}, true) > 0);
  CHECK(blobs(project).size() == 3);
  CHECK(*collect_snapshots(project.store(), {second.id}) > 0);
  CHECK(blobs(project).size() == 2);
  CHECK_FALSE(read_snapshot(project.store(), first.id));
  CHECK(paths(project, second) == "a.py b.py");
}

TEST_CASE("A description that was tampered with is damaged, and leads nowhere") {
  Project project;
  project.write("a.py", "x");
  const Capture capture = project.capture();
  test::write(project.store() / "trees" / capture.id, "hdrive-snapshot 1\nl /etc ../../x\n");
  const auto read = read_snapshot(project.store(), capture.id);
  REQUIRE_FALSE(read);
  CHECK(read.error().kind == Error::Kind::damaged);
  CHECK_FALSE(read_snapshot(project.store(), "../../../etc/passwd"));
}

}  // namespace
}  // namespace hdrive
