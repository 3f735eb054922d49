// SPDX-License-Identifier: Apache-2.0
#include "hdrive/model_view.h"

#include <algorithm>
#include <cmath>

#include "tests/catch.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

const SearchSpace kSpace{{{"--x", Uniform{0, 1}},
                          {"n", IntUniform{1, 4}},
                          {"kind", Choice{{std::string("a"), std::string("b")}}},
                          {"depth", LogUniform{-3, 0}, Condition{"kind", std::string("b")}},
                          {"fixed", RandInt{1}},
                          {"wide", Normal{0, 1}}}};

double value_of(const Assignment& at) {
  const double x = *as_number(*find(at, "--x"));
  const Value* depth = find(at, "depth");
  return (x - 0.3) * (x - 0.3) + (depth ? 0.5 + 0.1 * *as_number(*depth) : 0);
}

History tried(int runs, Goal goal, const std::string& proposal = "") {
  const auto from = sampler("random", kSpace, 7);
  History history(goal);
  for (int i = 0; i < runs; ++i) {
    Run run;
    run.id = i;
    run.parameters = *propose(*from, history).parameters;
    run.proposal = proposal;
    const double value = value_of(run.parameters);
    history.add(std::move(run));
    history.set_status(i, RunStatus::running);
    history.report(i, goal == Goal::minimize ? value : 10 - value);
    history.set_status(i, RunStatus::completed, EndCause::exited);
  }
  return history;
}

SamplerContext context(Goal goal) {
  SamplerContext made;
  made.goal = goal;
  made.seed = 3;
  return made;
}

const ModelView::Slice& slice(const ModelView& view, const std::string& label) {
  const auto found = std::find_if(view.slices.begin(), view.slices.end(),
                                  [&](const auto& each) { return each.label == label; });
  REQUIRE(found != view.slices.end());
  return *found;
}

}  // namespace

TEST_CASE("The model is followed along each parameter, the others as in the best run") {
  const History history = tried(60, Goal::minimize);
  const auto view = view_model({"bayesian", {}}, kSpace, context(Goal::minimize), history, 21);
  REQUIRE(view);
  CHECK(view->results == 60);
  CHECK(view->slices.size() == 5);  // without what is fixed

  const auto& x = slice(*view, "--x");
  CHECK(x.run == history.incumbent());
  REQUIRE(x.values.size() == 21);
  CHECK(x.values.front() == Value(0.0));
  CHECK(x.values.back() == Value(1.0));
  const auto least = std::min_element(x.mean.begin(), x.mean.end()) - x.mean.begin();
  CHECK(*as_number(x.values[static_cast<std::size_t>(least)]) == Approx(0.3).margin(0.06));
  for (std::size_t i = 0; i < x.mean.size(); ++i) {
    CHECK(x.low[i] <= x.mean[i]);
    CHECK(x.mean[i] <= x.high[i]);
  }

  CHECK(slice(*view, "n").values ==
        std::vector<Value>{std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{4}});
  for (const Value& value : slice(*view, "wide").values)
    CHECK(std::isfinite(std::get<double>(value)));
}

TEST_CASE("A parameter that the best run lacks is followed from the best run that has it") {
  const History history = tried(60, Goal::minimize);
  const auto view = view_model({"bayesian", {}}, kSpace, context(Goal::minimize), history, 11);
  REQUIRE(view);
  const auto& kind = slice(*view, "kind");
  CHECK(kind.values == std::vector<Value>{std::string("a"), std::string("b")});
  CHECK(kind.mean[0] < kind.mean[1] - 0.2);
  const auto& depth = slice(*view, "depth");
  REQUIRE(depth.run);
  CHECK(depth.run != kind.run);
  CHECK(find(history.run(*depth.run).parameters, "depth"));
  // The model compresses what is worse than the median.
  CHECK(depth.mean.front() > kind.mean[0] + 0.2);
}

TEST_CASE("What is to be large is told as it is, and not turned round") {
  const History history = tried(60, Goal::maximize);
  const auto view = view_model({"bayesian", {}}, kSpace, context(Goal::maximize), history);
  REQUIRE(view);
  const auto& x = slice(*view, "--x");
  CHECK(*std::max_element(x.mean.begin(), x.mean.end()) == Approx(10).margin(0.1));
  for (std::size_t i = 0; i < x.mean.size(); ++i) CHECK(x.low[i] <= x.high[i]);
}

TEST_CASE("A sampler without a model has no view of one, and says which has") {
  const auto made = context(Goal::minimize);
  const auto none = view_model({"random", {}}, kSpace, made, tried(60, Goal::minimize));
  REQUIRE_FALSE(none);
  CHECK(none.error().message() ==
        "sampling: random has no model of the results; bayesian has one (sampling: type: "
        "bayesian), and auto where it chooses that");
  CHECK_FALSE(view_model({"auto", {}}, kSpace, made,
                         tried(30, Goal::minimize, "auto chose sobol, because few: point 3")));
  CHECK(view_model({"auto", {}}, kSpace, made,
                   tried(30, Goal::minimize, "auto, bayesian: expected improvement")));
  const auto early = view_model({"bayesian", {}}, kSpace, made, tried(1, Goal::minimize));
  REQUIRE_FALSE(early);
  CHECK(early.error().message().find("two runs") != std::string::npos);
}
