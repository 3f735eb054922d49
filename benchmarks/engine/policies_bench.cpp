// SPDX-License-Identifier: Apache-2.0
//
// How fast reports are recorded and judged, by each policy. Prints two tables:
//
// 1. reports a second at 10,000 runs of 100 reports, in two orders: round by round (each run makes its
//    first report, then each its second), and run by run (each run makes all of its reports);
// 2. nanoseconds a report against the number of runs: it should grow no faster than their logarithm.
//
// Each number is processor time, and the best of the repetitions: what the program costs where little
// disturbs it. Memory is the history's, with the records of its runs, at the end of the first order.
#include <fmt/format.h>
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/hdrive.h"

namespace {

using hdrive::AlgorithmInfo;
using hdrive::AlgorithmSpec;
using hdrive::Goal;
using hdrive::History;
using hdrive::Policy;
using hdrive::RunId;
using hdrive::Value;
using hdrive::Verdict;

enum class Order { round_by_round, run_by_run };

/// The reports of `runs` learning curves: each rises to a level of its own, with noise.
class Curves {
 public:
  Curves(std::int64_t runs, std::int64_t reports) : reports_(reports) {
    std::mt19937_64 random(20240607);
    std::uniform_real_distribution<double> level(0.5, 1.0), pace(2, 30), noise(-0.02, 0.02);
    for (std::int64_t run = 0; run < runs; ++run) {
      const double top = level(random), slow = pace(random);
      for (std::int64_t n = 1; n <= reports; ++n)
        values_.push_back(top * (1 - std::exp(-static_cast<double>(n) / slow)) + noise(random));
    }
  }
  double at(RunId run, std::int64_t report) const {
    return values_[static_cast<std::size_t>(run * reports_ + report)];
  }

 private:
  std::int64_t reports_;
  std::vector<double> values_;
};

struct Measured {
  double seconds = 0;
  std::int64_t stops = 0;  ///< verdicts to stop; the runs go on, so that all cases do equal work
  std::size_t bytes = 0;   ///< of the history, at the end
};

std::size_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Measured measure(const Policy* policy, const Curves& curves, std::int64_t runs,
                 std::int64_t reports, Order order) {
  const std::size_t before = bytes_in_use();
  History history(Goal::maximize);
  for (RunId id = 0; id < runs; ++id) {
    hdrive::Run run;
    run.id = id;
    run.status = hdrive::RunStatus::running;
    history.add(std::move(run));
  }
  Measured measured;
  const auto report = [&](RunId id, std::int64_t n) {
    history.report(id, curves.at(id, n));
    if (policy) measured.stops += policy->judge(id, history).action == Verdict::Action::stop;
  };
  const double begin = processor_seconds();
  if (order == Order::round_by_round) {
    for (std::int64_t n = 0; n < reports; ++n)
      for (RunId id = 0; id < runs; ++id) report(id, n);
  } else {
    for (RunId id = 0; id < runs; ++id)
      for (std::int64_t n = 0; n < reports; ++n) report(id, n);
  }
  measured.seconds = processor_seconds() - begin;
  measured.bytes = bytes_in_use() - before;
  return measured;
}

Measured best_of(int repetitions, const std::function<Measured()>& once) {
  Measured best = once();
  for (int i = 1; i < repetitions; ++i) {
    const Measured next = once();
    if (next.seconds < best.seconds) best = next;
  }
  return best;
}

struct Case {
  std::string name;
  std::shared_ptr<const Policy> policy;  ///< null: record only
};

Case made(std::string name, const AlgorithmSpec& spec) {
  auto policy = hdrive::make_policy(spec, Goal::maximize);
  if (!policy) {
    fmt::print(stderr, "policies_bench: {}\n", policy.error().message());
    std::exit(1);
  }
  return {std::move(name), *policy};
}

// Every policy, with the options it cannot do without.
std::vector<Case> cases() {
  const std::map<std::string_view, std::map<std::string, Value>> needed{
      {"bandit", {{"slack_factor", 0.1}}},
      {"truncation_selection", {{"truncation_percentage", std::int64_t{20}}}}};
  std::vector<Case> result{{"(recorded only)", nullptr}};
  for (const AlgorithmInfo& info : hdrive::policy_algorithms()) {
    const auto options = needed.find(info.name);
    const std::string name(info.name);
    result.push_back(made(
        name, {name, options == needed.end() ? std::map<std::string, Value>() : options->second}));
  }
  result.push_back(made("truncation, unfinished", {"truncation_selection",
                                                   {{"truncation_percentage", std::int64_t{20}},
                                                    {"exclude_finished_jobs", true}}}));
  return result;
}

void print_rates(int repetitions) {
  constexpr std::int64_t kRuns = 10'000, kReports = 100;
  const Curves curves(kRuns, kReports);
  fmt::print("recorded and judged, {} runs x {} reports; best of {}\n\n", kRuns, kReports,
             repetitions);
  fmt::print("{:<24}{:>16}{:>16}{:>16}{:>10}\n", "policy", "round by round", "run by run",
             "bytes/report", "stops");
  fmt::print("{:<24}{:>16}{:>16}\n", "", "reports/s", "reports/s");
  for (const Case& each : cases()) {
    const auto in = [&](Order order) {
      return best_of(repetitions,
                     [&] { return measure(each.policy.get(), curves, kRuns, kReports, order); });
    };
    const Measured rounds = in(Order::round_by_round), runs = in(Order::run_by_run);
    constexpr double kTotal = static_cast<double>(kRuns * kReports);
    fmt::print("{:<24}{:>16.0f}{:>16.0f}{:>16.1f}{:>10}\n", each.name, kTotal / rounds.seconds,
               kTotal / runs.seconds, static_cast<double>(rounds.bytes) / kTotal, rounds.stops);
  }
}

void print_growth(int repetitions) {
  const std::vector<std::int64_t> sizes = {10, 100, 1'000, 10'000, 100'000};
  fmt::print("\nns a report, round by round, against the number of runs; best of {}\n\n{:<24}",
             repetitions, "policy");
  for (const std::int64_t runs : sizes) fmt::print("{:>10}", runs);
  fmt::print("{:>18}\n", "per tenfold runs");
  for (const Case& each : cases()) {
    fmt::print("{:<24}", each.name);
    std::vector<double> costs;
    for (const std::int64_t runs : sizes) {
      // The same million reports at each size, but no fewer than ten a run.
      const std::int64_t reports =
          std::max<std::int64_t>(10, std::min<std::int64_t>(1'000'000 / runs, 10'000));
      const Curves curves(runs, reports);
      const Measured best = best_of(repetitions, [&] {
        return measure(each.policy.get(), curves, runs, reports, Order::round_by_round);
      });
      costs.push_back(best.seconds * 1e9 / static_cast<double>(runs * reports));
      fmt::print("{:>10.0f}", costs.back());
    }
    fmt::print("{:>+15.0f} ns\n",
               (costs.back() - costs.front()) / static_cast<double>(sizes.size() - 1));
  }
}

}  // namespace

int main(int count, char** arguments) {
  const int repetitions = count > 1 ? std::max(1, std::atoi(arguments[1])) : 3;
  print_rates(repetitions);
  print_growth(repetitions);
  return 0;
}
