// SPDX-License-Identifier: Apache-2.0
#include "sampling/samplers.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

SearchSpace space_of(int reals, int levels) {
  SearchSpace space;
  for (int i = 0; i < reals; ++i)
    space.parameters.push_back({"x" + std::to_string(i), Uniform{0, 1}});
  for (int i = 0; i < levels; ++i)
    space.parameters.push_back({"n" + std::to_string(i), RandInt{100}});
  return space;
}

// How many runs of a sweep the sampler says are its initial design.
int designed(const char* name, const SearchSpace& space, std::int64_t budget) {
  const auto from = *make_sampler({name, {}}, space, {Goal::minimize, 1, budget, 1});
  History history(Goal::minimize);
  int count = 0;
  for (RunId id = 0; id < 45; ++id) {
    const Proposal proposal = propose(*from, history);
    count += proposal.reason.starts_with("initial design");
    add(history, *proposal.parameters);
    history.set_status(id, RunStatus::running);
    history.report(id, static_cast<double>(id));
    history.set_status(id, RunStatus::completed, EndCause::exited);
  }
  return count;
}

}  // namespace

TEST_CASE("Every sampler that learns begins with as many runs, whatever the budget") {
  for (const std::int64_t budget : {9, 20, 40, 100, 1000})
    for (const SearchSpace& space : {space_of(3, 0), space_of(20, 0), space_of(2, 18)}) {
      INFO(budget << " runs, " << space.parameters.size() << " parameters");
      const auto expected = sampling::initial_runs(space, budget);
      CHECK(designed("tpe", space, budget) == expected);
      CHECK(designed("bayesian", space, budget) == expected);
    }
  CHECK(sampling::initial_runs(space_of(3, 0), 20) == 6);
  CHECK(sampling::initial_runs(space_of(3, 0), 5) == 3);
  CHECK(sampling::initial_runs(space_of(20, 0), 1000) == 10);
  CHECK(sampling::initial_runs(space_of(2, 18), 1000) == 40);
  CHECK(sampling::initial_runs(space_of(2, 18), 100) == 25);
}
