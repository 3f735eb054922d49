// SPDX-License-Identifier: Apache-2.0
//
// Rebuilding databases, damaged in every page, with and without what run directories tell.
#include "hdrive/repair.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/file.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/state.h"
#include "hdrive/store.h"
#include "store/database.h"
#include "tests/catch.h"
#include "tests/support/store_text.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using test::told;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;
constexpr RunId kRuns = 12;
constexpr int kReports = 40;

Time at(std::int64_t seconds) { return Time(std::chrono::seconds(1'769'860'800 + seconds)); }

SweepHeader header() {
  return {"HD_1", "digits", "", "seed: 1", "acc", Goal::maximize, "0.1.0", at(0)};
}

Assignment parameters(RunId run) { return {{"--lr", 0.5 + 0.01 * static_cast<double>(run)}}; }

std::vector<Metric> metrics(RunId run) {
  std::vector<Metric> result;
  for (int i = 0; i < kReports; ++i)
    result.push_back({"acc", static_cast<double>(run) + 0.01 * i, i, at(100 * run + i)});
  return result;
}

std::vector<Change> history(RunId run) {
  return {RunProposed{run, parameters(run), "drawn", at(100 * run)},
          RunStarted{run, 1, 4711, at(100 * run)},
          RunMetrics{run, 1, metrics(run), {1000, 0}, at(100 * run + 50)},
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
Result<RecordedRun> directories(const fs::path&, RunId run, const SweepHeader&) {
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
Result<RecordedRun> no_directories(const fs::path&, RunId, const SweepHeader&) {
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
        fs::create_directories(run_directory(path(), run));
      }
    }
    bytes_ = *base::read_file(file());
  }
  const fs::path& path() const { return directory_.path(); }
  fs::path file() const { return path() / "sweep.db"; }
  const std::string& bytes() const { return bytes_; }

  void put(const std::string& bytes) const {
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(file().string() + suffix);
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
    for (const auto& [run, of] : changes) result[run] = told(of);
    return result;
  }

 private:
  test::TemporaryDirectory directory_;
  std::string bytes_;
};

}  // namespace

TEST_CASE("A sound database is not touched by a repair") {
  const Sweep sweep;
  CHECK(sweep.repair(directories).sound);
  CHECK(*base::read_file(sweep.file()) == sweep.bytes());
}

TEST_CASE("Whatever page is lost, database and run directories together restore every run") {
  const Sweep sweep;
  const auto whole = sweep.runs();
  REQUIRE(whole.size() == kRuns);
  for (std::size_t page = 0; page < sweep.bytes().size() / kPage; ++page) {
    INFO("page " << page + 1);
    sweep.zero(page);
    const RepairReport report = sweep.repair(directories);
    if (report.sound) continue;  // nothing lay there
    CHECK(report.runs == kRuns);
    CHECK(report.metrics == kRuns * kReports);
    for (const auto& [run, text] : sweep.runs()) {
      // When metrics were received may be lost; the rest may not.
      std::string expected = whole.at(run);
      CHECK(text.substr(0, text.find(" at ")) == expected.substr(0, expected.find(" at ")));
      CHECK(text.substr(text.find("acc")) == expected.substr(expected.find("acc")));
    }
    CHECK(*base::read_file(report.kept) != sweep.bytes());  // the damaged one, kept
    auto engine = open_sqlite_store(sweep.path());
    INFO((engine ? "" : engine.error().message()));
    REQUIRE(engine);
    CHECK((*engine)->append(history(kRuns)));
    CHECK((*engine)->header().config == "seed: 1");
  }
}

TEST_CASE("Without run directories a repair keeps what can be read, and says what is lost") {
  const Sweep sweep;
  const auto whole = sweep.runs();
  std::size_t pages_that_lost = 0, pages_that_lost_all = 0;
  for (std::size_t page = 0; page < sweep.bytes().size() / kPage; ++page) {
    INFO("page " << page + 1);
    sweep.zero(page);
    const RepairReport report = sweep.repair(no_directories);
    if (report.sound) continue;
    std::size_t same = 0;
    for (const auto& [run, text] : sweep.runs()) same += text == whole.at(run);
    if (same < kRuns) {
      ++pages_that_lost;
      CHECK_FALSE(report.lost.empty());
    }
    if (same == 0) ++pages_that_lost_all;
    CHECK(std::count(report.lost.begin(), report.lost.end(),
                     "nothing could be read of the database") == 0);
    REQUIRE(open_sqlite_store(sweep.path()));
  }
  CHECK(pages_that_lost > 2);
  CHECK(pages_that_lost_all <=
        3);  // where the roots of the runs, of the metrics and of their names lay
}

TEST_CASE("A database that is gone is rebuilt from sweep.json and the run directories") {
  const Sweep sweep;
  const auto whole = sweep.runs();
  const auto rebuilt = [&] {
    const RepairReport report = sweep.repair(directories);
    CHECK(report.runs == kRuns);
    CHECK(report.from_directories == kRuns);
    CHECK(sweep.runs().size() == kRuns);
    auto entry = find_sweep(sweep.path(), sweep.path().string());
    REQUIRE(entry);
    CHECK(entry->header.id == "HD_1");
    CHECK(entry->header.name == "digits");
    CHECK(entry->header.created == at(0));
    CHECK(entry->completed == kRuns);
  };
  SECTION("removed") {
    fs::remove(sweep.file());
    rebuilt();
  }
  SECTION("empty") {
    sweep.put("");
    rebuilt();
  }
  SECTION("something else") {
    sweep.put(std::string(20'000, 'x'));
    rebuilt();
  }
  SECTION("a directory") {
    fs::remove(sweep.file());
    fs::create_directory(sweep.file());
    rebuilt();
  }
}

TEST_CASE("A run of which nothing is left keeps its number and is told as lost") {
  const Sweep sweep;
  fs::remove(sweep.file());
  const auto all_but_5 = [](const fs::path& path, RunId run, const SweepHeader& of) {
    return run == 5 ? no_directories(path, run, of) : directories(path, run, of);
  };
  const RepairReport report = sweep.repair(all_but_5);
  CHECK(report.runs == kRuns);
  CHECK(std::count(report.lost.begin(), report.lost.end(), "run 5: its parameters") == 1);
  SweepState state("acc", Goal::maximize);
  REQUIRE(replay_sweep(sweep.path(), "", [&](const Change& it) { state.apply(it); }));
  CHECK(state.history().run(5).status == RunStatus::failed);
  CHECK(state.history().run(5).ended_by == EndCause::lost);
  CHECK(state.history().run(6).status == RunStatus::completed);
}

TEST_CASE("Steps that were in a lost log are found again in the run directories") {
  test::TemporaryDirectory home;
  const fs::path live = home.path() / "live", dead = home.path() / "dead";
  {
    auto engine = create_sqlite_store(live, header());
    for (RunId run = 0; run < 4; ++run) REQUIRE((*engine)->append(history(run)));
  }
  {
    auto engine = open_sqlite_store(live);
    for (RunId run = 4; run < 9; ++run) REQUIRE((*engine)->append(history(run)));
    fs::create_directory(dead);
    for (const char* name : {"sweep.db", "engine.lock", "sweep.json"})
      fs::copy_file(live / name, dead / name);
  }
  for (RunId run = 0; run < 9; ++run) fs::create_directories(run_directory(dead, run));
  REQUIRE_FALSE(open_sqlite_store(dead));
  auto report = repair_sweep(dead, directories);
  REQUIRE(report);
  CHECK_FALSE(report->sound);
  CHECK(report->runs == 9);
  CHECK(report->from_directories == 5);
  REQUIRE(open_sqlite_store(dead));
  CHECK(find_sweep(home.path(), dead.string())->completed == 9);
}

TEST_CASE("A repair is refused where it cannot help") {
  test::TemporaryDirectory home;
  const fs::path sweep = home.path() / "HD_1";
  SECTION("an engine owns the sweep") {
    auto engine = create_sqlite_store(sweep, header());
    auto refused = repair_sweep(sweep, directories);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message(), Catch::Contains("is run by process"));
  }
  SECTION("a newer hdrive wrote it") {
    REQUIRE(create_sqlite_store(sweep, header()));
    auto database = store::Database::open(sweep / "sweep.db", store::Database::Mode::write);
    REQUIRE((*database)->execute("CREATE TABLE more(x); PRAGMA user_version = 77"));
    auto refused = repair_sweep(sweep, directories);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message(), Catch::Contains("newer hdrive"));
  }
  SECTION("nothing tells what was swept") {
    fs::create_directory(sweep);
    auto refused = repair_sweep(sweep, directories);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message(), Catch::Contains("neither sweep.db nor sweep.json"));
  }
  SECTION("there is no such directory") { CHECK_FALSE(repair_sweep(sweep, directories)); }
}

// ---- what rows and run directories tell differently ---------------------------------------------

namespace {

// Where these bytes are in the file; they are there once.
std::size_t place_of(const std::string& file, const std::string& bytes) {
  const std::size_t found = file.find(bytes);
  REQUIRE(found != std::string::npos);
  return found;
}

// As SQLite keeps a number in a row.
std::string stored(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(bits >> shift);
  return bytes;
}

bool mentions(const std::vector<std::string>& sentences, const std::string& text) {
  return std::any_of(sentences.begin(), sentences.end(), [&](const std::string& sentence) {
    return sentence.find(text) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("A flipped bit in a metric or a parameter is put right from the run's files, and told") {
  const Sweep sweep;
  const auto whole = sweep.runs();
  const std::string value = stored(3 + 0.01 * 33);
  const std::string parameter = R"({"--lr":0.56})";
  for (const std::string& cell : {value, parameter}) {
    const std::size_t begin = place_of(sweep.bytes(), cell);
    // Not the braces and the name: a row without readable parameters is put together from scratch.
    const std::size_t first = cell == value ? 0 : 8, last = cell == value ? 8 : cell.size() - 1;
    for (std::size_t byte = first; byte < last; ++byte)
      for (int bit = byte % 2; bit < 8; bit += 3) {
        INFO("byte " << byte << ", bit " << bit);
        std::string bytes = sweep.bytes();
        bytes[begin + byte] = static_cast<char>(bytes[begin + byte] ^ (1 << bit));
        sweep.put(bytes);
        const RepairReport report = sweep.repair(directories);
        if (report.sound) continue;  // the same number, written otherwise
        CHECK(sweep.runs() == whole);
        CHECK((mentions(report.restored, "run 3: acc = 3.33 (step 33), as its files tell") ||
               mentions(report.restored, "run 6: --lr = 0.56, as its run.json tells")));
        CHECK(mentions(report.restored, "agrees with its digest"));
      }
  }
}

TEST_CASE(
    "Whatever bit is flipped, a repair leaves no value that differs from a whole run directory's") {
  const Sweep sweep;
  const auto essence = [](const std::string& text) {
    // Parameters and reports; when something was heard of is in the database alone.
    std::string kept;
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
      end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      if (line.starts_with("  --")) kept += line + "\n";
      if (line.starts_with("  acc")) kept += line.substr(0, line.rfind(' ')) + "\n";
      if (line.starts_with("ended")) kept += line.substr(0, line.find(" signal")) + "\n";
    }
    return kept;
  };
  std::map<RunId, std::string> whole;
  for (const auto& [run, text] : sweep.runs()) whole[run] = essence(text);
  int repaired = 0;
  for (std::size_t at = 100; at < sweep.bytes().size(); at += 307) {
    INFO("byte " << at);
    std::string bytes = sweep.bytes();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    sweep.put(bytes);
    const auto report = repair_sweep(sweep.path(), directories);
    if (!report) {  // the version: that of a later hdrive
      CHECK_THAT(report.error().message(), Catch::Contains("newer hdrive"));
      continue;
    }
    repaired += !report->sound;
    const auto runs = sweep.runs();
    CHECK(runs.size() == whole.size());
    for (const auto& [run, text] : runs) REQUIRE(essence(text) == whole[run]);
  }
  CHECK(repaired > 30);
}

TEST_CASE("How a run ended is put right from its exit.json") {
  const Sweep sweep;
  auto other = store::Database::open(sweep.file(), store::Database::Mode::write);
  REQUIRE(other);
  REQUIRE((*other)->execute("UPDATE runs SET exit_code = 7, status = 'Failed' WHERE number = 4"));
  other->reset();
  const RepairReport report = sweep.repair(directories);
  CHECK(
      mentions(report.restored,
               "run 4: Completed with exit code 0, as its exit.json tells; the database had Failed "
               "with exit code 7"));
  SweepState state("acc", Goal::maximize);
  REQUIRE(replay_sweep(sweep.path(), "", [&](const Change& it) { state.apply(it); }));
  CHECK(state.history().run(4).status == RunStatus::completed);
}

TEST_CASE(
    "A row that no file tells is left out where the files tell the most, and kept where they do "
    "not") {
  const Sweep sweep;
  auto other = store::Database::open(sweep.file(), store::Database::Mode::write);
  REQUIRE(other);
  REQUIRE((*other)->execute("UPDATE seal SET digest = digest + 1"));
  other->reset();
  const auto last_report = [](const fs::path& path, RunId run, const SweepHeader& of) {
    auto recorded = directories(path, run, of);
    // As a script leaves it that begins its file anew at each report.
    auto& all = recorded->attempts.front().metrics;
    all.erase(all.begin(), all.end() - 1);
    return recorded;
  };
  const RepairReport report = sweep.repair(last_report);
  CHECK(report.metrics == kRuns * kReports);
  CHECK(mentions(report.restored, "run 2: 39 reports in the database alone"));
}

TEST_CASE("A log that is left of a lost database never lands on the new one") {
  const Sweep sweep;
  const auto whole = sweep.runs();
  // A log with other pages: that of an engine that goes on elsewhere.
  const fs::path elsewhere = sweep.path() / "elsewhere";
  auto engine = create_sqlite_store(elsewhere, header());
  REQUIRE(engine);
  for (RunId run = 0; run < 4; ++run) REQUIRE((*engine)->append(history(run)));
  fs::copy_file(elsewhere / "sweep.db-wal", sweep.file().string() + "-wal",
                fs::copy_options::overwrite_existing);
  fs::remove(sweep.file());

  const RepairReport report = sweep.repair(directories);
  CHECK(report.runs == kRuns);
  CHECK_FALSE(fs::exists(sweep.file().string() + "-wal"));
  CHECK(fs::exists(sweep.file().string() + ".damaged-1-wal"));
  CHECK(sweep.runs().size() == kRuns);
  CHECK(sweep.repair(directories).sound);
  REQUIRE(open_sqlite_store(sweep.path()));
}

TEST_CASE(
    "A repair that was cut short when its database was complete is finished by the next one") {
  const Sweep sweep;
  sweep.zero(3);
  const std::string damaged = *base::read_file(sweep.file());
  REQUIRE_FALSE(sweep.repair(directories).sound);
  const auto repaired = sweep.runs();
  // As it was when the damaged file was linked, and its log moved, but the new one not yet in its place.
  fs::create_directory(sweep.path() / "repair.done");
  fs::rename(sweep.file(), sweep.path() / "repair.done" / "sweep.db");
  fs::create_hard_link(sweep.file().string() + ".damaged-1", sweep.file());

  const RepairReport report = sweep.repair(no_directories);
  CHECK(mentions(report.restored, "by an earlier repair, which was cut short"));
  CHECK(report.kept == sweep.file().string() + ".damaged-1");
  CHECK(*base::read_file(report.kept) == damaged);
  CHECK_FALSE(fs::exists(sweep.file().string() + ".damaged-2"));
  CHECK_FALSE(fs::exists(sweep.path() / "repair.done"));
  CHECK(sweep.runs() == repaired);
}

TEST_CASE("A folder of a number beyond reason is no run, is told, and costs nothing") {
  const Sweep sweep;
  for (const char* name : {"99999999", "007", "12x"})
    fs::create_directories(sweep.path() / "runs" / name);
  fs::remove(sweep.file());
  const RepairReport report = sweep.repair(directories);
  CHECK(report.runs == kRuns);
  CHECK(mentions(report.lost, "runs/99999999: is of no run of this sweep, whose runs end with 11"));
}
