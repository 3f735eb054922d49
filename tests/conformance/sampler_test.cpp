// SPDX-License-Identifier: Apache-2.0
//
// What every sampler must keep, run over each row of the table and over one written by a user. A new sampler
// is in by its row; a sampler may refuse a space, but not one of choices only.
#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "hdrive/hdrive.h"
#include "tests/catch.h"

using namespace hdrive;

namespace {

// ---- the samplers ------------------------------------------------------------------------------

using Factory = std::function<Result<std::shared_ptr<Sampler>>(const SearchSpace&, std::uint64_t)>;
struct Subject {
  std::string name;
  Factory make;
};

// A user's sampler: halves the unit interval again and again, the same place in every parameter, and steps
// on from what was tried.
class Halving final : public Sampler {
 public:
  explicit Halving(SearchSpace space) : space_(std::move(space)) {}

  Result<Proposal> propose(const History& history, RunId id) override {
    const auto size = cardinality(space_);
    if (size) {
      for (std::uint64_t i = 0; i < *size; ++i) {
        Assignment next = point(space_, (i + static_cast<std::uint64_t>(id)) % *size);
        if (!history.find(next)) return Proposal{std::move(next), "the next point in order"};
      }
      return Proposal{std::nullopt, "every point was tried"};
    }
    double unit = 0, weight = 0.5;
    for (auto bits = static_cast<std::uint64_t>(id + 1); bits > 0; bits /= 2, weight /= 2)
      unit += weight * static_cast<double>(bits % 2);
    Assignment assignment;
    for (std::size_t i = 0; i < space_.parameters.size(); ++i)
      if (is_active(space_, i, assignment))
        assignment.push_back(
            {space_.parameters[i].name, decode(space_.parameters[i].expression, unit)});
    return Proposal{std::move(assignment), "halving the interval"};
  }

  std::string describe() const override { return "halving the interval"; }

