// SPDX-License-Identifier: Apache-2.0
//
// cluster_bench [RUNS [SECONDS]]: an engine that follows RUNS (1,000) runs at once on a simulated cluster far away, each of
// an hour and with a report every SECONDS (10), store on disk with full sync; a policy judges each report. How much of a
// processor the engine needs: its processor time over the time that passes there.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/hdrive.h"

namespace {

constexpr int kHour = 3600;

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// What the simulation itself needs, which looks at all its jobs for each event, is none of the engine's.
class Timed final : public hdrive::ComputeTarget {
  template <class Call>
  auto timed(const Call& call) {
    struct Stop {
      ~Stop() { sum += seconds_of(CLOCK_THREAD_CPUTIME_ID) - began; }
      double& sum;
      double began = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    } stop{seconds};
    return call();
  }

 public:
  explicit Timed(std::shared_ptr<hdrive::ComputeTarget> target) : target_(std::move(target)) {}
  hdrive::Result<void> start(const hdrive::RunRequest& request) override {
    return timed([&] { return target_->start(request); });
  }
  hdrive::Result<void> adopt(std::span<const hdrive::RunRequest> requests) override {
    return target_->adopt(requests);
  }
  void cancel(hdrive::RunId run, hdrive::CancelMode mode) override { target_->cancel(run, mode); }
  void wait(hdrive::Time deadline, std::stop_token stop,
            std::vector<hdrive::TargetEvent>& events) override {
    timed([&] { target_->wait(deadline, std::move(stop), events); });
  }
  std::string describe() const override { return target_->describe(); }
  double seconds = 0;

 private:
  std::shared_ptr<hdrive::ComputeTarget> target_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t runs = argc > 1 ? std::atoll(argv[1]) : 1000;
  const int pause = argc > 2 ? std::atoi(argv[2]) : 10;

  const hdrive::RunModel model =
      [pause](const hdrive::RunRequest& request) -> hdrive::Result<hdrive::SimulatedRun> {
    hdrive::SimulatedRun run;
    // Not all at the same moment.
    const std::chrono::milliseconds offset{request.run * 37 % (pause * 1000)};
    for (int at = pause; at < kHour - pause; at += pause)
      run.reports.emplace_back(std::chrono::seconds{at} + offset,
                               hdrive::Metric{"loss", 1.0 / at, at, std::nullopt});
    run.duration = std::chrono::seconds{kHour};
    return run;
  };
  hdrive::SweepSpec spec;
  spec.space.parameters = {{"lr", hdrive::LogUniform{-10, 0}}};
  spec.policy = {"median_stopping", {{"delay_evaluation", std::int64_t{1'000'000}}}};
  spec.primary_metric = "loss";
  spec.goal = hdrive::Goal::minimize;
  spec.max_total_runs = runs;
  spec.max_concurrent_runs = runs;
  spec.seed = 1;

  const auto clock = std::make_shared<hdrive::SimulatedClock>();
  hdrive::SimulatedCluster cluster(model, {}, clock);
  hdrive::SweepHeader header;
  header.id = hdrive::new_sweep_id();
  header.metric = spec.primary_metric;
  header.goal = spec.goal;
  std::string folder = (std::filesystem::temp_directory_path() / "cluster_bench_XXXXXX").string();
  if (!::mkdtemp(folder.data())) return 1;
  const std::filesystem::path directory = std::filesystem::path(folder) / header.id;
  std::filesystem::create_directory(directory);
  auto store = hdrive::create_sqlite_store(directory, header);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().message().c_str());
    return 1;
  }
  hdrive::SweepParts parts;
  parts.clock = clock;
  parts.store = *std::move(store);
  const auto timed = std::make_shared<Timed>(cluster.connect());
  parts.target = timed;
  const double before = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  const hdrive::Time began = clock->now();
  const auto summary = hdrive::run_sweep(spec, parts);
  const double used = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - before - timed->seconds;
  const double passed = std::chrono::duration<double>(clock->now() - began).count();
  std::filesystem::remove_all(folder);
  if (!summary || summary->completed != runs) return 1;
  std::printf(
      "| simulated | %lld runs at once, a report every %d s each | %.1f s of processor time in "
      "%.0f s: "
      "%.2f %% of a processor | under 10 %% |\n",
      static_cast<long long>(runs), pause, used, passed, 100 * used / passed);
  return 0;
}
