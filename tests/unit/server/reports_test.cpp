// SPDX-License-Identifier: Apache-2.0
//
// What a run on another machine sends, as networks bring it: twice, late, in pieces, after its time.
#include "server/reports.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "hdrive/target.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::server {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

struct Sweep {
  Sweep() {
    fs::create_directories(run);
    write(run / "run.json", R"({"version": 1, "attempt": 2})");
  }

  Response ask(const std::string& method, const std::string& path, const std::string& body = "",
               int attempt = 2, RunId number = 7) {
    Request request;
    request.method = method;
    const auto mark = std::min(path.find('?'), path.size());
    if (mark < path.size()) request.query = path.substr(mark + 1);
    request.body = body;
    return reports->handle(number, attempt, path.substr(0, mark), request);
  }
  std::string code(const Response& response) {
    return json::parse(response.body).value("error_code", "");
  }
  std::uint64_t size(const Response& response) { return json::parse(response.body).at("size"); }

  test::TemporaryDirectory folder;
  fs::path run = folder.path() / "runs" / "7";
  void restart() { reports.emplace(folder.path()); }
  std::optional<Reports> reports{folder.path()};
};

TEST_CASE("pieces that come twice, late and in the wrong order make the file that was written") {
  Sweep sweep;
  std::mt19937 random(GENERATE(range(0U, 20U)));
  const auto below = [&](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(random);
  };
  std::string text;
  for (int i = 0; i < 500; ++i)
    text += "{\"name\": \"loss\", \"value\": " + std::to_string(i) + "}\n";
  CHECK(sweep.ask("POST", "/files/metrics.jsonl?offset=10", "too early").status == 409);
  std::size_t confirmed = 0;
  while (confirmed < text.size()) {
    // What is right, what was sent before, or what is too early; and pieces that lie across what is there.
    const std::size_t at = below(3) == 0 ? below(text.size()) : confirmed;
    const std::string piece = text.substr(at, below(2000));
    const Response answer =
        sweep.ask("POST", "/files/metrics.jsonl?offset=" + std::to_string(at), piece);
    if (at > confirmed) {
      CHECK(answer.status == 409);
      CHECK(sweep.code(answer) == "OFFSET");
    } else {
      CHECK(answer.status == 200);
      confirmed = std::max(confirmed, at + piece.size());
    }
    REQUIRE(sweep.size(answer) == confirmed);
    if (below(20) == 0) sweep.restart();
  }
  CHECK(read(sweep.run / "metrics.jsonl") == text);
  CHECK(sweep.size(sweep.ask("GET", "/files/metrics.jsonl")) == text.size());
}

TEST_CASE("a file that is put is there whole, and goes on from there") {
  Sweep sweep;
  CHECK(sweep.size(sweep.ask("GET", "/files/outputs/a/model.bin")) == 0);
  CHECK(sweep.ask("PUT", "/files/outputs/a/model.bin", "first, which is longer").status == 200);
  CHECK(sweep.size(sweep.ask("PUT", "/files/outputs/a/model.bin", "other")) == 5);
  CHECK(sweep.size(sweep.ask("POST", "/files/outputs/a/model.bin?offset=5", " one")) == 9);
  CHECK(read(sweep.run / "outputs/a/model.bin") == "other one");
  CHECK(sweep.ask("PUT", "/files/logs/with%20blank.txt", "").status == 200);
  CHECK(fs::exists(sweep.run / "logs/with blank.txt"));
}

TEST_CASE("of an attempt that is over, or has not begun, nothing is taken") {
  Sweep sweep;
  CHECK(sweep.code(sweep.ask("POST", "/files/metrics.jsonl?offset=0", "x", 1)) == "ATTEMPT_OVER");
  CHECK(sweep.ask("POST", "/files/metrics.jsonl?offset=0", "x", 3).status == 404);
  CHECK(sweep.ask("POST", "/files/metrics.jsonl?offset=0", "x", 2, 8).status == 404);
  CHECK_FALSE(fs::exists(sweep.run / "metrics.jsonl"));
  // Tried again meanwhile.
  fs::remove(sweep.run / "run.json");
  write(sweep.run / "run.json.new", R"({"version": 1, "attempt": 3})");
  write(sweep.run / "other", "");
  fs::rename(sweep.run / "run.json.new", sweep.run / "run.json");
  CHECK(sweep.ask("POST", "/files/metrics.jsonl?offset=0", "x", 3).status == 200);
  CHECK(sweep.code(sweep.ask("POST", "/files/metrics.jsonl?offset=1", "x", 2)) == "ATTEMPT_OVER");
  // How it ended is told last, and once.
  CHECK(sweep.ask("PUT", "/files/exit.json", R"({"version": 1, "attempt": 3, "exit_code": 0})", 3)
            .status == 200);
  CHECK(sweep.code(sweep.ask("POST", "/files/metrics.jsonl?offset=1", "y", 3)) == "RUN_ENDED");
  CHECK(read(sweep.run / "metrics.jsonl") == "x");
}

