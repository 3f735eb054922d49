// SPDX-License-Identifier: Apache-2.0
//
// Bring your own sampler: a (1+1) evolution strategy. Each proposal is the best run so far with Gaussian
// noise added, in the unit cube, so that it works on every kind of parameter.
//
// A sampler is pure: it keeps nothing between calls. What it knows comes from the history, its random
// numbers from a stream keyed by seed and run. A resumed sweep therefore goes on as if nothing had been.
#include <hdrive/hdrive.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace {

class Evolution final : public hdrive::Sampler {
 public:
  Evolution(hdrive::SearchSpace space, std::uint64_t seed)
      : space_(std::move(space)), seed_(seed) {}

  hdrive::Result<hdrive::Proposal> propose(const hdrive::History& history,
                                           hdrive::RunId id) override {
    const auto parent = history.incumbent();
    hdrive::Assignment child;
    for (std::uint32_t i = 0; i < space_.parameters.size(); ++i) {
      if (!is_active(space_, i, child)) continue;  // it depends on an option that was not chosen
      const auto& [name, expression, condition] = space_.parameters[i];
      hdrive::RandomStream random(seed_, id, i);
      const auto* value = parent ? find(history.run(*parent).parameters, name) : nullptr;
      const bool has = value && contains(expression, *value);
      child.push_back(
          {name, has ? mutate(expression, *value, random) : hdrive::draw(expression, random)});
    }
    return hdrive::Proposal{std::move(child), parent ? "child of run " + std::to_string(*parent)
                                                     : "drawn at random: no run has a result yet"};
  }

  std::string describe() const override { return "(1+1) evolution, step 0.1"; }

 private:
  static hdrive::Value mutate(const hdrive::Expression& expression, const hdrive::Value& value,
                              hdrive::RandomStream& random) {
    // Box and Muller's transform of two uniform numbers into a normal one.
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
    const double noise = radius * std::cos(2 * 3.14159265358979323846 * random.uniform());
    return hdrive::decode(expression,
                          std::clamp(hdrive::encode(expression, value) + 0.1 * noise, 0.0, 1.0));
  }

  hdrive::SearchSpace space_;
  std::uint64_t seed_;
};

}  // namespace

int main() {
  hdrive::SweepSpec spec;
  spec.space.parameters = {{"x", hdrive::Uniform{-5, 5}},
                           {"y", hdrive::Uniform{-5, 5}},
                           {"n", hdrive::QUniform{0, 10, 1}}};
  spec.primary_metric = "height";
  spec.goal = hdrive::Goal::maximize;
  spec.max_total_runs = 300;
  spec.seed = 3;

  const hdrive::Objective hill = [](hdrive::RunContext& run) {
    const double x = run.number("x") - 1, y = run.number("y") + 2, n = run.number("n") - 7;
    run.report("height", -(x * x + y * y + n * n));
  };

  hdrive::SweepParts parts;
  parts.clock = hdrive::make_steady_clock();
  parts.target = hdrive::make_in_process_target(hill, parts.clock);
  parts.sampler = std::make_shared<Evolution>(spec.space, spec.seed);
  auto summary = hdrive::run_sweep(spec, parts);
  if (!summary) {
    std::fprintf(stderr, "%s\n", summary.error().message().c_str());
    return 1;
  }
  std::printf("%s: best height %.4f after %lld runs (the summit is 0)\n",
              parts.sampler->describe().c_str(), summary->best_value,
              static_cast<long long>(summary->runs));
  return summary->best_value > -0.1 ? 0 : 1;
}
