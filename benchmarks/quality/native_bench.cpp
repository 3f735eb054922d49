// SPDX-License-Identifier: Apache-2.0
//
// How good a sampler's points are, without processes or peers: problems of our own, in this process, on one
// thread. For decisions about samplers; benchmarks/quality compares with others.
//
//   native_bench SAMPLER [--suite NAME[,NAME]...] [--evaluations N[,N]...] [--seeds N] [--first-seed N]
//                [--batch N] [--only TEXT] [--out FILE] [option=value]...
//
// Prints a line a problem: its name, the mean of log10(regret) over the seeds at a half and at all of the
// evaluations, the mean milliseconds of a proposal, and how many percent of the model's predictions were wrong by more
// than one, two and three of their deviations (32, 5 and 0.3 would be normal). FILE gets a line a sweep, in the form of run.py's results
// (compare.py tells two such files apart).
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
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

// The regret of what was best so far, at each result that changed it.
class Regret {
 public:
  Regret(double floor, bool noisy) : floor_(floor), noisy_(noisy) {}

  void add(int result, double reported, double value) {
    // Under noise what counts is the true value of the best reported run.
    if (!(noisy_ ? reported < best_reported_ : value < last())) return;
    best_reported_ = reported;
    trace_.emplace_back(result, value);
  }
  double log_at(int result) const {
    double regret = 1e300;
    for (const auto& [since, value] : trace_)
      if (since <= result) regret = value;
    return std::log10(std::max(regret, floor_));
  }
  std::string json() const {
    std::ostringstream text;
    for (const auto& [since, value] : trace_)
      text << (text.tellp() > 0 ? "," : "") << '[' << since << ',' << value << ']';
    return '[' + text.str() + ']';
  }

 private:
  double last() const { return trace_.empty() ? 1e300 : trace_.back().second; }

  double floor_;
  bool noisy_;
  double best_reported_ = 1e300;
  std::vector<std::pair<int, double>> trace_;
};

// How far the values of the runs were from what the model had predicted when it proposed them.
struct Calibration {
  int predictions = 0;
  std::array<int, 3> beyond{};  ///< so many by more than one, two and three deviations

  // `reason`: "... predicted 0.1204 +- 0.018; ...".
  void add(const std::string& reason, double value) {
    const auto at = reason.find("predicted ");
    double mean = 0, deviation = 0;
    if (at == std::string::npos ||
        std::sscanf(reason.c_str() + at, "predicted %lf +- %lf", &mean, &deviation) != 2)
      return;
    const double printed = std::hypot(deviation, 1e-5 * std::abs(mean));  // with six digits
    ++predictions;
    for (std::size_t i = 0; i < beyond.size(); ++i)
      beyond[i] += std::abs(value - mean) > static_cast<double>(i + 1) * printed ? 1 : 0;
  }
  void add(const Calibration& other) {
    predictions += other.predictions;
    for (std::size_t i = 0; i < beyond.size(); ++i) beyond[i] += other.beyond[i];
  }
  double percent(std::size_t i) const { return 100.0 * beyond[i] / std::max(1, predictions); }
};

struct Sweep {
  Regret regret;
  std::vector<double> milliseconds;  ///< of each proposal
  Calibration calibration = {};
};

struct BenchOptions {
  AlgorithmSpec algorithm{"random", {}};
  std::vector<int> evaluations{100};
  int seeds = 10, first_seed = 1, batch = 1;
  std::vector<std::string> suites;
  std::string only, out;
};

void end_run(const Task& task, History& history, RunId run, double value, RandomStream& noise,
             Regret& regret) {
  history.set_status(run, RunStatus::running);
  if (std::isnan(value)) {
    history.set_status(run, RunStatus::failed, EndCause::exited);
    return;
  }
  const double deviation =
      task.deviation ? task.deviation(history.run(run).parameters) : task.noise;
  const double normal =
      std::sqrt(-2 * std::log(1 - noise.uniform())) * std::cos(2 * kPi * noise.uniform());
  const double reported = value + deviation * normal;
  if (task.curves && !follow_curve(history, run, reported, noise)) return;
  if (!task.curves) history.report(run, reported);
  history.set_status(run, RunStatus::completed, EndCause::exited);
  regret.add(static_cast<int>(run) + 1, reported, value);
}

