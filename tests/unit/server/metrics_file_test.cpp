// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/metrics_file.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "server/mlflow/journal.h"
#include "server/mlflow/run_record.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::server::mlflow {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Fixture {
  test::TemporaryDirectory folder;
  std::filesystem::path path = folder.path() / "metrics.jsonl";
  mutable OpenFiles files{4};
};

TEST_CASE("a metric is a line of the protocol") {
  const Fixture at;
  MetricsFile file(at.files, at.path, true);
  REQUIRE(file.append({{"loss", 0.5, 1'795'247'177'123, 3}, {"a\"b", std::nan(""), 0, 0}}));
  CHECK(read(at.path) ==
        "{\"name\": \"loss\", \"value\": 0.5, \"step\": 3, \"time\": 1795247177.123}\n"
        "{\"name\": \"a\\\"b\", \"value\": \"NaN\", \"step\": 0, \"time\": 0.000}\n");
}

TEST_CASE("a request that comes again counts once, also for the next engine") {
  const Fixture at;
  const std::vector<Point> points = {{"loss", 0.5, 1000, 1}, {"loss", 0.25, 2000, 2}};
  MetricsFile file(at.files, at.path, true);
  REQUIRE(file.append(points));
  REQUIRE(file.append(points));
  MetricsFile next(at.files, at.path, true);
  REQUIRE(next.append(points));
  CHECK(next.history("loss", 0, 100).points.size() == 2);
  REQUIRE(next.append({{"loss", 0.25, 2000, 3}, {"loss", 0.25, 2001, 2}, {"Loss", 0.25, 2000, 2}}));
  CHECK(next.history("loss", 0, 100).points.size() == 4);
}

TEST_CASE("a file that the engine makes is not made here") {
  const Fixture at;
  MetricsFile file(at.files, at.path, false);
  const auto done = file.append({{"loss", 0.5, 1000, 1}});
  REQUIRE(!done);
  CHECK(done.error().kind == Error::Kind::not_found);
  CHECK(!std::filesystem::exists(at.path));
}

TEST_CASE("of a run on another machine there are two files, of which one is written here") {
  const Fixture at;
  const auto beside = at.folder.path() / "mlflow-metrics.jsonl";
  std::ofstream{beside};
  MetricsFile file(at.files, at.path, false);
  REQUIRE(file.append({{"loss", 0.5, 1000, 1}, {"loss", 0.4, 2000, 2}}));
  CHECK_FALSE(std::filesystem::exists(at.path));
  CHECK(file.latest().at("loss").value == 0.4);
  // What comes from there, byte for byte.
  std::ofstream(at.path) << "{\"name\": \"loss\", \"value\": 0.3, \"step\": 3}\n"
                            "{\"name\": \"b\", \"value\": 7, \"step\": 1}\n";
  CHECK(file.latest().at("loss").value == 0.3);
  CHECK(file.latest().at("b").value == 7);
  const auto first = file.history("loss", 0, 2);
  REQUIRE(first.points.size() == 2);
  CHECK(first.points[1].value == 0.5);
  REQUIRE(first.next);
  const auto rest = file.history("loss", *first.next, 2);
  REQUIRE(rest.points.size() == 1);
  CHECK(rest.points[0].value == 0.4);
  CHECK_FALSE(rest.next);
  // A request that comes again, to the next engine.
  MetricsFile next(at.files, at.path, false);
  REQUIRE(next.append({{"loss", 0.4, 2000, 2}}));
  CHECK(next.history("loss", 0, 100).points.size() == 3);
  // Both were moved aside, for another attempt.
  std::filesystem::remove(at.path);
  std::filesystem::remove(beside);
  std::ofstream{beside};
  CHECK(next.latest().empty());
}

TEST_CASE("the file of the next attempt begins anew") {
  const Fixture at;
  MetricsFile file(at.files, at.path, true);
  REQUIRE(file.append({{"loss", 0.5, 1000, 1}}));
  CHECK(file.latest().size() == 1);
  std::filesystem::rename(at.path, at.folder.path() / "aside");
  std::ofstream(at.path).flush();
  CHECK(file.latest().empty());
  REQUIRE(file.append({{"loss", 0.5, 1000, 1}}));
  CHECK(file.latest().size() == 1);
}

