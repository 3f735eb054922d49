// SPDX-License-Identifier: Apache-2.0
//
// How good a sampler's points are, without processes or peers: analytic functions of our own, in this process,
// on one thread. For decisions about samplers; benchmarks/quality compares with others.
//
//   native_bench SAMPLER [--evaluations N] [--seeds N] [--batch N] [--suite NAME] [option=value]...
//
// Prints a line a problem: its name, the mean of log10(regret) over the seeds at a half and at all of the
// evaluations, and the mean milliseconds of a proposal.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "benchmarks/quality/native_problems.h"
#include "hdrive/hdrive.h"

using namespace hdrive;
using quality::Task;

namespace {

constexpr double kPi = 3.14159265358979323846;

// ---- one sweep -------------------------------------------------------------------------------------

// Reports on the way to `value`. False: it was stopped.
bool follow_curve(History& history, RunId run, double value, RandomStream& random) {
  const double pace = 0.2 + 0.6 * random.uniform(), start = 2 + 3 * random.uniform();
  for (int step = 1; step <= 10; ++step) {
    history.report(run, step == 10 ? value
                                   : value * (1 + start * std::exp(-pace * step)) +
                                         0.1 * start * std::exp(-pace * step));
    if (step != 3) continue;
    std::vector<double> others;
    for (RunId id = 0; id < run; ++id)
      if (history.run(id).status == RunStatus::completed) others.push_back(*history.best(id, 3));
    if (others.size() < 5) continue;
    std::nth_element(others.begin(),
                     others.begin() + static_cast<std::ptrdiff_t>(others.size() / 2), others.end());
    if (*history.best(run) <= others[others.size() / 2]) continue;
    history.set_status(run, RunStatus::canceled, EndCause::policy);
    return false;
  }
  return true;
}

struct Outcome {
  double half = 0, whole = 0, milliseconds = 0;
};

Outcome sweep(const Task& task, const AlgorithmSpec& algorithm, int evaluations, int batch,
              std::uint64_t seed) {
  SamplerContext context;
  context.goal = Goal::minimize;
  context.seed = seed;
  context.max_total_runs = evaluations;
  context.max_concurrent_runs = batch;
  const auto made = make_sampler(algorithm, task.space, context);
  if (!made) {
    std::fprintf(stderr, "%s\n", made.error().message().c_str());
    std::exit(1);
  }
  const auto value_at = task.make(seed);
  RandomStream noise(seed, 1, 99);
  History history(Goal::minimize);
  Outcome outcome;
  double best_reported = 1e300, regret = 1e300;
  std::chrono::steady_clock::duration elapsed{};
  for (RunId id = 0; id < evaluations;) {
    const RunId first = id;
    for (; id < std::min<RunId>(first + batch, evaluations); ++id) {
      const auto start = std::chrono::steady_clock::now();
      auto proposal = *(*made)->propose(history, id);
      elapsed += std::chrono::steady_clock::now() - start;
      if (!proposal.parameters) break;
      Run run;
      run.id = id;
      run.parameters = *proposal.parameters;
      history.add(std::move(run));
    }
    for (RunId each = first; each < history.size(); ++each) {
      if (each == evaluations / 2) outcome.half = std::log10(std::max(regret, 1e-8));
      const double value = value_at(history.run(each).parameters);
      const double normal =
          std::sqrt(-2 * std::log(1 - noise.uniform())) * std::cos(2 * kPi * noise.uniform());
      const double reported = value + task.noise * normal;
      history.set_status(each, RunStatus::running);
      if (task.curves && !follow_curve(history, each, reported, noise)) continue;
      if (!task.curves) history.report(each, reported);
      history.set_status(each, RunStatus::completed, EndCause::exited);
      // What counts is the true value of the best reported run.
      if (reported < best_reported) {
        best_reported = reported;
        if (task.noise > 0) regret = value;
      }
      if (task.noise <= 0) regret = std::min(regret, value);
    }
    if (history.size() < id) break;
  }
  outcome.whole = std::log10(std::max(regret, 1e-8));
  if (history.size() < evaluations / 2) outcome.half = outcome.whole;
  outcome.milliseconds = std::chrono::duration<double, std::milli>(elapsed).count() / evaluations;
  return outcome;
}

}  // namespace

int main(int count, char** words) {
  AlgorithmSpec algorithm{count > 1 ? words[1] : "random", {}};
  int evaluations = 100, seeds = 10, batch = 1;
  std::string name = "all";
  for (int i = 2; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    if (equals != std::string::npos) {
      const std::string value = word.substr(equals + 1);
      algorithm.options[word.substr(0, equals)] =
          value == "true" || value == "false" ? Value(value == "true")
                                              : Value(static_cast<std::int64_t>(std::stoll(value)));
      continue;
    }
    const auto next = [&] { return i + 1 < count ? words[++i] : ""; };
    if (word == "--evaluations") evaluations = std::atoi(next());
    if (word == "--seeds") seeds = std::atoi(next());
    if (word == "--batch") batch = std::atoi(next());
    if (word == "--suite") name = next();
  }
  Outcome all;
  const auto problems = quality::suite(name);
  for (const Task& problem : problems) {
    Outcome sum;
    for (int seed = 0; seed < seeds; ++seed) {
      const Outcome one =
          sweep(problem, algorithm, evaluations, batch, static_cast<std::uint64_t>(seed) + 1);
      sum.half += one.half / seeds;
      sum.whole += one.whole / seeds;
      sum.milliseconds += one.milliseconds / seeds;
    }
    std::printf("%-28s %7.3f %7.3f %8.2f\n", problem.name.c_str(), sum.half, sum.whole,
                sum.milliseconds);
    std::fflush(stdout);
    const double share = 1.0 / static_cast<double>(problems.size());
    all.half += share * sum.half;
    all.whole += share * sum.whole;
    all.milliseconds += share * sum.milliseconds;
  }
  std::printf("%-28s %7.3f %7.3f %8.2f\n", "mean", all.half, all.whole, all.milliseconds);
}
