// SPDX-License-Identifier: Apache-2.0
//
// What the store costs: a durable append beside a bare commit of SQLite, a million metrics, a replay. One
// program, so that the ratios hold on a noisy machine.
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "hdrive/hdrive.h"

using namespace hdrive;

namespace {

namespace fs = std::filesystem;
constexpr int kCommits = 2000;
constexpr int kGrowing = 60;  // of each kind; together fewer than 1,000 pages
constexpr RunId kRuns = 100'000;
constexpr int kReports = 10;
constexpr std::size_t kBatch = 10'000;  // metrics in one transaction
constexpr RunId kLive = 40;             // runs whose metrics come mixed

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void must(const Result<void>& result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().message().c_str());
  std::exit(1);
}

Time at(std::int64_t microseconds) { return Time(Duration(1'769'860'800'000'000 + microseconds)); }

SweepHeader header(const std::string& id) {
  SweepHeader header;
  header.id = id;
  header.metric = "accuracy";
  return header;
}

// SQLite alone: what any store on top of it pays at least.
class BareSqlite {
 public:
  explicit BareSqlite(const fs::path& file) {
    if (sqlite3_open(file.c_str(), &database_) != SQLITE_OK) std::exit(1);
    execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    execute(
        "CREATE TABLE t(run INTEGER, attempt INTEGER, name TEXT, step INTEGER, x REAL, t REAL)");
    const char* insert = "INSERT INTO t VALUES(1, 1, 'accuracy', ?1, ?2, ?3)";
    sqlite3_prepare_v2(database_, insert, -1, &insert_, nullptr);
  }
  ~BareSqlite() {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }
  BareSqlite(const BareSqlite&) = delete;
  BareSqlite& operator=(const BareSqlite&) = delete;

  // One small row, in a transaction of its own if none is open.
  void insert(std::size_t i) {
    sqlite3_bind_int64(insert_, 1, static_cast<std::int64_t>(i));
    sqlite3_bind_double(insert_, 2, 0.5 + 1e-7 * static_cast<double>(i));
    sqlite3_bind_double(insert_, 3, 1.77e9 + 1e-3 * static_cast<double>(i));
    if (sqlite3_step(insert_) != SQLITE_DONE) std::exit(1);
    sqlite3_reset(insert_);
  }

  void execute(const char* sql) {
    if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) std::exit(1);
  }

 private:
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

Change proposed(RunId run) {
  return RunProposed{run,
                     {{"learning_rate", 0.001 + 1e-7 * static_cast<double>(run)},
                      {"layers", std::int64_t{3}},
                      {"activation", std::string("relu")},
                      {"dropout", 0.25}},
                     "drawn at random",
                     at(run)};
}

// Bare commits and each kind of append by turns, in slices, so that a slow moment hits all alike.
void durable_appends(const fs::path& directory) {
  BareSqlite bare(directory / "bare.db");
  auto store = create_sqlite_store(directory / "appends", header("HD_a"));
  if (!store) std::exit(1);
  RunId next = 0;
  const auto append = [&](Change change) { must((*store)->append(std::span(&change, 1))); };
  struct Case {
    const char* name;
    std::function<void()> once;
    std::vector<double> microseconds;
  };
  Case cases[] = {{"bare WAL commit", [&] { bare.insert(1); }, {}},
                  {"RunProposed", [&] { append(proposed(next++)); }, {}},
                  {"RunStarted",
                   [&] {
                     append(RunStarted{next - 1, 1, 4711, at(next)});
                   },
                   {}},
                  {"RunMetrics, one value",
                   [&] {
                     append(RunMetrics{next - 1, 1, {{"accuracy", 0.5, 1, {}}}, "64 0", at(next)});
                   },
                   {}},
                  {"RunEnded",
                   [&] {
                     append(RunEnded{next - 1,
                                     1,
                                     RunStatus::completed,
                                     EndCause::exited,
                                     0,
                                     {},
                                     "exited with code 0",
                                     "",
                                     at(next)});
                   },
                   {}}};
  // Until the log of a database has been through a checkpoint it grows, and growing is slower. A
  // sweep of a few hundred runs sees nothing else.
  const auto measure = [&](int rounds) {
    for (Case& one : cases) one.microseconds.clear();
    for (int i = 0; i < rounds; ++i)
      for (Case& one : cases) one.microseconds.push_back(seconds(one.once) * 1e6);
  };
  const auto tell = [&](const char* when) {
    std::printf("durable append, %-20s       us   ratio\n", when);
    for (Case& one : cases)
      std::printf("  %-28s %9.1f  %6.2f\n", one.name, median(one.microseconds),
                  median(one.microseconds) / median(cases[0].microseconds));
  };
  measure(kGrowing);
  tell("while the log grows");
  measure(kCommits);  // through the first checkpoint
  measure(kCommits);
  tell("from then on");
}

// Runs of kReports metrics each, kLive of them at a time, their metrics mixed.
void append_runs(Store& store) {
  double metrics_seconds = 0, other_seconds = 0;
  const auto append = [&](std::vector<Change>& changes, double& sum) {
    sum += seconds([&] { must(store.append(changes)); });
    changes.clear();
  };
  std::vector<Change> begin, reports, end;
  std::size_t metrics = 0;
  for (RunId first = 0; first < kRuns; first += kLive) {
    for (RunId run = first; run < first + kLive; ++run) {
      begin.push_back(proposed(run));
      begin.push_back(RunStarted{run, 1, 4711, at(run)});
      end.push_back(RunEnded{run,
                             1,
                             RunStatus::completed,
                             EndCause::exited,
                             0,
                             {},
                             "exited with code 0",
                             "",
                             at(run)});
    }
    for (int report = 0; report < kReports; ++report)
      for (RunId run = first; run < first + kLive; ++run) {
        reports.push_back(
            RunMetrics{run, 1, {{"accuracy", 0.5 + 1e-6 * report, report, {}}}, "64 0", at(run)});
        ++metrics;
      }
    if (reports.size() < kBatch && first + kLive < kRuns) continue;
    append(begin, other_seconds);
    append(reports, metrics_seconds);
    append(end, other_seconds);
  }
  std::printf("%zu metrics of %ld runs, %ld mixed, %zu a transaction: %.2f s (the runs: %.2f s)\n",
              metrics, static_cast<long>(kRuns), static_cast<long>(kLive), kBatch, metrics_seconds,
              other_seconds);
}

// A million metrics of one run, batch by batch beside SQLite's own million.
void one_run_of_a_million(Store& store, const fs::path& directory) {
  BareSqlite bare(directory / "bulk.db");
  must(store.append(std::vector<Change>{proposed(0), RunStarted{0, 1, 1, at(0)}}));
  RunMetrics metrics{0, 1, {}, {}, at(1)};
  double ours = 0, theirs = 0;
  for (int batch = 0; batch < 100; ++batch) {
    theirs += seconds([&] {
      bare.execute("BEGIN IMMEDIATE");
      for (std::size_t i = 0; i < kBatch; ++i) bare.insert(i);
      bare.execute("COMMIT");
    });
    metrics.metrics.clear();
    for (std::size_t i = 0; i < kBatch; ++i)
      metrics.metrics.push_back({"accuracy", 0.5 + 1e-7 * static_cast<double>(i), batch, {}});
    const std::vector<Change> changes{metrics};
    ours += seconds([&] { must(store.append(changes)); });
  }
  std::printf("1000000 metrics of one run, %zu a transaction: %.2f s; SQLite alone %.2f s: %.2f\n",
              kBatch, ours, theirs, ours / theirs);
}

void replay(Store& store, const char* only_metric) {
  std::size_t changes = 0, metrics = 0;
  const double taken = seconds([&] {
    must(store.replay(only_metric, [&](const Change& change) {
      ++changes;
      if (const auto* reports = std::get_if<RunMetrics>(&change))
        metrics += reports->metrics.size();
    }));
  });
  std::printf("replay (%s): %zu changes, %zu metrics: %.2f s\n",
              *only_metric ? only_metric : "all metrics", changes, metrics, taken);
}

// A sweep as an interrupted engine leaves it: all of its runs have ended, and its limit is one more.
int make_sweep(const fs::path& directory) {
  SweepSpec spec;
  spec.space.parameters = {{"learning_rate", Uniform{0, 1}}};
  spec.primary_metric = "accuracy";
  spec.command = {"/bin/true"};
  spec.stop_without_primary_metric = false;
  spec.max_total_runs = kRuns + 1;
  spec.max_concurrent_runs = 1;
  spec.seed = 1;
  SweepHeader head = header(directory.filename().string());
  head.config = to_hdconfig(spec);
  auto store = create_sqlite_store(directory, head);
  if (!store) return 1;
  append_runs(**store);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "make") return make_sweep(argv[2]);
  // /tmp may be in memory, where nothing is durable: a directory can be given.
  std::string name = std::string(argc > 1 ? argv[1] : "/tmp") + "/hdrive_store_bench_XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return 1;
  const fs::path directory(name);
  durable_appends(directory);
  {
    auto many = create_sqlite_store(directory / "many", header("HD_m"));
    auto one = create_sqlite_store(directory / "one", header("HD_o"));
    if (!many || !one) return 1;
    append_runs(**many);
    one_run_of_a_million(**one, directory);
    replay(**many, "accuracy");
    replay(**many, "");
    auto memory = make_memory_store(SweepHeader{});
    std::printf("in memory: ");
    append_runs(*memory);
    replay(*memory, "accuracy");
  }
  const double opening = seconds([&] {
    if (!open_sqlite_store(directory / "many")) std::exit(1);
  });
  const double listing = seconds([&] { list_sweeps(directory, nullptr); });
  std::printf("opening it again as its engine: %.2f s; listing the three sweeps: %.2f s\n", opening,
              listing);
  fs::remove_all(directory);
}
