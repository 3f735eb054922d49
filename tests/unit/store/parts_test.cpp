// SPDX-License-Identifier: Apache-2.0
//
// A look at a part of a damaged database: what is told is what was written, or an error names the file. Pages of one
// file have the same form, so that SQLite takes one for another without a word.
#include <fmt/format.h>

#include <functional>
#include <map>

#include "base/file.h"
#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "store/database.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/store/small_sweep.h"

using namespace hdrive;

namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPage = 4096;

std::string text(const StoredRun& it) {
  std::string result =
      fmt::format("run {} {} {} {} {} {}", it.run.id, it.run.attempt, to_string(it.run.status),
                  to_json(it.run.parameters), it.run.reason, it.stderr_tail);
  for (const MetricFigures& figures : it.metrics)
    result += fmt::format(" {} {} {} {} {}", figures.name, figures.count, figures.last,
                          figures.least.value_or(-99), figures.greatest.value_or(-99));
  return result + "\n";
}

Result<std::string> text(SweepReader& reader, const RunQuery& query) {
  std::string result;
  auto read = reader.each_run(query, [&](const StoredRun& run) { result += text(run); });
  if (!read) return read.error();
  return result;
}

template <class T, class Words>
Result<std::string> worded(const Result<T>& result, Words&& words) {
  if (!result) return result.error();
  return words(*result);
}

using Look = std::function<Result<std::string>(SweepReader&)>;
const std::map<std::string, Look>& looks() {
  using By = RunOrder::By;
  static const std::map<std::string, Look> kLooks{
      {"entry",
       [](SweepReader& it) {
         return worded(it.entry(), [](const SweepEntry& entry) {
           return fmt::format("{} {} {} {} {} {} {} {}", entry.header.name, entry.header.config,
                              to_string(entry.status), entry.reason, entry.runs, entry.completed,
                              entry.failed, entry.latest.time_since_epoch().count());
         });
       }},
      {"totals",
       [](SweepReader& it) {
         return worded(it.totals(), [](const SweepTotals& totals) {
           return fmt::format("{} {} {} {} {}", totals.runs(), totals.of(RunStatus::failed),
                              totals.compute.count(), totals.best.value_or(-1), totals.best_value);
         });
       }},
      {"metric totals",
       [](SweepReader& it) {
         return worded(it.metric_totals(), [](const std::vector<MetricTotals>& all) {
           std::string result;
           for (const MetricTotals& one : all)
             result += fmt::format("{} {} {} {} {} ", one.name, one.runs, one.count,
                                   one.least.value_or(-99), one.greatest.value_or(-99));
           return result;
         });
       }},
      {"runs", [](SweepReader& it) { return text(it, {}); }},
      {"the best",
       [](SweepReader& it) {
         return text(it, {{}, {By::best}, 0, 3});
       }},
      {"the last",
       [](SweepReader& it) {
         return text(it, {{}, {By::last, "loss"}, 0, 3});
       }},
      {"the newest",
       [](SweepReader& it) {
         return text(it, {{}, {By::number, "", true}, 0, 3});
       }},
      {"failed",
       [](SweepReader& it) {
         return text(it, {{{RunStatus::failed}, {}, {}, ""}});
       }},
      {"with a text",
       [](SweepReader& it) {
         return text(it, {{{}, {}, {}, "0.6"}});
       }},
      {"by a parameter",
       [](SweepReader& it) {
         return text(it, {{}, {By::parameter, "--lr"}});
       }},
      {"a run",
       [](SweepReader& it) {
         return worded(it.run(13), [](const auto& run) { return text(run); });
       }},
      {"a verdict",
       [](SweepReader& it) {
         return worded(it.judged(13), [](const std::optional<RunJudged>& judged) {
           return judged ? judged->reason : std::string();
         });
       }},
      {"a curve",
       [](SweepReader& it) {
         return worded(it.series({{3, 13}, "acc"}), [](const std::vector<Series>& all) {
           std::string result;
           for (const Series& one : all)
             for (const Series::Point& point : one.points)
               result += fmt::format("{}:{} ", point.step.value_or(-1), point.value);
           return result;
         });
       }},
      {"values",
       [](SweepReader& it) -> Result<std::string> {
         std::string result;
         auto read = it.each_metric(std::nullopt, [&](const StoredMetric& one) {
           result += fmt::format("{}.{} {} {} {}\n", one.run, one.attempt, one.metric.name,
                                 one.metric.value, one.metric.step.value_or(-1));
         });
         if (!read) return read.error();
         return result;
       }},
      {"notes",
       [](SweepReader& it) {
         return worded(it.notes(), [](const std::vector<Noted>& notes) {
           std::string result;
           for (const Noted& note : notes) result += note.text;
           return result;
         });
       }},
      {"edits",
       [](SweepReader& it) {
         return worded(it.edits(), [](const std::vector<SweepEdited>& edits) {
           std::string result;
           for (const SweepEdited& edit : edits) result += edit.what + edit.config;
           return result;
         });
       }},
      {"news",
       [](SweepReader& it) {
         return worded(it.refresh(), [](const Increment& news) {
           std::string result = fmt::format("{} {} {} {}", news.runs.size(), news.status.size(),
                                            news.notes.size(), news.edits.size());
           for (const std::string& name : news.metric_names) result += " " + name;
           return result;
         });
       }},
      {"names", [](SweepReader& it) {
         return worded(it.metric_names(), [](const std::vector<std::string>& names) {
           std::string result;
           for (const std::string& name : names) result += name + " ";
           return result;
         });
       }}};
  return kLooks;
}

