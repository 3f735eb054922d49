// SPDX-License-Identifier: Apache-2.0
//
// Bring your own policy: patience. A run is stopped when its last reports brought nothing better than
// what it had before.
//
// A policy is asked at each report of the primary metric and answers with the numbers it decided by;
// `explain` turns them into the sentence that is stored and shown.
#include <hdrive/hdrive.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <thread>

namespace {

class Patience final : public hdrive::Policy {
 public:
  explicit Patience(std::int64_t reports) : reports_(reports) {}

  hdrive::Verdict judge(hdrive::RunId id, const hdrive::History& history) const override {
    hdrive::Verdict verdict;
    verdict.interval = static_cast<std::int64_t>(history.reports(id).size());
    if (verdict.interval <= reports_) return verdict;  // not due yet
    const auto before = history.best(id, verdict.interval - reports_);
    const auto now = history.best(id);
    if (!before || !now) return verdict;
    verdict.threshold = *before;
    verdict.value = *now;
    const bool improved = history.better(*now, *before);
    verdict.action = improved ? hdrive::Verdict::Action::keep : hdrive::Verdict::Action::stop;
    verdict.finding =
        improved ? hdrive::Verdict::Finding::within : hdrive::Verdict::Finding::beyond;
    return verdict;
  }

  std::string explain(const hdrive::Verdict& verdict) const override {
    switch (verdict.finding) {
      case hdrive::Verdict::Finding::within:
        return "still improving: " + std::to_string(verdict.value) + " at report " +
               std::to_string(verdict.interval);
      case hdrive::Verdict::Finding::beyond:
        return "no better than " + std::to_string(verdict.threshold) + " for " +
               std::to_string(reports_) + " reports";
      default:
        return "fewer than " + std::to_string(reports_ + 1) + " reports so far";
    }
  }

  std::string describe() const override {
    return "patience of " + std::to_string(reports_) + " reports";
  }

 private:
  std::int64_t reports_;
};

// Tells of each run as it ends.
struct Narrator final : hdrive::Listener {
  void on_change(const hdrive::Change& change, const hdrive::SweepState&) override {
    if (const auto* ended = std::get_if<hdrive::RunEnded>(&change))
      std::printf("run %lld: %s\n", static_cast<long long>(ended->run), ended->reason.c_str());
  }
};

}  // namespace

int main() {
  hdrive::SweepSpec spec;
  spec.space.parameters = {{"rate", hdrive::Choice{{0.05, 0.1, 0.2, 0.5, 1.0}}}};
  spec.sampling = {"grid", {}};
  spec.primary_metric = "loss";
  spec.goal = hdrive::Goal::minimize;
  spec.max_total_runs = 5;

  // Curves that fall at the given rate to a floor; the fast ones reach it long before report 100.
  const hdrive::Objective curve = [](hdrive::RunContext& run) {
    for (int step = 1; step <= 100 && !run.stop_requested(); ++step) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // a real one would train here
      run.report("loss", std::max(0.1, std::exp(-run.number("rate") * step)), step);
    }
  };

  hdrive::SweepParts parts;
  parts.clock = hdrive::make_steady_clock();
  parts.target = hdrive::make_in_process_target(curve, parts.clock);
  parts.policy = std::make_shared<Patience>(5);
  parts.listeners = {std::make_shared<Narrator>()};
  auto summary = hdrive::run_sweep(spec, parts);
  if (!summary) {
    std::fprintf(stderr, "%s\n", summary.error().message().c_str());
    return 1;
  }
  std::printf("%lld of %lld runs stopped early\n", static_cast<long long>(summary->stopped),
              static_cast<long long>(summary->runs));
  return summary->stopped > 0 ? 0 : 1;
}
