// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include "tests/catch.h"
#include "tests/unit/workspace/folder.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using test::Project;
using test::read;

// More than is copied.
std::string content(int i) { return std::string(10'000, 'x') + std::to_string(i); }

void make_large(const Project& project) {
  for (int i = 0; i < 150; ++i) project.write("lib/f" + std::to_string(i) + ".py", content(i));
}

std::size_t count(const fs::path& folder) {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    files += entry.is_regular_file();
  return files;
}

TEST_CASE("A working folder has the files of the snapshot, and the run's outputs and logs") {
  Project project;
  project.write("train.sh", "#!/bin/sh\n");
  project.write("lib/net.py", "x");
  fs::create_directories(project.source() / "models/empty");
  fs::permissions(project.source() / "train.sh", fs::perms::owner_all);
  const Capture capture = project.capture();
  fs::create_directory(project.run() / "outputs");
  WorkingFolders folders;
  const fs::path work = project.run() / "work";
  REQUIRE(folders.make(project.workspace(capture.id), work));
  CHECK(read(work / "train.sh") == "#!/bin/sh\n");
  CHECK(::access((work / "train.sh").c_str(), X_OK) == 0);
  CHECK(read(work / "lib/net.py") == "x");
  CHECK(fs::is_directory(work / "models/empty"));
  test::write(work / "outputs" / "model.pkl", "m");
  CHECK(read(project.run() / "outputs/model.pkl") == "m");
}

TEST_CASE("Editing the source changes no working folder, and writing there changes no other") {
  Project project;
  project.write("data.csv", "1\n");
  const Capture capture = project.capture();
  project.write("data.csv", "2\n");
  WorkingFolders folders;
  const fs::path one = project.run() / "work", other = project.run() / "work2";
  REQUIRE(folders.make(project.workspace(capture.id), one));
  std::ofstream(one / "data.csv", std::ios::app) << "more\n";
  REQUIRE(folders.make(project.workspace(capture.id), other));
  CHECK(read(one / "data.csv") == "1\nmore\n");
  CHECK(read(other / "data.csv") == "1\n");
  CHECK(read(project.source() / "data.csv") == "2\n");
}

TEST_CASE("A large tree costs a run no room, and its files are read-only where they are shared") {
  Project project;
  make_large(project);
  const Capture capture = project.capture();
  WorkingFolders folders;
  const fs::path work = project.run() / "work";
  REQUIRE(folders.make(project.workspace(capture.id), work));
  CHECK(count(work) == 150);
  struct stat status {};
  REQUIRE(::stat((work / "lib/f7.py").c_str(), &status) == 0);
  if (status.st_nlink > 1) CHECK((status.st_mode & 0222) == 0);
}

TEST_CASE("A shared file that a run changed all the same is restored for the next, and told") {
  Project project;
  make_large(project);
  const Capture capture = project.capture();
  WorkingFolders folders;
  const fs::path one = project.run() / "work", other = project.run() / "work2";
  REQUIRE(folders.make(project.workspace(capture.id), one));
  struct stat status {};
  REQUIRE(::stat((one / "lib/f7.py").c_str(), &status) == 0);
  if (status.st_nlink == 1) return;  // reflinks: nothing is shared
  fs::permissions(one / "lib/f7.py", fs::perms::owner_write, fs::perm_options::add);
  std::ofstream(one / "lib/f7.py") << "ruined";
  REQUIRE(folders.make(project.workspace(capture.id), other));
  CHECK(read(other / "lib/f7.py") == content(7));
  const auto notes = folders.take_notes();
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes[0], Contains("lib/f7.py: a run changed the file that all runs have in common"));
  SECTION("and where the source has changed too, that is an error") {
    std::ofstream(other / "lib/f7.py") << "ruined";
    fs::permissions(other / "lib/f7.py", fs::perms::owner_write, fs::perm_options::add);
    std::ofstream(other / "lib/f7.py") << "ruined";
    project.write("lib/f7.py", "edited");
    const auto made = folders.make(project.workspace(capture.id), project.run() / "work3");
    REQUIRE_FALSE(made);
    CHECK(made.error().kind == Error::Kind::damaged);
    CHECK_FALSE(fs::exists(project.run() / "work3"));
  }
}

TEST_CASE("A snapshot that is not there is told, and nothing is left behind") {
  Project project;
  WorkingFolders folders;
  const auto made = folders.make(project.workspace(std::string(64, 'a')), project.run() / "work");
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == Error::Kind::not_found);
  CHECK_FALSE(fs::exists(project.run() / "work"));
}

TEST_CASE(
    "A removed folder is gone at once, with folders nobody may enter, and links are not followed") {
  Project project;
  project.write("a.py", "x");
  const Capture capture = project.capture();
  const fs::path work = project.run() / "work", precious = project.home() / "precious";
  test::write(precious / "file", "x");
  {
    WorkingFolders folders;
    REQUIRE(folders.make(project.workspace(capture.id), work));
    fs::create_directories(work / "closed/inner");
    fs::permissions(work / "closed", fs::perms::none);
    fs::create_symlink(precious, work / "link");
    folders.remove(work);
    CHECK_FALSE(fs::exists(work));
    REQUIRE(folders.make(project.workspace(capture.id), work));
    folders.remove(project.run() / "never made");
  }
  CHECK(fs::exists(work / "a.py"));
  CHECK(fs::exists(precious / "file"));
  CHECK_FALSE(fs::exists(project.run().parent_path() / ".removed"));
}

}  // namespace
}  // namespace hdrive
