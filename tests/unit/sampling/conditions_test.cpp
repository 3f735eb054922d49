// SPDX-License-Identifier: Apache-2.0
//
// Conditional parameters, sampler by sampler; that every one proposes sets of the space is in tests/conformance.
#include <cmath>
#include <functional>
#include <set>

#include "hdrive/finite_space.h"
#include "sampling/encoding.h"
#include "sampling/gp/model.h"
#include "sampling/gp/numerics.h"
#include "sampling/product_kernels.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

Value text(const char* chars) { return std::string(chars); }

const Choice kOptimizer{{text("sgd"), text("adam"), text("lion")}};

// Two learning rates of the same name, and one branch without parameters.
const SearchSpace kSpace{{{"optimizer", kOptimizer},
                          {"momentum", Uniform{0, 1}, {{"optimizer", text("sgd")}}},
                          {"lr", Uniform{0, 1}, {{"optimizer", text("sgd")}}},
                          {"lr", Uniform{0, 2}, {{"optimizer", text("adam")}}},
                          {"layers", Choice{{1.0, 2.0, 4.0}}},
                          {"gate", Uniform{0, 1}, {{"layers", 4.0}}}}};

double number(const Assignment& set, const char* name) { return *as_number(*find(set, name)); }

// Best with adam, its learning rate 1.2, and four layers with the gate at 0.3.
double loss(const Assignment& set) {
  const Value optimizer = *find(set, "optimizer");
  double result = 0;
  if (optimizer == text("lion")) result = 0.8;
  if (optimizer == text("sgd"))
    result =
        0.3 + std::pow(number(set, "lr") - 0.5, 2) + std::pow(number(set, "momentum") - 0.9, 2);
  if (optimizer == text("adam")) result = std::pow(number(set, "lr") - 1.2, 2);
  if (const Value* gate = find(set, "gate")) return result + std::pow(*as_number(*gate) - 0.3, 2);
  return result + 0.2;
}

History after(Sampler& from, int runs) {
  History history(Goal::minimize);
  for (RunId id = 0; id < runs; ++id) {
    const Proposal proposal = propose(from, history);
    REQUIRE(check(kSpace, *proposal.parameters));
    add(history, *proposal.parameters);
    history.set_status(id, RunStatus::running);
    history.report(id, loss(*proposal.parameters));
    history.set_status(id, RunStatus::completed, EndCause::exited);
  }
  return history;
}

}  // namespace

TEST_CASE("A parameter that does not exist shifts no other one's draws") {
  SearchSpace flat = kSpace;
  flat.parameters[3].name = "other";
  for (Parameter& parameter : flat.parameters) parameter.condition.reset();
  const auto conditional = sampler("random", kSpace), always = sampler("random", flat);
  std::set<std::size_t> sizes;
  for (RunId id = 0; id < 40; ++id) {
    History history(Goal::minimize);
    for (RunId earlier = 0; earlier < id; ++earlier) add(history, {});
    const Assignment some = *propose(*conditional, history).parameters;
    const Assignment all = *propose(*always, history).parameters;
    const bool adam = *find(some, "optimizer") == text("adam");
    for (const Binding& binding : some)
      CHECK(binding.value == *find(all, adam && binding.name == "lr" ? "other" : binding.name));
    sizes.insert(some.size());
  }
  CHECK(sizes.size() > 2);
}

TEST_CASE("The grid tries each different set once, the first parameter slowest") {
  const SearchSpace space{{{"optimizer", kOptimizer},
                           {"nesterov", Choice{{true, false}}, {{"optimizer", text("sgd")}}},
                           {"eps", Choice{{1.0, 2.0}}, {{"optimizer", text("adam")}}},
                           {"n", Choice{{1.0, 2.0}}}}};
  const auto from = sampler("grid", space);
  CHECK(from->describe() == "grid sampling, space_size 10, the first parameter slowest");
  History history(Goal::maximize);
  CHECK(
      run(*from, history, 100) ==
      std::vector<std::string>{
          R"({"optimizer":"sgd","nesterov":true,"n":1.0})",
          R"({"optimizer":"sgd","nesterov":true,"n":2.0})",
          R"({"optimizer":"sgd","nesterov":false,"n":1.0})",
          R"({"optimizer":"sgd","nesterov":false,"n":2.0})",
          R"({"optimizer":"adam","eps":1.0,"n":1.0})", R"({"optimizer":"adam","eps":1.0,"n":2.0})",
          R"({"optimizer":"adam","eps":2.0,"n":1.0})", R"({"optimizer":"adam","eps":2.0,"n":2.0})",
          R"({"optimizer":"lion","n":1.0})", R"({"optimizer":"lion","n":2.0})"});
}

