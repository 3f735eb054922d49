// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/open_files.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "base/file.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::server::mlflow {
namespace {

void append(OpenFiles& files, const std::filesystem::path& path, const std::string& text) {
  const auto file = files.append_to(path, true);
  REQUIRE(file);
  REQUIRE(::write(file->fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

TEST_CASE("a file stays open from one request to the next") {
  const test::TemporaryDirectory folder;
  OpenFiles files(2);
  append(files, folder.path() / "a", "one ");
  const auto first = files.append_to(folder.path() / "a", false);
  append(files, folder.path() / "a", "two");
  const auto second = files.append_to(folder.path() / "a", false);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->fd == second->fd);
  CHECK(second->size == 7);
  CHECK(*base::read_file(folder.path() / "a") == "one two");
}

TEST_CASE("a file that was moved aside is left, and the one in its place is taken") {
  const test::TemporaryDirectory folder;
  OpenFiles files(2);
  append(files, folder.path() / "a", "old");
  std::filesystem::rename(folder.path() / "a", folder.path() / "aside");
  const auto gone = files.append_to(folder.path() / "a", false);
  REQUIRE(!gone);
  CHECK(gone.error().kind == Error::Kind::not_found);
  CHECK(files.held() == 0);
  append(files, folder.path() / "a", "new");
  CHECK(*base::read_file(folder.path() / "a") == "new");
  CHECK(*base::read_file(folder.path() / "aside") == "old");
  // A link in its place leads anywhere.
  std::filesystem::remove(folder.path() / "a");
  std::filesystem::create_symlink(folder.path() / "aside", folder.path() / "a");
  CHECK(!files.append_to(folder.path() / "a", true));
  CHECK(*base::read_file(folder.path() / "aside") == "old");
}

TEST_CASE("of more files than are held open the one that was not used for the longest is closed") {
  const test::TemporaryDirectory folder;
  OpenFiles files(2);
  append(files, folder.path() / "a", "a");
  append(files, folder.path() / "b", "b");
  append(files, folder.path() / "a", "a");
  const int kept = files.append_to(folder.path() / "a", false)->fd;
  append(files, folder.path() / "c", "c");
  CHECK(files.held() == 2);
  CHECK(files.append_to(folder.path() / "a", false)->fd == kept);
  append(files, folder.path() / "b", "b");
  CHECK(*base::read_file(folder.path() / "b") == "bb");
  CHECK(files.held() == 2);
}

}  // namespace
}  // namespace hdrive::server::mlflow
