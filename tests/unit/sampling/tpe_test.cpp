// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>

#include "sampling/encoding.h"
#include "sampling/outcomes.h"
#include "sampling/product_kernels.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::sampling;
using namespace hdrive::trials;

namespace {

const SearchSpace kMixed{
    {{"x", Uniform{0, 1}},
     {"n", RandInt{6}},
     {"units", Choice{{std::int64_t{64}, std::int64_t{16}, std::int64_t{32}}}},
     {"colour", Choice{{std::string("red"), std::string("green"), std::string("blue")}}}}};

// A run with parameters `x` that ended so.
void end(History& history, const Assignment& x, std::optional<double> value,
         RunStatus status = RunStatus::completed, EndCause cause = EndCause::exited) {
  add(history, x);
  const RunId id = history.size() - 1;
  history.set_status(id, RunStatus::running);
  if (value) history.report(id, *value);
  if (status != RunStatus::running) history.set_status(id, status, cause);
}

// The best value after `runs` proposals on `objective`, to be minimised.
double best_of(const std::string& name, const SearchSpace& space, int runs, std::uint64_t seed,
               const std::function<double(const Assignment&)>& objective) {
  SamplerContext context{Goal::minimize, seed, runs, 1};
  const auto from = make_sampler({name, {}}, space, context);
  REQUIRE(from);
  History history(Goal::minimize);
  for (int i = 0; i < runs; ++i) {
    const Assignment x = *propose(**from, history).parameters;
    end(history, x, objective(x));
  }
  return *history.best(*history.incumbent());
}

}  // namespace

TEST_CASE("A point and its assignment belong together, whatever the parameter's kind") {
  const Encoding encoding(kMixed);
  CHECK_FALSE(encoding.dimensions()[2].is_category());  // numbers, in ascending order
  CHECK(encoding.dimensions()[3].is_category());
  const Assignment assignment{{"x", 0.25},
                              {"n", std::int64_t{5}},
                              {"units", std::int64_t{64}},
                              {"colour", std::string("green")}};
  const auto point = encoding.encode(assignment);
  REQUIRE(point);
  REQUIRE(point->size() == 4);
  for (std::size_t j = 0; j < 4; ++j)
    CHECK((*point)[j] == Approx(std::vector<double>{0.25, 5.5 / 6, 2.5 / 3, 1}[j]));
  CHECK(encoding.decode(*point) == assignment);
  CHECK_FALSE(encoding.encode({{"x", 0.25}}));
  CHECK(encoding.dimensions()[1].place(0.99) == 5.5 / 6);
  CHECK(encoding.dimensions()[3].place(0.99) == 2);
}

TEST_CASE(
    "Finished runs come first, then those stopped early by how far they got, failures, the rest") {
  for (const Goal goal : {Goal::minimize, Goal::maximize}) {
    const double sign = goal == Goal::minimize ? 1 : -1;
    History history(goal);
    end(history, {}, sign * 3.0);                                         // 0
    end(history, {}, sign * 0.1, RunStatus::canceled, EndCause::policy);  // 1
    end(history, {}, std::nan(""));                                       // 2
    end(history, {}, sign * 1.0);                                         // 3
    end(history, {}, std::nullopt, RunStatus::failed);                    // 4
    end(history, {}, sign * 0.5, RunStatus::running, EndCause::none);     // 5
    end(history, {}, std::nullopt, RunStatus::canceled, EndCause::user);  // 6
    add(history, {});                                                     // 7
    add(history, {});                                                     // 8
    history.set_status(8, RunStatus::running);
    for (const double value : {4.0, 5.0}) history.report(8, sign * value);
    history.set_status(8, RunStatus::canceled, EndCause::policy);
    std::vector<RunId> order;
    for (const Outcome& outcome : ranked_outcomes(history)) order.push_back(outcome.run);
    CHECK(order == std::vector<RunId>{3, 0, 8, 1, 2, 4, 5, 7});
  }
}

TEST_CASE("The density of kernels adds up to one, near the ends and on categories too") {
  const Encoding encoding({{{"x", Uniform{0, 1}}, {"c", kMixed.parameters[3].expression}}});
  const Columns columns{{0.02f, 0.5f, 0.97f, 0.4f}, {0, 1, 2, 1}};
  for (const std::size_t count : {std::size_t{1}, std::size_t{4}, std::size_t{1000}}) {
    const ProductKernels kernels(encoding.dimensions(), count);
    std::vector<float> scales;
    for (std::size_t i = 0; i < 4; ++i) scales.push_back(kernels.log_scale(columns, i));
    std::vector<std::vector<float>> at;
    constexpr int kGrid = 2000;
    for (int i = 0; i < kGrid; ++i)
      for (int c = 0; c < 3; ++c)
        at.push_back({(static_cast<float>(i) + 0.5f) / kGrid, static_cast<float>(c)});
    double total = 0;
    for (const double density : kernels.log_density(columns, scales, 4, at))
      total += std::exp(density) / kGrid;
    CHECK(total == Approx(1).epsilon(0.002));
  }
}

