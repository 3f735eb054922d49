// SPDX-License-Identifier: Apache-2.0
//
// Files that somebody else put there: nothing is waited for, followed, or read without end.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/json_words.h"
#include "tests/catch.h"

namespace hdrive::base {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "hdrive_file_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path operator/(const char* name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// As a shell that was told to keep nothing from anybody.
class OpenUmask {
 public:
  OpenUmask() : before_(::umask(0)) {}
  ~OpenUmask() { ::umask(before_); }
  OpenUmask(const OpenUmask&) = delete;
  OpenUmask& operator=(const OpenUmask&) = delete;

 private:
  mode_t before_;
};

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

void check_refused(const fs::path& path, const std::string& words) {
  for (const auto& result : {read_file(path), read_file_end(path, 100)}) {
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == Error::Kind::damaged);
    CHECK_THAT(result.error().message(), Contains(path.string()) && Contains(words));
  }
}

TEST_CASE("what is no regular file is told at once, and neither waited for nor followed") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  fs::create_directory(folder / "directory");
  std::ofstream(folder / "file") << "text";
  fs::create_symlink("file", folder / "link");
  fs::create_symlink("/dev/zero", folder / "zeros");
  fs::create_symlink("nowhere", folder / "dangling");
  check_refused(folder / "fifo", "a FIFO, not a regular file");
  check_refused(folder / "directory", "a directory, not a regular file");
  check_refused(folder / "link", "a symbolic link, not a regular file");
  check_refused(folder / "zeros", "a symbolic link");
  check_refused(folder / "dangling", "a symbolic link");
  check_refused("/dev/zero", "a device");
}

TEST_CASE("a FIFO in the place of a file to be written is refused, with a reader and without") {
  const Folder folder;
  const fs::path fifo = folder / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_FALSE(open_regular(AT_FDCWD, fifo, O_WRONLY | O_CREAT));
  const UniqueFd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK));
  const auto opened = open_regular(AT_FDCWD, fifo, O_WRONLY | O_CREAT);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == Error::Kind::damaged);
}

TEST_CASE("no more is read into memory than was said to be enough") {
  const Folder folder;
  std::ofstream(folder / "file") << std::string(5000, 'x');
  CHECK(read_file(folder / "file", 5000));
  CHECK_FALSE(read_file(folder / "file", 4999));
  REQUIRE(::truncate((folder / "file").c_str(), off_t{15} << 40) == 0);  // sparse
  const auto whole = read_file(folder / "file", 1 << 20);
  REQUIRE_FALSE(whole);
  CHECK_THAT(whole.error().message(), Contains("larger than 1 MB"));
  const auto end = read_file_end(folder / "file", 100);
  REQUIRE(end);
  CHECK(*end == std::string(100, '\0'));
}

TEST_CASE("a link to a directory is not entered") {
  const Folder folder;
  fs::create_directory(folder / "real");
  fs::create_directory_symlink("real", folder / "link");
  CHECK(open_directory(AT_FDCWD, folder / "real"));
  CHECK_FALSE(open_directory(AT_FDCWD, folder / "link"));
}

TEST_CASE("files and directories are their owner's alone, whatever the umask") {
  const Folder folder;
  const OpenUmask umask;
  REQUIRE(make_directories(folder / "a/b/c"));
  CHECK(mode_of(folder / "a") == 0700);
  CHECK(mode_of(folder / "a/b/c") == 0700);
  REQUIRE(write_file_atomically(folder / "secret", "key"));
  CHECK(mode_of(folder / "secret") == 0600);
  REQUIRE(write_file_atomically(folder / "told", "all", false, Access::others));
  CHECK(mode_of(folder / "told") == 0644);
}

TEST_CASE("directories that are there stay as they are, and what is none is told") {
  const Folder folder;
  fs::create_directory(folder / "there");
  fs::permissions(folder / "there", fs::perms(0755));
  CHECK(make_directories(folder / "there"));
  CHECK(make_directories(folder.path() / "there" / ""));
  CHECK(mode_of(folder / "there") == 0755);
  std::ofstream(folder / "file") << "";
  const auto made = make_directories(folder / "file/below");
  REQUIRE_FALSE(made);
  CHECK_THAT(made.error().message(), Contains("file/below"));
}

TEST_CASE("several threads replace one file, each as a whole") {
  const Folder folder;
  const auto write = [&](char letter) {
    for (int i = 0; i < 200; ++i)
      if (!write_file_atomically(folder / "file", std::string(10000, letter))) std::abort();
  };
  {
    std::vector<std::jthread> threads;
    for (const char letter : {'a', 'b', 'c'}) threads.emplace_back(write, letter);
  }
  const auto text = read_file(folder / "file");
  REQUIRE(text);
  CHECK(*text == std::string(10000, text->at(0)));
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("depth is counted outside of quotes") {
  CHECK_FALSE(nests_deeper(R"({"a": [1, {"b": "[[[[{{{{ \"[["}]})", 3));
  CHECK(nests_deeper(R"({"a": [1, {"b": 2}]})", 2));
  CHECK(nests_deeper(std::string(200000, '['), 100));
}

}  // namespace
}  // namespace hdrive::base
