// SPDX-License-Identifier: Apache-2.0
//
// A sweep on disk that tests damage and repair, and what its run directories tell.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "hdrive/reader.h"
#include "hdrive/repair.h"
#include "hdrive/store.h"
#include "tests/catch.h"
#include "tests/support/store_text.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::test::repairs {

inline constexpr std::size_t kPage = 4096;
inline constexpr RunId kRuns = 12;
inline constexpr int kReports = 40;

inline Time at(std::int64_t seconds) { return Time(std::chrono::seconds(1'769'860'800 + seconds)); }

inline SweepHeader header() {
  return {"HD_1", "digits", "", "seed: 1", "acc", Goal::maximize, "0.1.0", at(0)};
}

inline Assignment parameters(RunId run) {
  return {{"--lr", 0.5 + 0.01 * static_cast<double>(run)}};
}

inline std::vector<Metric> metrics(RunId run) {
  std::vector<Metric> result;
  for (int i = 0; i < kReports; ++i)
    result.push_back({"acc", static_cast<double>(run) + 0.01 * i, i, at(100 * run + i)});
  return result;
}

inline std::vector<Change> history(RunId run) {
  return {RunProposed{run, parameters(run), "drawn", at(100 * run)},
          RunStarted{run, 1, 4711, at(100 * run)},
          RunMetrics{run, 1, metrics(run), "1000 0", at(100 * run + 50)},
          RunEnded{run,
                   1,
                   RunStatus::completed,
                   EndCause::exited,
                   0,
                   {},
                   "completed",
                   "",
                   at(100 * run + 60)}};
}

// What the directories tell: all, as the target finds them.
inline Result<RecordedRun> directories(const std::filesystem::path&, RunId run,
                                       const SweepHeader&) {
  RecordedRun recorded;
  recorded.run = run;
  recorded.parameters = parameters(run);
  recorded.proposal = "drawn";
  RecordedAttempt attempt;
  attempt.metrics = metrics(run);
  attempt.position = {1000, 0};
  attempt.exited = RunExited{};
  attempt.exited->run = run;
  attempt.exited->exit_code = 0;
  attempt.proposed = attempt.started = at(100 * run);
  attempt.ended = at(100 * run + 60);
  attempt.pid = 4711;
  recorded.attempts = {attempt};
  return recorded;
}
inline Result<RecordedRun> no_directories(const std::filesystem::path&, RunId, const SweepHeader&) {
  return Error{"", "there are none"};
}

class Sweep {
 public:
  Sweep() {
    {
      auto store = create_sqlite_store(path(), header());
      REQUIRE(store);
      REQUIRE((*store)->append(
          std::vector<Change>{SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, at(0)}}));
      for (RunId run = 0; run < kRuns; ++run) {
        REQUIRE((*store)->append(history(run)));
        std::filesystem::create_directories(run_directory(path(), run));
      }
    }
    bytes_ = *base::read_file(file());
  }
  const std::filesystem::path& path() const { return directory_.path(); }
  std::filesystem::path file() const { return path() / "sweep.db"; }
  const std::string& bytes() const { return bytes_; }

  void put(const std::string& bytes) const {
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(file().string() + suffix);
    REQUIRE(base::write_file_atomically(file(), bytes));
  }
  void zero(std::size_t page) const {
    std::string bytes = bytes_;
    std::fill_n(bytes.begin() + static_cast<long>(page * kPage), kPage, '\0');
    put(bytes);
  }

  RepairReport repair(const ReadRunDirectory& read) const {
    auto report = repair_sweep(path(), read);
    INFO((report ? "" : report.error().message()));
    REQUIRE(report);
    return *report;
  }
  // By run, without what a repair cannot know.
  std::map<RunId, std::string> runs() const {
    std::map<RunId, std::vector<Change>> changes;
    auto read = replay_sweep(path(), "", [&](const Change& change) {
      std::visit(
          [&](const auto& it) {
            if constexpr (requires { it.run + 1; }) changes[it.run].push_back(it);
          },
          change);
    });
    INFO((read ? "" : read.error().message()));
    REQUIRE(read);
    std::map<RunId, std::string> result;
    for (const auto& [run, of] : changes) result[run] = test::told(of);
    return result;
  }

 private:
  test::TemporaryDirectory directory_;
  std::string bytes_;
};

}  // namespace hdrive::test::repairs