TEST_CASE("what others log is seen, and the latest is that of the highest step") {
  const Fixture at;
  MetricsFile file(at.files, at.path, true);
  REQUIRE(file.append({{"loss", 0.5, 1000, 5}}));
  std::ofstream(at.path, std::ios::app)
      << "{\"value\": 7, \"name\": \"loss\", \"step\": 2}\nnonsense\n"
         "{\"name\": \"other\", \"value\": \"inf\"}\n{\"name\": \"half";
  CHECK(file.latest().at("loss").value == 0.5);
  CHECK(std::isinf(file.latest().at("other").value));
  REQUIRE(file.append({{"loss", 0.25, 1000, 5}, {"loss", 0.75, 1000, 5}}));
  CHECK(file.latest().at("loss").value == 0.75);
}

TEST_CASE("a history comes in pages") {
  const Fixture at;
  MetricsFile file(at.files, at.path, true);
  std::vector<Point> points;
  for (int i = 0; i < 100; ++i) points.push_back({i % 2 ? "odd" : "even", i / 2.0, 1000 + i, i});
  REQUIRE(file.append(points));
  std::vector<std::int64_t> steps;
  std::uint64_t position = 0;
  int pages = 0;
  for (std::optional<std::uint64_t> next = 0; next; ++pages) {
    position = *next;
    const auto page = file.history("odd", position, 7);
    for (const Point& point : page.points) steps.push_back(point.step);
    next = page.next;
  }
  CHECK(pages == 8);
  REQUIRE(steps.size() == 50);
  CHECK(steps.front() == 1);
  CHECK(steps.back() == 99);
}

TEST_CASE("points that did not find room are known as not written") {
  const Fixture at;
  MetricsFile file(at.files, at.path, true);
  REQUIRE(file.append({{"loss", 1, 1000, 0}}));
  const std::size_t line = read(at.path).size();
  std::vector<Point> points;
  for (int i = 1; i <= 20; ++i) points.push_back({"loss", 1, 1000, i});
  {
    const test::FileSizeLimit limit(line * 5 + line / 2);
    const auto done = file.append(points);
    REQUIRE(!done);
    CHECK(passes_by_itself(done.error().kind));
  }
  REQUIRE(file.append(points));
  const auto history = file.history("loss", 0, 100).points;
  REQUIRE(history.size() == 21);
  for (int i = 0; i <= 20; ++i) CHECK(history[static_cast<std::size_t>(i)].step == i);
}

TEST_CASE("thousands of hashes are remembered in bounded memory") {
  RecentHashes recent;
  for (std::uint64_t i = 1; i <= 100'000; ++i) CHECK(recent.insert(i));
  for (std::uint64_t i = 100'000; i > 100'000 - 4096; --i) CHECK(recent.contains(i));
  CHECK(!recent.contains(1));
}

TEST_CASE("a journal leaves out a line that a crash cut short, and goes on behind it") {
  const test::TemporaryDirectory folder;
  const auto path = folder.path() / "mlflow.jsonl";
  OpenFiles files(4);
  RunRecord run = RunRecord::created(files, "r", {{}, folder.path()}, folder.path());
  run.log({{{"param", "a"}, {"value", "1"}}});
  std::ofstream(path, std::ios::app) << "{\"param\": \"b\", \"val";
  RunRecord next = RunRecord::created(files, "r", {{}, folder.path()}, folder.path());
  CHECK(next.state().params == std::map<std::string, std::string>{{"a", "1"}});
  next.log({{{"param", "c"}, {"value", "3"}}});
  CHECK(next.state().params == std::map<std::string, std::string>{{"a", "1"}, {"c", "3"}});
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::others_all) ==
        std::filesystem::perms::none);
}

}  // namespace
}  // namespace hdrive::server::mlflow