Sweep sweep(const Task& task, const BenchOptions& options, int evaluations, int seed) {
  SamplerContext context;
  context.goal = Goal::minimize;
  context.seed = static_cast<std::uint64_t>(seed);
  context.max_total_runs = evaluations;
  context.max_concurrent_runs = options.batch;
  const auto made = make_sampler(options.algorithm, task.space, context);
  if (!made) {
    std::fprintf(stderr, "%s\n", made.error().message().c_str());
    std::exit(1);
  }
  const auto value_at = task.make(context.seed);
  History history(Goal::minimize);
  Sweep result{Regret(task.floor, task.noise > 0 || task.deviation), {}};
  bool exhausted = false;
  for (RunId id = 0; id < evaluations && !exhausted;) {
    const RunId first = id;
    for (; id < std::min<RunId>(first + options.batch, evaluations) && !exhausted; ++id) {
      const auto start = std::chrono::steady_clock::now();
      auto proposal = *(*made)->propose(history, id);
      result.milliseconds.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
              .count());
      exhausted = !proposal.parameters;
      if (exhausted) break;
      Run run;
      run.id = id;
      run.parameters = *proposal.parameters;
      run.proposal = proposal.reason;
      history.add(std::move(run));
    }
    for (RunId each = first; each < history.size(); ++each) {
      // The n-th evaluation of a seed has the same noise, whoever asks.
      RandomStream noise(context.seed, each, 99);
      const double value = value_at(history.run(each).parameters);
      end_run(task, history, each, value, noise, result.regret);
      if (history.run(each).status == RunStatus::completed)
        result.calibration.add(history.run(each).proposal, *history.best(each));
    }
  }
  return result;
}

// ---- all of them -----------------------------------------------------------------------------------

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

void write_row(std::ostream& out, const Task& task, const BenchOptions& options, int evaluations,
               int seed, const Sweep& sweep) {
  out << "{\"problem\":\"" << task.suite << '/' << task.name << "\",\"suite\":\"" << task.suite
      << "\",\"arm\":\"" << options.algorithm.name << "\",\"mode\":\""
      << (options.batch > 1 ? "batches" : "sequential") << "\",\"budget\":" << evaluations
      << ",\"seed\":" << seed << ",\"floor\":" << task.floor
      << ",\"p50_ms\":" << quantile(sweep.milliseconds, 0.5)
      << ",\"p99_ms\":" << quantile(sweep.milliseconds, 0.99)
      << ",\"trace\":" << sweep.regret.json() << "}\n";
  out.flush();
}

struct Means {
  double half = 0, whole = 0, milliseconds = 0;
  Calibration calibration;
  void add(const Means& other, double share) {
    calibration.add(other.calibration);
    half += share * other.half;
    whole += share * other.whole;
    milliseconds += share * other.milliseconds;
  }
  void print(const std::string& name) const {
    std::printf("%-36s %7.3f %7.3f %8.2f %6.1f %5.1f %5.1f\n", name.c_str(), half, whole,
                milliseconds, calibration.percent(0), calibration.percent(1),
                calibration.percent(2));
    std::fflush(stdout);
  }
};

Means of(const Sweep& sweep, int evaluations) {
  double sum = 0;
  for (const double each : sweep.milliseconds) sum += each;
  return {sweep.regret.log_at(evaluations / 2), sweep.regret.log_at(evaluations), sum / evaluations,
          sweep.calibration};
}

void run(const BenchOptions& options, const std::vector<Task>& problems, int evaluations) {
  std::ofstream out;
  if (!options.out.empty()) out.open(options.out, std::ios::app);
  Means all;
  for (const Task& problem : problems) {
    Means mean;
    for (int seed = options.first_seed; seed < options.first_seed + options.seeds; ++seed) {
      const Sweep one = sweep(problem, options, evaluations, seed);
      mean.add(of(one, evaluations), 1.0 / options.seeds);
      if (out.is_open()) write_row(out, problem, options, evaluations, seed, one);
    }
    mean.print(problem.name);
    all.add(mean, 1.0 / static_cast<double>(problems.size()));
  }
  all.print("mean");
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

BenchOptions options_of(int count, char** words) {
  BenchOptions options;
  if (count > 1) options.algorithm.name = words[1];
  for (int i = 2; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    if (equals != std::string::npos) {
      const std::string value = word.substr(equals + 1);
      options.algorithm.options[word.substr(0, equals)] =
          value == "true" || value == "false" ? Value(value == "true")
                                              : Value(static_cast<std::int64_t>(std::stoll(value)));
      continue;
    }
    const std::string next = i + 1 < count ? words[++i] : "";
    if (word == "--evaluations") {
      options.evaluations.clear();
      for (const std::string& part : split(next)) options.evaluations.push_back(std::stoi(part));
    }
    if (word == "--seeds") options.seeds = std::stoi(next);
    if (word == "--first-seed") options.first_seed = std::stoi(next);
    if (word == "--batch") options.batch = std::stoi(next);
    if (word == "--suite") options.suites = split(next);
    if (word == "--only") options.only = next;
    if (word == "--out") options.out = next;
  }
  if (options.suites.empty()) options.suites.push_back("all");
  return options;
}

}  // namespace

int main(int count, char** words) {
  const BenchOptions options = options_of(count, words);
  std::vector<Task> problems;
  for (const std::string& name : options.suites)
    for (Task& problem : quality::suite(name))
      if (problem.name.find(options.only) != std::string::npos)
        problems.push_back(std::move(problem));
  for (const int evaluations : options.evaluations) run(options, problems, evaluations);
}