 private:
  SearchSpace space_;
};

std::vector<Subject> subjects() {
  std::vector<Subject> result;
  for (const AlgorithmInfo& info : sampler_algorithms()) {
    const std::string name(info.name);
    result.push_back({name, [name](const SearchSpace& space, std::uint64_t seed) {
                        SamplerContext context;
                        context.seed = seed;
                        context.max_total_runs = 100;
                        context.max_concurrent_runs = 4;
                        return make_sampler({name, {}}, space, context);
                      }});
  }
  result.push_back({"a sampler of one's own", [](const SearchSpace& space, std::uint64_t) {
                      return Result(std::shared_ptr<Sampler>(std::make_shared<Halving>(space)));
                    }});
  return result;
}

// ---- the spaces --------------------------------------------------------------------------------

Value text(const char* chars) { return std::string(chars); }

const Choice kOptimizers{{text("sgd"), text("adam"), text("none")}};
const Choice kColours{{text("red"), text("green"), text("blue")}};

struct NamedSpace {
  std::string name;
  SearchSpace space;
};

const std::vector<NamedSpace>& spaces() {
  static const std::vector<NamedSpace> kSpaces{
      {"choices",
       {{{"--colour", kColours},
         {"size", Choice{{std::int64_t{1}, std::int64_t{2}, 2.5, true, Json{"[64,64]"}}}}}}},
      {"one option", {{{"only", Choice{{text("this")}}}}}},
      {"one parameter", {{{"colour", kColours}}}},
      {"choices of one option",
       {{{"a", Choice{{1.5}}}, {"colour", kColours}, {"c", Choice{{true}}}}}},
      {"finite lattices",
       {{{"q", QUniform{0, 10, 2}}, {"n", RandInt{3}}, {"l", QLogUniform{-1, 2, 1}}}}},
      {"one real", {{{"x", Uniform{-1, 1}}}}},
      {"an option that is no number",
       {{{"fill", Choice{{0.0, std::numeric_limits<double>::quiet_NaN(), 1.0}}}}}},
      {"plain bounds",
       {{{"lr", LogUniformValues{1e-5, 0.1}},
         {"units", IntLogUniform{1, 64}},
         {"layers", IntUniform{-2, 3}},
         {"batch", QLogUniformValues{8, 256, 8}}}}},
      {"logarithmic integers", {{{"n", IntLogUniform{1, 12}}}}},
      {"many integers",
       {{{"n", IntUniform{-1000000, 1000000}},
         {"m", IntLogUniform{1, 1000000}},
         {"x", Uniform{0, 1}}}}},
      {"HyperDrive's ten expressions",
       {{{"choice", kColours},
         {"randint", RandInt{5}},
         {"uniform", Uniform{-1, 1}},
         {"quniform", QUniform{1, 10, 4}},
         {"loguniform", LogUniform{-6, -1}},
         {"qloguniform", QLogUniform{0, 5, 3}},
         {"normal", Normal{0, 1}},
         {"qnormal", QNormal{0, 2, 0.5}},
         {"lognormal", LogNormal{0, 1}},
         {"qlognormal", QLogNormal{1, 1, 2}}}}},
      {"a finite conditional space",
       {{{"optimizer", kOptimizers},
         {"momentum", Choice{{0.5, 0.9}}, {{"optimizer", text("sgd")}}},
         {"warmup", Choice{{true, false}}, {{"optimizer", text("adam")}}},
         {"steps", Choice{{1.0, 2.0, 4.0}}, {{"warmup", true}}},
         {"colour", kColours}}}},
      {"a conditional space",
       {{{"optimizer", kOptimizers},
         {"lr", LogUniform{-7, 0}, {{"optimizer", text("sgd")}}},
         {"momentum", QUniform{0, 1, 0.25}, {{"optimizer", text("sgd")}}},
         {"lr", LogUniform{-9, -2}, {{"optimizer", text("adam")}}},
         {"layers", Choice{{1.0, 2.0, 3.0}}},
         {"skip", Choice{{true, false}}, {{"layers", 3.0}}},
         {"gate", Uniform{0, 1}, {{"skip", true}}}}}},
  };
  return kSpaces;
}

bool only_choices(const SearchSpace& space) {
  return std::all_of(space.parameters.begin(), space.parameters.end(),
                     [](const Parameter& parameter) {
                       return std::holds_alternative<Choice>(parameter.expression);
                     });
}

// Calls `test(space, make)` for each sampler and each space it takes; `make(seed)` gives a fresh sampler.
using Make = std::function<std::shared_ptr<Sampler>(std::uint64_t seed)>;
void for_each_case(const std::function<void(const SearchSpace&, const Make&)>& test) {
  for (const Subject& subject : subjects())
    for (const auto& [name, space] : spaces()) DYNAMIC_SECTION(subject.name << " over " << name) {
        if (const auto made = subject.make(space, 1); !made) {
          CHECK_FALSE(made.error().what.empty());
          CHECK_FALSE(only_choices(space));
          continue;
        }
        test(space,
             [&, &chosen = space](std::uint64_t seed) { return *subject.make(chosen, seed); });
      }
}

// ---- sweeps without a scheduler ------------------------------------------------------------------

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What became of each run: every kind of end, and every kind of report.
struct Fate {
  std::vector<double> reports;
  RunStatus status;
  EndCause cause;
};
const std::vector<Fate> kFates{
    {{0.1, 0.5, 0.4}, RunStatus::completed, EndCause::exited},
    {{kNan}, RunStatus::completed, EndCause::exited},
    {{}, RunStatus::failed, EndCause::not_started},
    {{0.3, kInfinity, -kInfinity}, RunStatus::canceled, EndCause::policy},
    {{1e300, -1e300}, RunStatus::failed, EndCause::signaled},
    {{}, RunStatus::completed, EndCause::exited},
    {{0.2}, RunStatus::running, EndCause::none},
    {{}, RunStatus::queued, EndCause::none},
    {{}, RunStatus::canceled, EndCause::user},
};

const Fate& fate_of(RunId id) { return kFates[static_cast<std::size_t>(id) % kFates.size()]; }

void add(History& history, const Assignment& parameters) {
  Run run;
  run.id = history.size();
  run.parameters = parameters;
  history.add(std::move(run));
}

void end(History& history, RunId id) {
  const auto& [reports, status, cause] = fate_of(id);
  if (status == RunStatus::queued) return;
  history.set_status(id, RunStatus::running);
  for (const double value : reports) history.report(id, value);
  if (status != RunStatus::running) history.set_status(id, status, cause);
}

Proposal propose(Sampler& sampler, const History& history) {
  auto proposal = sampler.propose(history, history.size());
  if (!proposal) FAIL(proposal.error().message());
  return *std::move(proposal);
}

// Up to `count` runs, each proposed on a history in which all earlier ones met their fates.
std::vector<Assignment> sweep(Sampler& sampler, History& history, int count) {
  std::vector<Assignment> proposed;
  for (int i = 0; i < count; ++i) {
    const Proposal proposal = propose(sampler, history);
    if (!proposal.parameters) break;
    proposed.push_back(*proposal.parameters);
    add(history, *proposal.parameters);
    end(history, history.size() - 1);
  }
  return proposed;
}

// The same runs and reports, with the runs reporting in turns and the last one first.
History rebuilt(const std::vector<Assignment>& proposed) {
  History history(Goal::maximize);
  for (const Assignment& parameters : proposed) add(history, parameters);
  for (RunId id = history.size(); id-- > 0;)
    if (fate_of(id).status != RunStatus::queued) history.set_status(id, RunStatus::running);
  for (std::size_t turn = 0; turn < 3; ++turn)
    for (RunId id = history.size(); id-- > 0;)
      if (turn < fate_of(id).reports.size()) history.report(id, fate_of(id).reports[turn]);
  for (RunId id = 0; id < history.size(); ++id)
    if (is_terminal(fate_of(id).status))
      history.set_status(id, fate_of(id).status, fate_of(id).cause);
  return history;
}

constexpr int kRuns = 20;

}  // namespace

