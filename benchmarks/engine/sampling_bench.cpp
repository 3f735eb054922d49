// SPDX-License-Identifier: Apache-2.0
//
// What a draw and a proposal cost. One line a figure: name, value, unit.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hdrive/hdrive.h"

using namespace hdrive;

namespace {

using SteadyClock = std::chrono::steady_clock;

void print(const std::string& name, SteadyClock::duration elapsed, std::int64_t count) {
  const double microseconds = std::chrono::duration<double, std::micro>(elapsed).count();
  std::printf("%-44s %9.3f us\n", name.c_str(), microseconds / static_cast<double>(count));
}

void bench_draw(const Expression& expression) {
  constexpr std::int64_t kDraws = 1'000'000;
  RandomStream random(1, 0, 0);
  std::size_t kept = 0;  // so that no draw can be left out
  const auto start = SteadyClock::now();
  for (std::int64_t i = 0; i < kDraws; ++i) kept += draw(expression, random).index();
  const auto elapsed = SteadyClock::now() - start;
  if (kept == 1) std::puts("");
  print("draw " + std::string(expression_name(expression)), elapsed, kDraws);
}

void add(History& history, Assignment parameters) {
  Run run;
  run.id = history.size();
  run.parameters = std::move(parameters);
  history.add(std::move(run));
}

// The mean cost of the proposals `from` to `to` of one sweep, without that of recording them.
void bench_propose(const std::string& name, const std::string& sampler, const SearchSpace& space,
                   std::int64_t from, std::int64_t to) {
  const auto made = make_sampler({sampler, {}}, space, {});
  History history(Goal::maximize);
  SteadyClock::duration elapsed{};
  for (RunId id = 0; id < to; ++id) {
    const auto start = SteadyClock::now();
    Proposal proposal = *(*made)->propose(history, id);
    if (id >= from) elapsed += SteadyClock::now() - start;
    add(history, *std::move(proposal.parameters));
  }
  print(name, elapsed, to - from);
}

// The median and the 99th percentile of a proposal right after a result, over 200 of them after `n`.
void bench_learning(const std::string& sampler, std::size_t parameters, std::int64_t n) {
  SearchSpace space;
  for (std::size_t i = 0; i < parameters; ++i)
    space.parameters.push_back({"x" + std::to_string(i), Uniform{0, 1}});
  SamplerContext context;
  context.goal = Goal::minimize;
  context.max_total_runs = n;
  const auto made = make_sampler({sampler, {}}, space, context);
  History history(Goal::minimize);
  std::vector<SteadyClock::duration> times;
  for (RunId id = 0; id < n + 200; ++id) {
    const auto start = SteadyClock::now();
    Proposal proposal = *(*made)->propose(history, id);
    if (id >= n) times.push_back(SteadyClock::now() - start);
    double value = 0;
    for (const Binding& binding : *proposal.parameters)
      value += std::abs(*as_number(binding.value) - 0.3);
    add(history, *std::move(proposal.parameters));
    history.set_status(id, RunStatus::running);
    history.report(id, value);
    history.set_status(id, RunStatus::completed, EndCause::exited);
  }
  std::sort(times.begin(), times.end());
  const std::string name =
      sampler + ", " + std::to_string(parameters) + " parameters, n = " + std::to_string(n);
  print(name + ", p50", times[100], 1);
  print(name + ", p99", times[198], 1);
}

// ---- a model's proposals ------------------------------------------------------------------------

double value_at(const Assignment& parameters) {
  double sum = 0;
  for (const Binding& binding : parameters) {
    const double x = as_number(binding.value).value_or(0) - 0.3;
    sum += x * x * (1 + std::sin(10 * x));
  }
  return sum;
}

// The newest run.
void end(History& history, double value) {
  const RunId id = history.size() - 1;
  history.set_status(id, RunStatus::running);
  history.report(id, value);
  history.set_status(id, RunStatus::completed, EndCause::exited);
}

void complete(History& history, Assignment parameters) {
  const double value = value_at(parameters);
  add(history, std::move(parameters));
  end(history, value);
}

SearchSpace reals(int dimensions) {
  SearchSpace space;
  for (int i = 0; i < dimensions; ++i)
    space.parameters.push_back({"x" + std::to_string(i), Uniform{0, 1}});
  return space;
}

// Of this process, so that other programs do not count: run it on one processor.
double processor_milliseconds() {
  return 1000.0 * static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

// How long a run takes: longer than its sampler prepares.
constexpr auto kTraining = std::chrono::milliseconds(150);

enum class Runs { take_no_time, take_long };

// The median and the 99th percentile of a proposal right after a result, at about `results` results of which
// all but the last were random. The first proposal, which a restart would bring, is shown apart. Where runs
// take long, the sampler prepares in the background meanwhile, and only what follows the result counts.
void bench_latency(const std::string& sampler, int dimensions, std::int64_t results, int proposals,
                   Runs runs) {
  const SearchSpace space = reals(dimensions);
  SamplerContext context;
  context.goal = Goal::minimize;
  context.max_total_runs = 2 * results;
  const auto made = make_sampler({sampler, {}}, space, context);
  History history(Goal::minimize);
  for (std::int64_t run = 0; run < results - proposals / 2; ++run) {
    RandomStream random(1, run, 0);
    Assignment parameters;
    for (const Parameter& parameter : space.parameters)
      parameters.push_back({parameter.name, draw(parameter.expression, random)});
    complete(history, std::move(parameters));
  }
  std::vector<double> milliseconds;
  for (int i = 0; i <= proposals; ++i) {
    const double start = processor_milliseconds();
    Proposal proposal = *(*made)->propose(history, history.size());
    milliseconds.push_back(processor_milliseconds() - start);
    if (runs == Runs::take_no_time) {
      complete(history, *std::move(proposal.parameters));
      continue;
    }
    const double value = value_at(*proposal.parameters);
    add(history, *std::move(proposal.parameters));
    (*made)->prepare(history);
    std::this_thread::sleep_for(kTraining);
    end(history, value);
  }
  const std::string name = sampler + ", d=" + std::to_string(dimensions) +
                           ", n=" + std::to_string(results) +
                           (runs == Runs::take_long ? ", prepared, " : ", ");
  std::printf("%-44s %9.3f ms\n", (name + "first").c_str(), milliseconds.front());
  milliseconds.erase(milliseconds.begin());
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto at = [&](double part) {
    return milliseconds[static_cast<std::size_t>(part * static_cast<double>(proposals - 1))];
  };
  std::printf("%-44s %9.3f ms\n", (name + "p50").c_str(), at(0.5));
  std::printf("%-44s %9.3f ms\n", (name + "p99").c_str(), at(0.99));
}

void bench_sequence(const std::string& sampler, int dimensions, int runs) {
  SamplerContext context;
  context.goal = Goal::minimize;
  context.max_total_runs = runs;
  const auto made = make_sampler({sampler, {}}, reals(dimensions), context);
  History history(Goal::minimize);
  const double start = processor_milliseconds();
  for (RunId id = 0; id < runs; ++id)
    complete(history, *(*(*made)->propose(history, id)).parameters);
  std::printf("%-44s %9.3f s\n",
              (sampler + ", d=" + std::to_string(dimensions) + ", " + std::to_string(runs) +
               " runs in a row")
                  .c_str(),
              (processor_milliseconds() - start) / 1000);
}

Choice numbers(std::int64_t count) {
  Choice choice;
  for (std::int64_t i = 0; i < count; ++i) choice.options.emplace_back(i);
  return choice;
}

}  // namespace

int main(int count, char** words) {
  // `sampling_bench bayesian` measures the model alone, `sampling_bench others` what else there is.
  const std::string only = count > 1 ? words[1] : "";
  if (only.empty() || only == "bayesian") {
    for (const Runs runs : {Runs::take_no_time, Runs::take_long})
      for (const std::int64_t results : {20, 100, 300, 1'000, 10'000})
        bench_latency("bayesian", 6, results, 40, runs);
    bench_sequence("bayesian", 6, 1'000);
  }
  if (only == "bayesian") return 0;
  for (const Expression& expression :
       std::vector<Expression>{numbers(10), RandInt{100}, Uniform{0, 1}, QUniform{0, 10, 2},
                               LogUniform{-6, -1}, QLogUniform{0, 5, 1}, Normal{0, 1},
                               QNormal{0, 5, 1}, LogNormal{0, 1}, QLogNormal{0, 1, 1}})
    bench_draw(expression);

  const SearchSpace infinite{{{"lr", LogUniform{-6, -1}},
                              {"units", QUniform{16, 256, 16}},
                              {"activation", numbers(3)},
                              {"dropout", Uniform{0, 0.5}},
                              {"noise", Normal{0, 1}}}};
  const SearchSpace finite{{{"a", numbers(10)}, {"b", RandInt{100}}, {"c", QUniform{0, 100, 1}}}};
  bench_propose("random, infinite, runs 0 to 1,000", "random", infinite, 0, 1'000);
  bench_propose("random, infinite, runs 99,000 to 100,000", "random", infinite, 99'000, 100'000);
  bench_propose("random, 101,000 points, runs 0 to 1,000", "random", finite, 0, 1'000);
  bench_propose("random, 101,000 points, runs 50,000 to 51,000", "random", finite, 50'000, 51'000);
  bench_propose("random, 101,000 points, all of them", "random", finite, 0, 101'000);
  const SearchSpace grid{{{"a", numbers(10)}, {"b", numbers(100)}, {"c", numbers(100)}}};
  bench_propose("grid, 100,000 points, runs 0 to 1,000", "grid", grid, 0, 1'000);
  bench_propose("grid, 100,000 points, runs 99,000 to 100,000", "grid", grid, 99'000, 100'000);
  for (const char* sampler : {"sobol", "latin_hypercube"})
    bench_propose(std::string(sampler) + ", infinite, runs 0 to 1,000", sampler, infinite, 0,
                  1'000);
  for (const char* sampler : {"random", "sobol", "cmaes"}) bench_learning(sampler, 6, 1'000);
  for (const std::int64_t n : {100, 1'000, 10'000}) bench_learning("tpe", 6, n);
  bench_learning("tpe", 40, 1'000);
}
