// SPDX-License-Identifier: Apache-2.0
//
// sweep_bench RUNS METRICS: a simulated sweep through the full loop - sampler, store in memory, target,
// policy - and what it took: seconds of real time and the growth of the peak resident memory.
//
// The policy judges every report and keeps every run, so that each run costs all its metrics.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "hdrive/hdrive.h"

namespace {

long peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

hdrive::SweepSpec make_spec(std::int64_t runs) {
  hdrive::SweepSpec spec;
  spec.space.parameters = {{"lr", hdrive::LogUniform{-10, 0}},
                           {"layers", hdrive::Choice{{std::int64_t{1}, std::int64_t{2}}}},
                           {"dropout", hdrive::Uniform{0, 0.5}}};
  spec.policy = {"bandit", {{"slack_amount", 1e9}}};
  spec.primary_metric = "loss";
  spec.goal = hdrive::Goal::minimize;
  spec.max_total_runs = runs;
  spec.max_concurrent_runs = 100;
  spec.max_duration = std::chrono::hours{24 * 365 * 100};
  spec.seed = 1;
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t runs = argc > 1 ? std::atoll(argv[1]) : 100'000;
  const int metrics = argc > 2 ? std::atoi(argv[2]) : 10;

  const hdrive::RunModel model =
      [metrics](const hdrive::RunRequest& request) -> hdrive::Result<hdrive::SimulatedRun> {
    const double start = std::get<double>(request.parameters.front().value);
    hdrive::SimulatedRun run;
    for (int i = 1; i <= metrics; ++i)
      run.reports.emplace_back(std::chrono::seconds{i},
                               hdrive::Metric{"loss", start / i, i, std::nullopt});
    run.duration = std::chrono::seconds{metrics + 1};
    return run;
  };

  const hdrive::SweepSpec spec = make_spec(runs);
  const auto clock = std::make_shared<hdrive::SimulatedClock>();
  hdrive::SweepHeader header;
  header.id = hdrive::new_sweep_id();
  header.metric = spec.primary_metric;
  header.goal = spec.goal;
  hdrive::SweepParts parts;
  parts.clock = clock;
  parts.store = hdrive::make_memory_store(header);
  parts.target = hdrive::make_simulated_target(model, clock);

  const long before = peak_kilobytes();
  const auto began = std::chrono::steady_clock::now();
  const auto summary = hdrive::run_sweep(spec, parts);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  if (!summary) {
    std::fprintf(stderr, "%s\n", summary.error().message().c_str());
    return 1;
  }
  std::printf(
      "{\"runs\": %lld, \"completed\": %lld, \"metrics\": %d, \"seconds\": %.3f, \"kilobytes\": "
      "%ld}\n",
      static_cast<long long>(summary->runs), static_cast<long long>(summary->completed), metrics,
      took.count(), peak_kilobytes() - before);
  return summary->completed == runs ? 0 : 1;
}
