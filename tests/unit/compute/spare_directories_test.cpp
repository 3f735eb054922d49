// SPDX-License-Identifier: Apache-2.0
#include "compute/spare_directories.h"

#include <sys/stat.h>
#include <unistd.h>

#include "compute/run_directory.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

void make_file(const fs::path& path, const std::string& text = "") {
  write(path, text);
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
}

// The directory of a run that has ended and wrote nothing.
class Ended {
 public:
  Ended() {
    for (const char* name : kAttemptFolders) REQUIRE(make_folder(run / name));
    for (const char* name : kWrittenFiles) make_file(run / name);
    make_file(run / "supervisor.json", "{}");
    make_file(run / "run.json", "{}");
    make_file(run / "exit.json", "{}");
  }

  static bool make_folder(const fs::path& path) {
    std::error_code error;
    return fs::create_directories(path, error) && ::chmod(path.c_str(), 0700) == 0;
  }

  // What the directory of the next run begins with.
  std::set<std::string> passed_on() {
    spares.gather(run);
    REQUIRE(spares.take(next));
    return names_in(next);
  }

  TemporaryDirectory directory;
  fs::path runs = directory.path() / "runs";
  fs::path run = runs / "0", next = runs / "1";
  SpareDirectories spares;
};

const std::set<std::string> kAll{"outputs",    "logs",          "checkpoints",
                                 "stdout.log", "metrics.jsonl", kSpareClaim};

std::set<std::string> all_but(const std::string& name) {
  std::set<std::string> names = kAll;
  names.erase(name);
  return names;
}

TEST_CASE_METHOD(Ended, "What a short run left empty is where the next one begins") {
  CHECK(passed_on() == kAll);
  // stderr.log tells that a supervisor has begun, so each has its own.
  CHECK(names_in(run) == std::set<std::string>{"run.json", "exit.json", "stderr.log"});
}

TEST_CASE_METHOD(Ended, "What a run wrote or changed stays with it") {
  std::string changed;
  SECTION("an output") {
    changed = "outputs";
    make_file(run / "outputs" / "model.pkl");
  }
  SECTION("a line of output") {
    changed = "stdout.log";
    make_file(run / changed, "epoch 1\n");
  }
  SECTION("permissions of a folder") {
    changed = "checkpoints";
    REQUIRE(::chmod((run / changed).c_str(), 0777) == 0);
  }
  SECTION("permissions of a file") {
    changed = "metrics.jsonl";
    REQUIRE(::chmod((run / changed).c_str(), 0644) == 0);
  }
  SECTION("another name of a file") {
    changed = "stdout.log";
    fs::create_hard_link(run / changed, runs / "kept");
  }
  SECTION("a link in the place of a folder") {
    changed = "logs";
    fs::remove(run / changed);
    REQUIRE(make_folder(runs / "elsewhere"));
    fs::create_symlink(runs / "elsewhere", run / changed);
  }
  SECTION("a FIFO in the place of a file") {
    changed = "stdout.log";
    fs::remove(run / changed);
    REQUIRE(::mkfifo((run / changed).c_str(), 0600) == 0);
  }
  CHECK(passed_on() == all_but(changed));
  CHECK(names_in(run).contains(changed));
}

TEST_CASE_METHOD(Ended, "A directory that is there is never replaced") {
  spares.gather(run);
  REQUIRE(make_folder(next / "outputs"));
  CHECK_FALSE(spares.take(next));
  CHECK(names_in(next) == std::set<std::string>{"outputs"});
}

TEST_CASE_METHOD(Ended, "What an engine that died had in hand is not used, and goes") {
  REQUIRE(make_folder(runs / ".spare" / "1" / "outputs"));
  CHECK(passed_on() == kAll);
  CHECK(names_in(runs / ".spare").empty());
}

TEST_CASE_METHOD(Ended, "Nothing is left of spare directories at the end") {
  {
    SpareDirectories last;
    last.gather(run);
  }
  CHECK(names_in(runs) == std::set<std::string>{"0"});
}

TEST_CASE_METHOD(Ended, "A run gets a claim of blanks, whatever its claim was before") {
  spares.gather(run);
  RunRequest request;
  request.run = 1;
  request.directory = next;
  REQUIRE(prepare_run_directory(request, false, ".start-1", spares));
  CHECK(read(next / ".start-1") == std::string(1024, ' '));
  CHECK_FALSE(fs::exists(next / kSpareClaim));
}

}  // namespace
}  // namespace hdrive::compute
