// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "base/file.h"
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

TEST_CASE("A shared file whose size and time were put back is restored by the next engine") {
  Project project;
  make_large(project);
  const Capture capture = project.capture();
  CHECK(*check_snapshot(project.store(), capture.id) == 150);
  const fs::path one = project.run() / "work", other = project.run() / "work2";
  WorkingFolders first;
  REQUIRE(first.make(project.workspace(capture.id), one));
  struct stat before {};
  const fs::path shared = one / "lib/f7.py";
  REQUIRE(::stat(shared.c_str(), &before) == 0);
  if (before.st_nlink == 1) return;  // reflinks: nothing is shared
  fs::permissions(shared, fs::perms::owner_write, fs::perm_options::add);
  std::ofstream(shared) << std::string(content(7).size(), '?');
  const timespec times[2] = {before.st_atim, before.st_mtim};
  REQUIRE(::utimensat(AT_FDCWD, shared.c_str(), times, 0) == 0);
  REQUIRE(::chmod(shared.c_str(), before.st_mode & 07777) == 0);
  const auto checked = check_snapshot(project.store(), capture.id);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().kind == Error::Kind::damaged);
  CHECK_THAT(checked.error().message(), Contains("the snapshot's lib/f7.py"));
  WorkingFolders next;
  REQUIRE(next.make(project.workspace(capture.id), other));
  CHECK(read(other / "lib/f7.py") == content(7));
  REQUIRE(next.take_notes().size() == 1);
  CHECK(check_snapshot(project.store(), capture.id));
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

TEST_CASE("A folder is removed also where another process has one of that name aside") {
  Project project;
  project.write("a.py", "x");
  const Capture capture = project.capture();
  const fs::path work = project.run() / "work";
  // Of a process with the same number on another machine, which is at work there.
  const auto theirs = [&](int number) {
    return project.run().parent_path() / ".removed" /
           (std::to_string(::getpid()) + "-" + std::to_string(number));
  };
  {
    WorkingFolders folders;
    REQUIRE(folders.make(project.workspace(capture.id), work));
    test::write(theirs(1) / "file", "x");
    test::write(theirs(2), "x");
    folders.remove(work);
    CHECK_FALSE(fs::exists(work));
    REQUIRE(folders.make(project.workspace(capture.id), work));
  }
  CHECK(fs::exists(theirs(1) / "file"));
  CHECK(fs::exists(theirs(2)));
  CHECK_FALSE(fs::exists(theirs(3)));
}

// ---- handed on ----------------------------------------------------------------------------------

ino_t inode(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    names.insert(entry.path().lexically_relative(folder).string());
  return names;
}

// Folders of one snapshot.
class HandedOn {
 public:
  HandedOn() {
    project.write("train.py", "print()\n");
    project.write("lib/net.py", "x = 1\n");
    project.write("lib/run.sh", "#!/bin/sh\n");
    fs::permissions(project.source() / "lib/run.sh", fs::perms::owner_all);
    fs::create_symlink("net.py", project.source() / "lib/link.py");
    capture = project.capture();
    work = make("work");
  }

  fs::path make(const std::string& name) {
    const fs::path folder = project.run() / name;
    REQUIRE(folders.make(project.workspace(capture.id), folder));
    return folder;
  }

  // Whether the next run gets the folder that `work` was.
  bool serves_again() {
    // Held, so that no other folder is given its number.
    const base::UniqueFd held(::open(work.c_str(), O_PATH | O_CLOEXEC));
    const ino_t before = inode(work);
    folders.hand_on(work);
    const fs::path removed = project.run().parent_path() / ".removed";
    for (int turn = 0; turn < 2000; ++turn) {
      // Taken as soon as it has been looked at; until then a new one is made.
      const fs::path next = make("next");
      const bool again = inode(next) == before;
      if (again || !fs::exists(removed)) return again;
      fs::rename(next, project.run() / ("old" + std::to_string(turn)));
    }
    return false;
  }

  Project project;
  Capture capture;
  WorkingFolders folders;
  fs::path work;
};

TEST_CASE_METHOD(HandedOn, "An untouched folder that is handed on serves the next run, as new") {
  const auto names = names_in(work);
  SECTION("as it is") {}
  SECTION("without what was added") {
    test::write(work / "lib/__pycache__/net.pyc", "compiled");
    test::write(work / "left.txt", "left");
    fs::create_symlink("train.py", work / "more.py");
  }
  REQUIRE(serves_again());
  CHECK(names_in(project.run() / "next") == names);
  CHECK(read(project.run() / "next/lib/net.py") == "x = 1\n");
}

TEST_CASE_METHOD(HandedOn, "A folder in which something was changed serves no other run") {
  SECTION("a content, also of the same length and age") {
    const auto time = fs::last_write_time(work / "train.py");
    std::ofstream(work / "train.py") << "PRINT()\n";
    fs::last_write_time(work / "train.py", time);
  }
  SECTION("a file that is gone") { fs::remove(work / "lib/net.py"); }
  SECTION("a file that was replaced by a link to its like") {
    fs::copy_file(work / "lib/net.py", project.run() / "net.py");
    fs::remove(work / "lib/net.py");
    fs::create_symlink(project.run() / "net.py", work / "lib/net.py");
  }
  SECTION("a permission of a file") {
    fs::permissions(work / "train.py", fs::perms::others_write, fs::perm_options::add);
  }
  SECTION("a permission of a folder") {
    fs::permissions(work / "lib", fs::perms::others_write, fs::perm_options::add);
  }
  SECTION("the folder's own permission") {
    fs::permissions(work, fs::perms::others_write, fs::perm_options::add);
  }
  SECTION("another name of a file") {
    fs::create_hard_link(work / "train.py", project.run() / "kept.py");
  }
  SECTION("where a link leads") {
    fs::remove(work / "outputs");
    fs::create_symlink("/tmp", work / "outputs");
  }
  SECTION("a file in the place of a folder") {
    fs::remove_all(work / "lib");
    std::ofstream(work / "lib") << "x";
  }
  SECTION("a FIFO in the place of a file") {
    fs::remove(work / "train.py");
    REQUIRE(::mkfifo((work / "train.py").c_str(), 0644) == 0);
  }
  SECTION("a time of a file") {
    fs::last_write_time(work / "train.py",
                        fs::last_write_time(work / "train.py") - std::chrono::hours{1});
  }
  CHECK_FALSE(serves_again());
}

TEST_CASE("Nothing of what was handed on is left at the end") {
  Project project;
  project.write("a.py", "x");
  const Capture capture = project.capture();
  const fs::path work = project.run() / "work";
  {
    WorkingFolders folders;
    REQUIRE(folders.make(project.workspace(capture.id), work));
    folders.hand_on(work);
    CHECK_FALSE(fs::exists(work));
  }
  CHECK_FALSE(fs::exists(project.run().parent_path() / ".removed"));
}

}  // namespace
}  // namespace hdrive
