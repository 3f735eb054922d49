// SPDX-License-Identifier: Apache-2.0
//
// Repairs where the rows of a database and the run directories tell different things.
#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/repair.h"
#include "hdrive/state.h"
#include "hdrive/store.h"
#include "store/database.h"
#include "tests/catch.h"
#include "tests/unit/store/repairable_sweep.h"

using namespace hdrive;
using namespace hdrive::test::repairs;

namespace fs = std::filesystem;

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

TEST_CASE("Damage in what only follows from the rows loses nothing, and nothing is doubted") {
  for (const char* harm :
       {"UPDATE seal SET latest = latest + 1", "UPDATE seal SET states = 7, own = 7",
        "UPDATE runs SET figures_digest = 7 WHERE number = 3", "DELETE FROM seal WHERE rowid > 1",
        "DELETE FROM run_metrics", "UPDATE run_metrics SET greatest = 99"}) {
    INFO(harm);
    const Sweep sweep;
    const auto before = sweep.runs();
    {
      auto database = store::Database::open(sweep.file(), store::Database::Mode::write);
      REQUIRE(database);
      REQUIRE((*database)->execute(harm));
    }
    CHECK_FALSE(replay_sweep(sweep.path(), "", [](const Change&) {}));
    const RepairReport report = sweep.repair(no_directories);
    CHECK_FALSE(report.sound);
    CHECK(report.lost.empty());
    CHECK(sweep.runs() == before);
    const auto reader = SweepReader::open(sweep.path());
    REQUIRE(reader);
    const auto totals = (*reader)->totals();
    REQUIRE(totals);
    CHECK(totals->best == kRuns - 1);
  }
}