class Looker {
 public:
  Looker() {
    {
      auto store = create_sqlite_store(directory_.path(), test::header());
      REQUIRE(store);
      const std::vector<Change> changes = test::history();
      for (const Change& change : changes) REQUIRE((*store)->append(std::span(&change, 1)));
    }
    bytes_ = *base::read_file(file());
    auto reader = SweepReader::open(directory_.path());
    REQUIRE(reader);
    for (const auto& [name, look] : looks()) {
      INFO(name);
      auto seen = look(**reader);
      REQUIRE(seen);
      REQUIRE_FALSE(seen->empty());
      right_[name] = *seen;
    }
  }
  const std::string& bytes() const { return bytes_; }
  fs::path file() const { return directory_.path() / "sweep.db"; }

  void put(const std::string& bytes) const {
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(file().string() + suffix);
    REQUIRE(base::write_file_atomically(file(), bytes));
  }

  // How many looks were refused; each of the others told what is right.
  int check() const {
    int refused = 0;
    auto reader = SweepReader::open(directory_.path());
    if (!reader) return check_error(reader.error()), 1;
    for (const auto& [name, look] : looks()) {
      const auto seen = look(**reader);
      INFO(name);
      if (seen)
        CHECK(*seen == right_.at(name));
      else
        check_error(seen.error());
      refused += seen ? 0 : 1;
    }
    return refused;
  }

 private:
  void check_error(const Error& error) const {
    CHECK(error.kind == Error::Kind::damaged);
    CHECK_THAT(error.message(),
               Catch::StartsWith(file().string()) && Catch::Contains("hdrive repair"));
  }

  test::TemporaryDirectory directory_;
  std::string bytes_;
  std::map<std::string, std::string> right_;
};

}  // namespace

TEST_CASE("Two pages that changed places never make a look tell what was not written") {
  const Looker looker;
  const std::size_t pages = looker.bytes().size() / kPage;
  REQUIRE(pages > 15);
  int refused = 0, tried = 0;
  for (std::size_t a = 0; a < pages; ++a)
    for (std::size_t b = a + 1; b < pages; ++b) {
      std::string bytes = looker.bytes();
      for (std::size_t i = 0; i < kPage; ++i) std::swap(bytes[a * kPage + i], bytes[b * kPage + i]);
      looker.put(bytes);
      INFO("pages " << a + 1 << " and " << b + 1);
      refused += looker.check() > 0 ? 1 : 0;
      ++tried;
    }
  CHECK(refused > tried * 9 / 10);  // the rest is free space
}

TEST_CASE("A flipped bit never makes a look tell what was not written") {
  const Looker looker;
  int refused = 0;
  for (std::size_t byte = 100; byte < looker.bytes().size(); byte += 331) {
    std::string bytes = looker.bytes();
    bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << (byte % 8)));
    looker.put(bytes);
    INFO("byte " << byte % kPage << " of page " << byte / kPage + 1);
    refused += looker.check() > 0 ? 1 : 0;
  }
  CHECK(refused > 20);
}

TEST_CASE("A row that says something else, or is missing, is noticed by who looks at it") {
  const Looker looker;
  const char* const harms[] = {
      "UPDATE run_metrics SET last = 7 WHERE run = 13 AND name = 1",
      "UPDATE run_metrics SET greatest = 99 WHERE run = 13 AND name = 1",
      "DELETE FROM run_metrics WHERE run = 13 AND name = 2",
      "UPDATE run_metrics SET run = 99 WHERE run = 13",
      "UPDATE metric_names SET name = 'x' WHERE id = 1",
      "UPDATE metric_names SET name = iif(id = 1, 'loss', 'acc') WHERE name <> '' AND 0",
      "DELETE FROM metric_names WHERE id = 2",
      "UPDATE seal SET digest = 7 WHERE rowid = 2",
      "DELETE FROM seal WHERE rowid = 3",
      "UPDATE seal SET steps = steps + 1",
      "UPDATE seal SET latest = latest + 1",
      "UPDATE runs SET status = 'Failed' WHERE number = 13",
      "UPDATE runs SET attempt = 3 WHERE number = 13",
      "UPDATE runs SET facts_digest = NULL WHERE number = 13",
      "UPDATE runs SET started = started + 1 WHERE number = 13",
      "DELETE FROM runs WHERE number = 19",
      "DELETE FROM verdicts WHERE run = 13",
      "UPDATE verdicts SET reason = 'else' WHERE run = 13",
      "UPDATE sweep SET status = 'Completed'",
      "UPDATE sweep SET name = 'else'",
      "DELETE FROM notes",
      "UPDATE notes SET text = 'else'",
      "UPDATE edits SET what = 'else'",
      "DELETE FROM sweep_changes",
      "UPDATE metric_values SET value = 7 WHERE id = (13 << 32) + 1",
      "DELETE FROM metric_values WHERE id = (13 << 32) + 1",
      "UPDATE metric_values SET attempt = 2 WHERE id = (13 << 32) + 1",
      "DELETE FROM earlier_attempts WHERE run = 5"};
  for (const char* harm : harms) {
    looker.put(looker.bytes());
    {
      auto database = store::Database::open(looker.file(), store::Database::Mode::write);
      REQUIRE(database);
      REQUIRE((*database)->execute(harm));
    }
    INFO(harm);
    const bool nothing = std::string(harm).ends_with("AND 0");
    CHECK((looker.check() > 0) == !nothing);
  }
}
