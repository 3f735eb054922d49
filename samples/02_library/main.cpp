// SPDX-License-Identifier: Apache-2.0
//
// The library in one page: the objective is a C++ function, four calls of it run at once, a policy stops
// the poor ones.
//
// The "training" is gradient descent with momentum on Rosenbrock's valley; which rate and momentum get
// furthest in 200 steps?
#include <hdrive/hdrive.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <thread>

namespace {

void descend(hdrive::RunContext& run) {
  const double rate = run.number("rate");
  const double momentum = run.number("momentum");
  double x = -1.5, y = 2, velocity_x = 0, velocity_y = 0;
  for (int step = 1; step <= 200 && !run.stop_requested(); ++step) {
    const double slope_x = -2 * (1 - x) - 400 * x * (y - x * x);
    const double slope_y = 200 * (y - x * x);
    velocity_x = momentum * velocity_x - rate * slope_x;
    velocity_y = momentum * velocity_y - rate * slope_y;
    x += velocity_x;
    y += velocity_y;
    if (step % 10 != 0) continue;
    // Too large a rate diverges; the infinite loss is reported as it is, and never wins.
    run.report("loss", std::pow(1 - x, 2) + 100 * std::pow(y - x * x, 2), step);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // a real training takes its time
  }
}

}  // namespace

int main() {
  hdrive::SweepSpec spec;
  spec.space.parameters = {{"rate", hdrive::LogUniform{std::log(1e-5), std::log(1e-2)}},
                           {"momentum", hdrive::Uniform{0, 0.99}}};
  spec.primary_metric = "loss";
  spec.goal = hdrive::Goal::minimize;
  spec.policy = {"median_stopping", {{"delay_evaluation", 5}}};
  spec.max_total_runs = 100;
  spec.max_concurrent_runs = 4;
  spec.seed = 1;

  // A listener sees every change; the state it is handed outlives none of its calls, so it keeps what it
  // wants to know of the best run.
  struct KeepBest final : hdrive::Listener {
    void on_change(const hdrive::Change&, const hdrive::SweepState& state) override {
      if (auto best = state.history().incumbent())
        parameters = state.history().run(*best).parameters;
    }
    hdrive::Assignment parameters;
  };
  auto best = std::make_shared<KeepBest>();

  auto summary = hdrive::tune(spec, descend, {best});
  if (!summary) {
    std::fprintf(stderr, "%s\n", summary.error().message().c_str());
    return 1;
  }
  std::printf("%lld runs, %lld of them stopped early\n", static_cast<long long>(summary->runs),
              static_cast<long long>(summary->stopped));
  std::printf("best loss %g with %s\n", summary->best_value, to_json(best->parameters).c_str());
  return summary->best ? 0 : 1;
}