TEST_CASE("a run writes what is its own and nothing else, and no link leads elsewhere") {
  Sweep sweep;
  const auto path =
      GENERATE(as<std::string>(), "run.json", "job.sh", "mlflow-metrics.jsonl", "mlflow/x",
               ".start-1", "outputs", "outputs/../run.json", "outputs/%2e%2e/run.json",
               "..%2f8%2frun.json", "outputs//x", "", "work/train.py");
  const std::string before = read(sweep.run / "run.json");
  for (const char* method : {"PUT", "POST", "GET"})
    CHECK(sweep.ask(method, "/files/" + path + "?offset=0", "x").status >= 400);
  CHECK(read(sweep.run / "run.json") == before);
  const fs::path outside = sweep.folder.path() / "outside";
  fs::create_directories(outside);
  fs::create_directory_symlink(outside, sweep.run / "outputs");
  CHECK(sweep.ask("PUT", "/files/outputs/x", "x").status >= 400);
  write(outside / "file", "mine");
  fs::create_symlink(outside / "file", sweep.run / "stdout.log");
  CHECK(sweep.ask("POST", "/files/stdout.log?offset=4", "x").status >= 400);
  CHECK(read(outside / "file") == "mine");
  CHECK_FALSE(fs::exists(outside / "x"));
  CHECK(sweep.ask("POST", "/files/metrics.jsonl", "x").status == 400);
  CHECK(sweep.ask("POST", "/files/metrics.jsonl?offset=-1", "x").status == 400);
  CHECK(sweep.ask("DELETE", "/files/metrics.jsonl").status == 405);
}

TEST_CASE("a run is given to one job, which may ask again") {
  Sweep sweep;
  CHECK(sweep.code(sweep.ask("POST", "/claim?job=a1")) == "NO_CLAIM");
  write(sweep.run / ".start-77-1", std::string(1024, ' '));
  CHECK(sweep.ask("POST", "/claim?job=../x").status == 400);
  CHECK(sweep.ask("POST", "/claim?job=a1&host=node7").status == 200);
  CHECK_FALSE(fs::exists(sweep.run / ".start-77-1"));
  const json record = json::parse(read(sweep.run / "supervisor.json"));
  CHECK(record.at("attempt") == 2);
  CHECK(record.at("host") == "node7");
  CHECK(record.at("program_pid") == 0);
  CHECK(sweep.ask("POST", "/claim?job=a1").status == 200);
  CHECK(sweep.code(sweep.ask("POST", "/claim?job=b2")) == "CLAIMED");
}

TEST_CASE("an answer says whether the run is to end, and what it sends is a sign of life") {
  Sweep sweep;
  write(sweep.run / "supervisor.json", "{}");
  const timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, (sweep.run / "supervisor.json").c_str(), long_ago, 0) == 0);
  CHECK(json::parse(sweep.ask("GET", "/files/metrics.jsonl").body).at("stop") == "");
  struct stat status {};
  REQUIRE(::stat((sweep.run / "supervisor.json").c_str(), &status) == 0);
  CHECK(status.st_mtime > 1000);
  write(sweep.run / ".cancel-1", "kill\n");
  write(sweep.run / ".cancel-2", "gracefully\n");
  CHECK(json::parse(sweep.ask("POST", "/files/metrics.jsonl?offset=0", "x").body).at("stop") ==
        "gracefully");
  write(sweep.run / ".cancel-2", "kill\n");
  CHECK(json::parse(sweep.ask("POST", "/files/metrics.jsonl?offset=9", "x").body).at("stop") ==
        "kill");
}

TEST_CASE("a job fetches its files and those of all runs, and no others") {
  Sweep sweep;
  fs::create_directories(sweep.run / "work/models");
  write(sweep.run / "work/train.py", "print()");
  fs::create_directory_symlink("../outputs", sweep.run / "work/outputs");
  fs::create_directories(sweep.folder.path() / "runs/.python");
  write(sweep.folder.path() / "runs/.python/hdrive_run.py", "pass");
  write(sweep.folder.path() / "server.json", "secret");
  const json list = json::parse(sweep.ask("GET", "/job").body);
  const auto has = [&](const json& entry) {
    return std::find(list.begin(), list.end(), entry) != list.end();
  };
  CHECK(has({{"path", "work/train.py"}, {"size", 7}, {"executable", false}}));
  CHECK(has({{"path", "work/outputs"}, {"link", "../outputs"}}));
  CHECK(has({{"path", "work/models"}, {"folder", true}}));
  CHECK(has({{"path", ".python/hdrive_run.py"}, {"size", 4}, {"executable", false}}));
  CHECK(sweep.ask("GET", "/job/work/train.py").file.size == 7);
  for (const char* path : {"/job/../server.json", "/job/%2e%2e/server.json", "/job/supervisor.json",
                           "/job/work/outputs", "/job/.start-1", "/job/work/none.py"})
    CHECK(sweep.ask("GET", path).status == 404);
}

}  // namespace
}  // namespace hdrive::server