TEST_CASE("Every proposal is a point of the space, in its order, with a reason") {
  for_each_case([](const SearchSpace& space, const Make& make) {
    const auto sampler = make(7);
    CHECK_FALSE(sampler->describe().empty());
    History history(Goal::minimize);
    for (int i = 0; i < kRuns; ++i) {
      const Proposal proposal = propose(*sampler, history);
      CHECK_FALSE(proposal.reason.empty());
      if (!proposal.parameters) break;
      const auto fits = check(space, *proposal.parameters);
      if (!fits) FAIL(fits.error().message());
      std::size_t k = 0;
      for (std::size_t p = 0; p < space.parameters.size(); ++p)
        if (is_active(space, p, *proposal.parameters))
          CHECK((*proposal.parameters).at(k++).name == space.parameters[p].name);
      CHECK(k == proposal.parameters->size());
      add(history, *proposal.parameters);
      end(history, history.size() - 1);
    }
    CHECK(history.size() >= 1);
  });
}

TEST_CASE("The same history and run give the same proposal, however often and by whomever asked") {
  for_each_case([](const SearchSpace&, const Make& make) {
    const auto sampler = make(7);
    History history(Goal::maximize);
    for (int i = 0; i < kRuns; ++i) {
      const Proposal first = propose(*sampler, history);
      const Proposal again = propose(*sampler, history);
      const Proposal fresh = propose(*make(7), history);
      CHECK(again.parameters == first.parameters);
      CHECK(again.reason == first.reason);
      CHECK(fresh.parameters == first.parameters);
      CHECK(fresh.reason == first.reason);
      if (!first.parameters) break;
      add(history, *first.parameters);
      end(history, history.size() - 1);
    }
  });
}

TEST_CASE("Preparing while runs train changes no proposal") {
  for_each_case([](const SearchSpace&, const Make& make) {
    const auto prepared = make(7), plain = make(7);
    History history(Goal::maximize);
    for (int i = 0; i < 3 * kRuns; ++i) {
      const Proposal proposal = propose(*prepared, history);
      const Proposal expected = propose(*plain, history);
      CHECK(proposal.parameters == expected.parameters);
      CHECK(proposal.reason == expected.reason);
      if (!expected.parameters) break;
      add(history, *expected.parameters);
      prepared->prepare(history);
      end(history, history.size() - 1);
      // For what will not be asked, as where several results come at once.
      if (i % 7 == 0) prepared->prepare(history);
    }
  });
}

TEST_CASE("The order in which runs reported does not matter") {
  for_each_case([](const SearchSpace&, const Make& make) {
    const auto sampler = make(7);
    History history(Goal::maximize);
    const auto proposed = sweep(*sampler, history, kRuns);
    const History other = rebuilt(proposed);
    CHECK(propose(*make(7), other).parameters == propose(*sampler, history).parameters);
  });
}