TEST_CASE("A finite space counts as hdrive::point does, and its weights add up to one") {
  const SearchSpace space{{{"optimizer", Choice{{text("a"), text("b"), text("a")}}},
                           {"x", QUniform{0, 4, 2}, {{"optimizer", text("a")}}},
                           {"y", Choice{{true, false}}, {{"optimizer", text("b")}}},
                           {"z", RandInt{3}, {{"y", true}}},
                           {"n", RandInt{2}}}};
  const auto finite = *FiniteSpace::of(space);
  REQUIRE(finite.size() == 14u);
  REQUIRE(cardinality(space) == 14u);
  double total = 0;
  for (std::uint64_t i = 0; i < 14; ++i) {
    CHECK(finite.point(i) == point(space, i));
    total += finite.weight(i);
  }
  CHECK(total == Approx(1));
  CHECK(finite.weight(0) == Approx(2.0 / 3 / 4 / 2));  // a, 0 (half a cell), 0
}

TEST_CASE("TPE's density adds up to one over all branches together") {
  using namespace sampling;
  const SearchSpace space{{{"c", Choice{{text("a"), text("b"), text("none")}}},
                           {"x", Uniform{0, 1}, {{"c", text("a")}}},
                           {"k", kOptimizer, {{"c", text("b")}}}}};
  const Encoding encoding(space);
  const auto none = static_cast<float>(kAbsent);
  const Columns columns{{0, 0, 1, 2, 1}, {0.05f, 0.6f, none, none, none}, {none, none, 2, none, 0}};
  const ProductKernels kernels(encoding.dimensions(), std::vector<std::size_t>{5, 2, 2});
  std::vector<float> scales;
  for (std::size_t i = 0; i < 5; ++i) scales.push_back(kernels.log_scale(columns, i));
  const auto density = [&](const std::vector<std::vector<float>>& at) {
    double sum = 0;
    for (const double each : kernels.log_density(columns, scales, 5, at)) sum += std::exp(each);
    return sum;
  };
  std::vector<std::vector<float>> of_a, of_b;
  constexpr int kGrid = 2000;
  for (int i = 0; i < kGrid; ++i) of_a.push_back({0, (static_cast<float>(i) + 0.5f) / kGrid, none});
  for (int k = 0; k < 3; ++k) of_b.push_back({1, none, static_cast<float>(k)});
  CHECK(density(of_a) / kGrid + density(of_b) + density({{2, none, none}}) ==
        Approx(1).epsilon(0.002));
  // What was seen in a branch is likely in it.
  CHECK(density({{1, none, 2}}) > density({{1, none, 1}}));
  CHECK(density({{0, 0.05f, none}}) > density({{0, 0.95f, none}}));
}

TEST_CASE("Coordinates mark what does not exist, and take it back") {
  const sampling::Encoding encoding(kSpace);
  const Assignment adam{{"optimizer", text("adam")}, {"lr", 0.5}, {"layers", 4.0}, {"gate", 0.25}};
  auto point = encoding.encode(adam).value();
  CHECK(point == std::vector<double>{1, -1, -1, 0.25, encoding.dimensions()[4].place(0.99), 0.25});
  CHECK(encoding.decode(point) == adam);
  point = {0, 0.5, 0.5, 0.5, 0.5, 0.5};
  encoding.apply_conditions(point, [](int) { return 0.5; });
  CHECK(point == std::vector<double>{0, 0.5, 0.5, -1, 0.5, -1});
  CHECK_FALSE(encoding.encode({{"optimizer", text("lion")}, {"lr", 0.5}, {"layers", 1.0}}));
}

namespace {

// The squares of the distances along each dimension, as the kernel has them.
std::vector<double> squares(const sampling::Coordinates& a, const sampling::Coordinates& b) {
  sampling::gp::Points point(b.size());
  point.add(b);
  const double weight = 1;
  std::vector<double> result(a.size());
  sampling::gp::numerics().distance_sums(a.data(), sampling::gp::input(point.matrix()), &weight,
                                         result.data());
  return result;
}

// A random space: a few numbers and categories, some of them under options of the first choice.
SearchSpace random_space(RandomStream& random) {
  SearchSpace space{{{"c", kOptimizer}}};
  for (int i = 0; i < 8; ++i) {
    Parameter parameter{"x" + std::to_string(i), Uniform{0, 1}};
    if (random.uniform() < 0.3) parameter.expression = kOptimizer;
    if (random.uniform() < 0.2) parameter.expression = RandInt{5};
    space.parameters.push_back(parameter);
  }
  for (const Value& option : kOptimizer.options)
    for (int i = 0; i < 3; ++i)
      if (random.uniform() < 0.6)
        space.parameters.push_back(
            {to_text(option) + std::to_string(i), Uniform{0, 1}, {{"c", option}}});
  // What depends on a choice stands behind it.
  std::rotate(space.parameters.begin() + 1, space.parameters.begin() + 9, space.parameters.end());
  return space;
}

}  // namespace

