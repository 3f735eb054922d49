// SPDX-License-Identifier: Apache-2.0
//
// Whole sweeps of a sampler on functions.
#pragma once

#include <functional>

#include "tests/unit/sampling/trials.h"

namespace hdrive::trials {

inline SearchSpace reals(int dimensions) {
  SearchSpace space;
  for (int i = 0; i < dimensions; ++i)
    space.parameters.push_back({"x" + std::to_string(i), Uniform{0, 1}});
  return space;
}

using Metric = std::function<double(const Assignment&, RunId)>;

inline void complete(History& history, RunId id, double value) {
  history.set_status(id, RunStatus::running);
  history.report(id, value);
  history.set_status(id, RunStatus::completed, EndCause::exited);
}

// Asks and tells one run at a time, until the space is exhausted at the latest.
inline void sweep(Sampler& from, History& history, int count, const Metric& metric,
                  const SearchSpace& space) {
  for (int i = 0; i < count; ++i) {
    const Proposal proposal = propose(from, history);
    if (!proposal.parameters) return;
    REQUIRE(check(space, *proposal.parameters));
    add(history, *proposal.parameters);
    const RunId id = history.size() - 1;
    complete(history, id, metric(history.run(id).parameters, id));
  }
}

}  // namespace hdrive::trials