TEST_CASE("Nothing stays behind of a history that was asked about before") {
  for_each_case([](const SearchSpace&, const Make& make) {
    const auto sampler = make(7);
    History longer(Goal::maximize);
    const auto proposed = sweep(*sampler, longer, kRuns);
    propose(*sampler, longer);
    for (std::size_t length = 0; length < proposed.size(); ++length) {
      const History shorter =
          rebuilt({proposed.begin(), proposed.begin() + static_cast<std::ptrdiff_t>(length)});
      CHECK(propose(*sampler, shorter).parameters == propose(*make(7), shorter).parameters);
    }
  });
}

TEST_CASE("A whole sweep comes out the same for the same seed") {
  for_each_case([](const SearchSpace&, const Make& make) {
    History first(Goal::maximize), second(Goal::maximize);
    CHECK(sweep(*make(99), first, kRuns) == sweep(*make(99), second, kRuns));
  });
}

TEST_CASE("A sweep that was interrupted goes on as if it had not been") {
  for_each_case([](const SearchSpace&, const Make& make) {
    History whole(Goal::maximize), parts(Goal::maximize);
    const auto expected = sweep(*make(5), whole, kRuns);
    auto actual = sweep(*make(5), parts, kRuns / 3);
    const auto rest = sweep(*make(5), parts, kRuns - kRuns / 3);
    actual.insert(actual.end(), rest.begin(), rest.end());
    CHECK(actual == expected);
  });
}

TEST_CASE("A finite space is tried point by point, then exhausted with a reason, and stays so") {
  for_each_case([](const SearchSpace& space, const Make& make) {
    const auto size = cardinality(space);
    if (!size) return;
    const auto sampler = make(3);
    History history(Goal::maximize);
    const auto proposed = sweep(*sampler, history, 3 * static_cast<int>(*size));
    CHECK(proposed.size() == *size);
    std::set<std::string> distinct;
    for (const Assignment& assignment : proposed) distinct.insert(to_json(assignment));
    CHECK(distinct.size() == *size);
    for (int i = 0; i < 2; ++i) {
      const Proposal last = propose(*sampler, history);
      CHECK_FALSE(last.parameters);
      CHECK_FALSE(last.reason.empty());
    }
  });
}

TEST_CASE("An infinite space is never exhausted") {
  for_each_case([](const SearchSpace& space, const Make& make) {
    if (cardinality(space)) return;
    History history(Goal::maximize);
    CHECK(sweep(*make(3), history, 50).size() == 50);
  });
}

TEST_CASE("Runs without a usable metric do not stop a sampler, under either goal") {
  for_each_case([](const SearchSpace& space, const Make& make) {
    for (const Goal goal : {Goal::minimize, Goal::maximize})
      for (const Fate& fate : kFates) {
        const auto sampler = make(11);
        History history(goal);
        for (int i = 0; i < kRuns; ++i) {
          const Proposal proposal = propose(*sampler, history);
          if (!proposal.parameters) break;
          REQUIRE(check(space, *proposal.parameters));
          add(history, *proposal.parameters);
          const RunId id = history.size() - 1;
          if (fate.status == RunStatus::queued) continue;
          history.set_status(id, RunStatus::running);
          for (const double value : fate.reports) history.report(id, value);
          if (is_terminal(fate.status)) history.set_status(id, fate.status, fate.cause);
        }
        CHECK(history.size() >= 1);
      }
  });
}

TEST_CASE("Runs whose parameters came from elsewhere do not disturb a sampler") {
  for_each_case([](const SearchSpace& space, const Make& make) {
    const auto sampler = make(13);
    History history(Goal::maximize);
    add(history, {});
    add(history, {{"unknown", text("value")}});
    Assignment outside;
    for (const Parameter& parameter : space.parameters)
      outside.push_back({parameter.name, text("?")});
    add(history, outside);
    for (RunId id = 0; id < 3; ++id) end(history, id);
    const Proposal proposal = propose(*sampler, history);
    REQUIRE(proposal.parameters);
    CHECK(check(space, *proposal.parameters));
  });
}
