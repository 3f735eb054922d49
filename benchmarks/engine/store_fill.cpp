// SPDX-License-Identifier: Apache-2.0
//
// Makes a sweep as large as one likes, for looking at it with the command:
//
//   store_fill DIRECTORY RUNS REPORTS [SECONDS]
//
// 100 runs at a time report a loss and an accuracy by turns, REPORTS each in all. With SECONDS it then goes on as
// an engine does, 100 reports a second in ten appends, so that somebody can watch.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "hdrive/hdrive.h"

using namespace hdrive;

namespace {

constexpr RunId kLive = 100;
constexpr int kBatch = 100;  // reports of one run in one append

void must(const Result<void>& result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().message().c_str());
  std::exit(1);
}

Time at(std::int64_t seconds) { return Time(std::chrono::seconds(1'769'860'800 + seconds)); }

SweepHeader header(const std::filesystem::path& directory, RunId runs) {
  SweepSpec spec;
  spec.space.parameters = {{"learning_rate", LogUniform{-7, 0}}, {"layers", Choice{{1, 2, 3}}}};
  spec.primary_metric = "accuracy";
  spec.command = {"/bin/true"};
  spec.max_total_runs = runs + kLive;
  SweepHeader header;
  header.id = directory.filename().string();
  header.metric = spec.primary_metric;
  header.config = to_hdconfig(spec);
  header.created = at(0);
  return header;
}

RunProposed proposed(RunId run) {
  return {run,
          {{"learning_rate", std::exp(-7.0 * static_cast<double>(run % 997) / 997)},
           {"layers", run % 3 + 1}},
          "drawn at random",
          at(run)};
}

RunMetrics reports(RunId run, int from, int count) {
  RunMetrics metrics{run, 1, {}, {static_cast<std::uint64_t>(from) * 40, 0}, at(run + from)};
  for (int i = from; i < from + count; ++i) {
    const double value = 1 - std::exp(-0.01 * i) - 1e-7 * static_cast<double>(run % 1009);
    metrics.metrics.push_back(
        {i % 2 == 0 ? "accuracy" : "loss", i % 2 == 0 ? value : 1 - value, i / 2, at(run + i)});
  }
  return metrics;
}

RunEnded ended(RunId run) {
  RunEnded end{run,         1,  RunStatus::completed, EndCause::exited, 0, {},
               "completed", "", at(run + 900)};
  end.cpu_time = std::chrono::seconds(300 + run % 60);
  end.peak_memory = 400'000'000 + run;
  return end;
}

void fill(Store& store, RunId runs, int count) {
  for (RunId first = 0; first < runs; first += kLive) {
    const RunId end = std::min(runs, first + kLive);
    std::vector<Change> changes;
    for (RunId run = first; run < end; ++run) {
      changes.push_back(proposed(run));
      changes.push_back(RunStarted{run, 1, 4711, at(run), static_cast<int>(run - first)});
    }
    must(store.append(changes));
    for (int from = 0; from < count; from += kBatch) {
      changes.clear();
      for (RunId run = first; run < end; ++run)
        changes.push_back(reports(run, from, std::min(kBatch, count - from)));
      must(store.append(changes));
    }
    changes.clear();
    for (RunId run = first; run < end; ++run) changes.push_back(ended(run));
    must(store.append(changes));
  }
}

void go_on(Store& store, RunId runs, int seconds) {
  std::vector<Change> changes;
  for (RunId run = runs; run < runs + kLive; ++run) {
    changes.push_back(proposed(run));
    changes.push_back(RunStarted{run, 1, 4711, at(run)});
  }
  must(store.append(changes));
  for (int tenth = 0; tenth < 10 * seconds; ++tenth) {
    changes.clear();
    for (RunId run = runs + tenth % 10 * 10, end = run + 10; run < end; ++run)
      changes.push_back(reports(run, tenth / 10, 1));
    must(store.append(changes));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::filesystem::path directory = argv[1];
  const RunId runs = std::atol(argv[2]);
  const int count = std::atoi(argv[3]);
  auto store = create_sqlite_store(directory, header(directory, runs));
  if (!store) must(store.error());
  must((*store)->append(
      std::vector<Change>{SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, at(0)}}));
  const auto began = std::chrono::steady_clock::now();
  fill(**store, runs, count);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
  std::printf("%ld runs of %d reports: %.1f s, %.2f us a report\n", static_cast<long>(runs), count,
              taken.count(),
              1e6 * taken.count() / (static_cast<double>(runs) * std::max(1, count)));
  std::fflush(stdout);
  if (argc > 4) go_on(**store, runs, std::atoi(argv[4]));
}
