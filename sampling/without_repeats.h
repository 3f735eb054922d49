// SPDX-License-Identifier: Apache-2.0
//
// WithoutRepeats: what the samplers that draw points do about a space of finitely many: none is
// tried twice.
//
// Points that the history holds are drawn again, then one of those that remain is picked, then the
// space is exhausted. That needs no memory beside the history. Internal to sampling/. Immutable
// after it was made.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/finite_space.h"
#include "hdrive/sampler.h"

namespace hdrive::sampling {

class WithoutRepeats {
 public:
  WithoutRepeats(const SearchSpace& space, std::uint64_t seed)
      : finite_(FiniteSpace::of(space)), seed_(seed) {}

  /// Whether the space is finite at all.
  bool applies() const { return finite_.has_value(); }

  /// What `draw` gives, called until it is new. On a space that is not finite it is called once.
  /// `how` begins the reason: "drawn at random, seed 7".
  Proposal propose(const History& history, RunId id, const std::string& how,
                   const std::function<Assignment()>& draw) const;

  /// Whether all points of a finite space were tried.
  bool is_exhausted(const History& history) const;
  /// "the search space has only 12 parameter sets, and all were tried".
  std::string exhausted_text() const;

  /// The points that were not tried, by number, of a finite space of at most `most` points; none of a
  /// larger one.
  std::vector<std::uint64_t> untried(const History& history, std::uint64_t most) const;
  /// The point of this number.
  Assignment point(std::uint64_t index) const { return finite_->point(index); }

  /// "12 parameter sets", "more than 2^63 parameter sets". Requires `applies()`.
  std::string size_text() const;

 private:
  std::uint64_t size() const;
  Proposal pick_remaining(const History& history, RunId id, const std::string& how) const;

  std::optional<FiniteSpace> finite_;
  std::uint64_t seed_;
};

}  // namespace hdrive::sampling
