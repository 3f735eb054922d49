// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/artifacts.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "server/mlflow/fault.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::server::mlflow {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Fixture {
  test::TemporaryDirectory folder;
  fs::path path = folder.path() / "outputs";
  Artifacts artifacts{path};

  void put(const std::vector<std::string>& name, std::string_view text) {
    const auto upload = artifacts.upload(name);
    REQUIRE(upload->write(text));
    CHECK(upload->finish().status == 200);
  }
};

TEST_CASE("a file is seen when all of it has come") {
  Fixture at;
  {
    const auto upload = at.artifacts.upload({"model", "weights.bin"});
    REQUIRE(upload->write("half"));
    CHECK(at.artifacts.list({"model"}).empty());
  }
  CHECK(fs::is_empty(at.path / "model"));
  at.put({"model", "weights.bin"}, "first");
  at.put({"model", "weights.bin"}, "second");
  CHECK(read(at.path / "model" / "weights.bin") == "second");
  const FileBody file = at.artifacts.open({"model", "weights.bin"});
  CHECK(file.size == 6);
}

TEST_CASE("a list tells folders and sizes by name") {
  Fixture at;
  at.put({"b.txt"}, "12");
  at.put({"a", "c.txt"}, "1");
  const auto entries = at.artifacts.list({});
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].name == "a");
  CHECK(entries[0].is_directory);
  CHECK(entries[1].size == 2);
  CHECK(at.artifacts.list({"b.txt"}).empty());
  CHECK(at.artifacts.list({"missing"}).empty());
}

TEST_CASE("no link leads out of the folder") {
  Fixture at;
  at.put({"own.txt"}, "1");
  std::ofstream(at.folder.path() / "secret") << "secret";
  REQUIRE(::symlink(at.folder.path().c_str(), (at.path / "up").c_str()) == 0);
  REQUIRE(::symlink((at.folder.path() / "secret").c_str(), (at.path / "file").c_str()) == 0);
  CHECK(at.artifacts.list({}).size() == 1);
  CHECK(at.artifacts.list({"up"}).empty());
  CHECK_THROWS_AS(at.artifacts.open({"up", "secret"}), Fault);
  CHECK_THROWS_AS(at.artifacts.open({"file"}), Fault);
  CHECK_THROWS_AS(at.artifacts.upload({"up", "new"}), Fault);
  CHECK_THROWS_AS(at.artifacts.remove({"up", "secret"}), Fault);
  // A name that is a link is replaced, and not what it leads to.
  at.put({"file"}, "mine");
  CHECK(read(at.folder.path() / "secret") == "secret");
}

TEST_CASE("a folder is removed with all that is in it, and what links lead to stays") {
  Fixture at;
  at.put({"a", "b", "c.txt"}, "1");
  std::ofstream(at.folder.path() / "secret") << "secret";
  REQUIRE(::symlink(at.folder.path().c_str(), (at.path / "a" / "up").c_str()) == 0);
  at.artifacts.remove({"a"});
  CHECK(fs::is_empty(at.path));
  CHECK(fs::exists(at.folder.path() / "secret"));
  CHECK_THROWS_AS(at.artifacts.remove({"a"}), Fault);
  CHECK_THROWS_AS(at.artifacts.remove({}), Fault);
}

}  // namespace
}  // namespace hdrive::server::mlflow