TEST_CASE("The density agrees with its formula") {
  const Encoding encoding({{{"x", Uniform{0, 1}}}});
  const Columns columns{{0.3f, 0.6f}};
  const ProductKernels kernels(encoding.dimensions(), 2);
  const double width = std::max(0.2 * std::pow(2.0, -1.0 / 5), 1.0 / 3);
  const auto phi = [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); };
  const auto kernel = [&](double center, double x) {
    const double z = (x - center) / width;
    const double height = std::exp(-z * z / 2) / (std::sqrt(2 * 3.14159265358979) * width);
    return height / (phi((1 - center) / width) - phi(-center / width));
  };
  const std::vector<float> scales{kernels.log_scale(columns, 0), kernels.log_scale(columns, 1)};
  for (const double x : {0.01, 0.3, 0.77}) {
    const double expected = (kernel(0.3, x) + kernel(0.6, x) + 1) / 3;
    const auto actual = kernels.log_density(columns, scales, 2, {{static_cast<float>(x)}});
    CHECK(std::exp(actual[0]) == Approx(expected).epsilon(1e-4));
  }
}

TEST_CASE("Draws from a kernel stay inside and follow it") {
  const Encoding encoding({{{"x", Uniform{0, 1}}, {"c", kMixed.parameters[3].expression}}});
  const ProductKernels kernels(encoding.dimensions(), 20);
  RandomStream random(1, 0, 0);
  int own = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const auto x = kernels.draw({{0.01f}, {2.0f}}, 0, random);
    REQUIRE((x[0] >= 0 && x[0] <= 1));
    REQUIRE((x[1] == 0 || x[1] == 1 || x[1] == 2));
    own += x[1] == 2;
  }
  CHECK(own / double(kDraws) == Approx((1 + 0.05) / (1 + 3 * 0.05)).margin(0.02));
}

TEST_CASE(
    "tpe finds better points than random sampling on real, whole and categorical parameters") {
  const auto objective = [](const Assignment& x) {
    const auto number = [&](const char* name) { return *as_number(*find(x, name)); };
    return std::abs(number("x") - 0.3) + std::abs(number("n") - 4) / 6 +
           std::abs(number("units") - 32) / 64 +
           (*find(x, "colour") == Value(std::string("blue")) ? 0 : 0.5);
  };
  double tpe = 0, random = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    tpe += best_of("tpe", kMixed, 60, seed, objective);
    random += best_of("random", kMixed, 60, seed, objective);
  }
  CHECK(tpe < random / 2);
}

TEST_CASE(
    "tpe says whether it proposes an initial point, a modelled one or a substitute, and why") {
  SamplerContext context{Goal::minimize, 7, 100, 1};
  const auto from = *make_sampler({"tpe", {}}, kMixed, context);
  History history(Goal::minimize);
  CHECK(propose(*from, history).reason == "initial design: Sobol point 1 of 10, seed 7");
  for (int i = 0; i < 12; ++i) end(history, *propose(*from, history).parameters, std::nullopt);
  CHECK(propose(*from, history).reason ==
        "Sobol point, seed 7, in place of the model, which needs two results and has 0");
  for (int i = 0; i < 5; ++i) end(history, *propose(*from, history).parameters, 3.0 + i);
  const std::string reason = propose(*from, history).reason;
  CHECK_THAT(reason, Catch::StartsWith("model (TPE): best of 24 candidates, log density ratio "));
  CHECK_THAT(reason, Catch::EndsWith("from 1 good of 5 results, seed 7; incumbent run 12 with 3"));
}

TEST_CASE("Parallel proposals of tpe keep apart") {
  SamplerContext context{Goal::minimize, 3, 100, 8};
  const auto from = *make_sampler({"tpe", {}}, {{{"x", Uniform{0, 1}}}}, context);
  History history(Goal::minimize);
  for (int i = 0; i < 30; ++i) {
    const Assignment x = *propose(*from, history).parameters;
    end(history, x, std::abs(*as_number(x[0].value) - 0.5));
  }
  // Eight pending runs: were they not counted as bad, all would lie in the middle.
  double nearest = 1, farthest = 0;
  for (int i = 0; i < 8; ++i) {
    const Assignment x = *propose(*from, history).parameters;
    const double away = std::abs(*as_number(x[0].value) - 0.5);
    nearest = std::min(nearest, away);
    farthest = std::max(farthest, away);
    add(history, x);
  }
  CHECK(nearest < 0.1);
  CHECK(farthest > 0.02);
}