TEST_CASE("What is absent lies beside the middle of what is there, and 1 from a category") {
  using namespace sampling;
  const Encoding encoding(kSpace);
  const auto at = [&](const Assignment& set) { return encoding.encode(set).value(); };
  const auto sgd =
      at({{"optimizer", text("sgd")}, {"momentum", 0.5}, {"lr", 0.25}, {"layers", 1.0}});
  const auto adam = at({{"optimizer", text("adam")}, {"lr", 0.0}, {"layers", 1.0}});
  const auto lion = at({{"optimizer", text("lion")}, {"layers", 4.0}, {"gate", 1.0}});
  CHECK(squares(sgd, adam) == std::vector<double>{1, 0.75, 0.8125, 1, 0, 0});
  const auto far = squares(adam, lion);
  CHECK((far[0] == 1 && far[1] == 0 && far[2] == 0 && far[3] == 1 && far[5] == 1));
  CHECK(squares(sgd, lion) == squares(lion, sgd));
}

TEST_CASE("Covariances are positive definite on conditional spaces, at long lengthscales too") {
  using namespace sampling;
  for (const double lengthscale : {0.3, 1.0, 3.0, 10.0, 50.0})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      INFO(lengthscale << ", seed " << seed);
      RandomStream random(seed, 0, 0);
      const SearchSpace space = random_space(random);
      const Encoding encoding(space);
      const auto from = sampler("random", space, seed);
      gp::Points points(encoding.size());
      for (int i = 0; i < 60; ++i)
        points.add(encoding.encode(*from->propose(History(Goal::minimize), i)->parameters).value());
      gp::Hyperparameters theta{{}, 1.0, 0.0};
      for (std::size_t j = 0; j < encoding.size(); ++j)
        theta.lengthscales.push_back(lengthscale * (0.5 + random.uniform()));
      gp::MatrixXd covariance;
      gp::Kernel(theta).covariances(points, covariance);
      // Has a factor where no eigenvalue lies below -1e-10, which rounding may bring about.
      covariance.diagonal().array() += 1e-10;
      CHECK(gp::portable_numerics().cholesky(gp::output(covariance)));
    }
}

TEST_CASE("A point is settled when its choices are, below choices of one option too") {
  using namespace sampling;
  const SearchSpace space{{{"c", Choice{{text("a"), text("b")}}},
                           {"only", Choice{{true}}, {{"c", text("b")}}},
                           {"x", Uniform{0, 1}, {{"only", true}}}}};
  const Encoding encoding(space, true);
  REQUIRE(encoding.size() == 2);  // "only" is no choice
  Coordinates point{0, 0.5};
  const auto fill = [](int) { return 0.75; };
  encoding.apply_conditions(point, fill);
  CHECK(point == Coordinates{0, kAbsent});
  CHECK(to_json(encoding.decode(point)) == R"({"c":"a"})");
  point[0] = 1;
  encoding.apply_conditions(point, fill);
  CHECK(point == Coordinates{1, 0.75});
  encoding.snap(point);
  CHECK(to_json(encoding.decode(point)) == R"({"c":"b","only":true,"x":0.75})");
  CHECK(encoding.encode(encoding.decode(point)) == point);
}

TEST_CASE("Samplers that learn find the best branch and what is best in it") {
  for (const char* name : {"tpe", "cmaes", "bayesian"}) {
    INFO(name);
    double sum = 0;
    for (const std::uint64_t seed : {1, 2, 3}) {
      const auto from = sampler(name, kSpace, seed);
      const History history = after(*from, 60);
      sum += *history.best(*history.incumbent()) / 3;
    }
    CHECK(sum < (std::string(name) == "bayesian" ? 0.002 : 0.1));
  }
}

TEST_CASE(
    "Importance and relevance of a conditional parameter are those of the runs that have it") {
  const auto from = sampler("random", kSpace);
  const History history = after(*from, 300);
  const auto importance = parameter_importance(kSpace, history);
  REQUIRE(importance);
  std::set<std::string> names;
  double total = 0;
  for (const ParameterImportance& one : *importance) {
    names.insert(one.name);
    total += one.share;
    CHECK(one.share > 0);
  }
  CHECK(total == Approx(1));
  CHECK(names == std::set<std::string>{"optimizer", "momentum", "lr (optimizer sgd)",
                                       "lr (optimizer adam)", "layers", "gate"});
  CHECK(importance->front().name == "optimizer");

  const auto report = inspect_model({"random", {}}, kSpace, {Goal::minimize, 1, 300, 1}, history);
  REQUIRE(report);
  CHECK(report->parameters.at(3).parameter == "lr (optimizer adam)");
  CHECK(report->parameters.at(3).share > report->parameters.at(2).share);
  CHECK(report->calibration.explained > 0.9);
}
