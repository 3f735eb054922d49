// SPDX-License-Identifier: Apache-2.0
//
// Sweeps without a scheduler: a sampler, a history, and what was proposed.
#pragma once

#include <string>
#include <vector>

#include "hdrive/sampler.h"
#include "tests/catch.h"

namespace hdrive::trials {

inline void add(History& history, Assignment parameters) {
  Run run;
  run.id = history.size();
  run.parameters = std::move(parameters);
  history.add(std::move(run));
}

/// A history in which these parameter sets were tried.
inline History history_of(const std::vector<Assignment>& tried) {
  History history(Goal::maximize);
  for (const Assignment& parameters : tried) add(history, parameters);
  return history;
}

inline std::shared_ptr<Sampler> sampler(const std::string& name, const SearchSpace& space,
                                        std::uint64_t seed = 42) {
  SamplerContext context;
  context.seed = seed;
  auto made = make_sampler({name, {}}, space, context);
  if (!made) FAIL(made.error().message());
  return *std::move(made);
}

inline Proposal propose(Sampler& from, const History& history) {
  auto proposal = from.propose(history, history.size());
  if (!proposal) FAIL(proposal.error().message());
  return *std::move(proposal);
}

/// Asks and adds up to `count` times, or until the space is exhausted.
inline std::vector<std::string> run(Sampler& from, History& history, int count) {
  std::vector<std::string> proposed;
  for (int i = 0; i < count; ++i) {
    Proposal proposal = propose(from, history);
    if (!proposal.parameters) break;
    proposed.push_back(to_json(*proposal.parameters));
    add(history, *std::move(proposal.parameters));
  }
  return proposed;
}

}  // namespace hdrive::trials
