// SPDX-License-Identifier: Apache-2.0
//
// simulated_sweep DIRECTORY RUNS REPORTS [POLICY]: a stored sweep as large as one likes, made by the engine's own loop - sampler, policy,
// store - over a simulated target, so that weeks of training take seconds and twice the same: its id, moments and values depend on the
// arguments alone. For benchmarks and tests of what shows sweeps.
//
// Runs report a loss, and next to every tenth an accuracy, REPORTS losses each unless the policy stops them; a few fail, a few diverge.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>

#include "hdrive/hdrive.h"

namespace {

using std::chrono::seconds;

constexpr hdrive::Time kBegin{seconds{1'790'000'000}};

hdrive::SweepSpec make_spec(std::int64_t runs, const std::string& name, const std::string& policy) {
  hdrive::SweepSpec spec;
  spec.name = name;
  spec.description = "Made by a simulation of " + std::to_string(runs) + " runs";
  spec.tags = {{"data", "simulated"}};
  spec.space.parameters = {
      {"learning_rate", hdrive::LogUniformValues{1e-5, 1}},
      {"batch_size", hdrive::QUniform{16, 512, 16}},
      {"layers", hdrive::IntUniform{1, 8}},
      {"dropout", hdrive::Uniform{0, 0.6}},
      {"optimizer", hdrive::Choice{{std::string("adam"), std::string("sgd"), std::string("lion")}}},
      {"weight_decay", hdrive::LogUniformValues{1e-6, 1e-1}}};
  if (!policy.empty()) spec.policy = {policy, {{"delay_evaluation", std::int64_t{5}}}};
  spec.primary_metric = "loss";
  spec.goal = hdrive::Goal::minimize;
  spec.command = {"python", "train.py"};
  spec.max_total_runs = runs;
  // What happens at the same moment is one transaction, of which there should be thousands, not millions.
  spec.max_concurrent_runs = std::min<std::int64_t>(runs, std::max<std::int64_t>(32, runs / 100));
  spec.max_duration = std::chrono::hours{24 * 365 * 100};
  spec.seed = 1;
  return spec;
}

double number(const hdrive::RunRequest& request, std::size_t at) {
  const hdrive::Value& value = request.parameters[at].value;
  if (const auto* const whole = std::get_if<std::int64_t>(&value))
    return static_cast<double>(*whole);
  return std::get<double>(value);
}

// A loss that falls towards what the parameters allow, with noise.
hdrive::SimulatedRun train(const hdrive::RunRequest& request, int reports) {
  const double rate = std::log10(number(request, 0)), dropout = number(request, 3),
               layers = number(request, 2);
  const auto& optimizer = std::get<std::string>(request.parameters[4].value);
  const double floor = 0.12 + 0.05 * std::pow(rate + 2.6, 2) + 0.9 * std::pow(dropout - 0.22, 2) +
                       0.012 * std::pow(layers - 5, 2) +
                       (optimizer == "sgd"    ? 0.11
                        : optimizer == "lion" ? 0.04
                                              : 0.0);
  hdrive::RandomStream noise(7, request.run, 1);
  const double luck = 0.06 * noise.uniform(), speed = 3 + 6 * noise.uniform();
  const bool diverges = rate > -0.5 && noise.uniform() < 0.5;
  const bool fails = noise.uniform() < 0.01;
  const seconds every{noise.uniform() < 0.7 ? 1 : 2};
  const int last = fails ? reports / 3 : reports;
  hdrive::SimulatedRun run;
  run.reports.reserve(static_cast<std::size_t>(last + last / 10 + 1));
  for (int i = 1; i <= last; ++i) {
    const double t = static_cast<double>(i) / reports;
    const double value = floor + luck + 2 * std::exp(-speed * t) + 0.03 * (noise.uniform() - 0.5);
    const double shown = !diverges || t < 0.4 ? value
                         : t < 0.5            ? value * std::exp(40 * (t - 0.4))
                                              : std::numeric_limits<double>::quiet_NaN();
    run.reports.emplace_back(every * i, hdrive::Metric{"loss", shown, i, std::nullopt});
    if (i % 10 == 0)
      run.reports.emplace_back(
          every * i, hdrive::Metric{"accuracy", 1 - std::min(1.0, shown / 2), i, std::nullopt});
  }
  run.duration = every * (last + 1);
  if (fails) {
    run.exit_code = 1;
    run.stderr_tail = "RuntimeError: out of memory\n";
  }
  return run;
}

int fail(const hdrive::Error& error) {
  std::fprintf(stderr, "%s\n", error.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: simulated_sweep DIRECTORY RUNS REPORTS [POLICY]\n");
    return 2;
  }
  const std::int64_t runs = std::atoll(argv[2]);
  const int reports = std::atoi(argv[3]);
  const auto spec = make_spec(runs, "simulated-" + std::string(argv[2]), argc > 4 ? argv[4] : "");
  char id[64];
  std::snprintf(id, sizeof id, "HD_%08llx-5eed-4000-8000-000000000000",
                static_cast<unsigned long long>(runs));
  hdrive::SweepHeader header = hdrive::new_sweep_header(spec, kBegin);
  header.id = id;
  const auto directory = std::filesystem::path(argv[1]) / id;
  auto store = hdrive::create_sqlite_store(directory, header);
  if (!store) return fail(store.error());
  const auto clock = std::make_shared<hdrive::SimulatedClock>(kBegin);
  hdrive::SweepParts parts;
  parts.clock = clock;
  parts.store = *std::move(store);
  parts.directory = directory;
  parts.target = hdrive::make_simulated_target(
      [reports](const hdrive::RunRequest& request) -> hdrive::Result<hdrive::SimulatedRun> {
        return train(request, reports);
      },
      clock);
  const auto summary = hdrive::run_sweep(spec, parts);
  if (!summary) return fail(summary.error());
  std::printf("%s\n", id);
}
