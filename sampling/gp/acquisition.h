// SPDX-License-Identifier: Apache-2.0
//
// Where to try next: the point of largest expected improvement.
//
// Internal to sampling/. Pure: the random numbers come from the stream of the run. Uses TBB's threads where
// there is enough to do; the answer does not depend on their number.
#pragma once

#include <functional>
#include <vector>

#include "hdrive/history.h"
#include "hdrive/random.h"
#include "sampling/gp/encoding.h"
#include "sampling/gp/model.h"

namespace hdrive::sampling::gp {

/// One point and what the model thinks of it.
struct Candidate {
  Coordinates point;
  Model::Prediction prediction;
  /// ln E[max(0, best - f)], in units of the standardised values, of which noise takes its share.
  double log_improvement = 0;
};

struct SearchOptions {
  int raw = 768;   ///< points looked at first
  int starts = 5;  ///< of them improved
  int iterations = 15;
  int rounds = 2;  ///< of real coordinates after discrete ones
};

class Search {
 public:
  /// `model` includes pending runs; `best` is the value to improve on; `good` are points to look around.
  Search(const Encoding& encoding, const Model& model, double best, std::vector<Coordinates> good);

  /// Candidates, best first: the improved ones and then the raw ones. `seed` and `run` name the stream.
  std::vector<Candidate> run(std::uint64_t seed, RunId run, SearchOptions options) const;

  /// These points with their predictions, best first, ties in their order.
  std::vector<Candidate> rank(std::vector<Coordinates> points) const;

 private:
  std::vector<Coordinates> raw_points(std::uint64_t seed, RunId run, int count) const;
  Coordinates perturbed(const Coordinates& around, RandomStream& random) const;
  double found(int dimension) const;
  std::vector<Candidate> starts(const std::vector<Candidate>& ranked, RandomStream& random,
                                int count) const;
  void improve_real(std::vector<Candidate>& candidates, int iterations) const;
  bool improve_discrete(std::vector<Candidate>& candidates, RandomStream& random) const;
  void evaluate(std::vector<Candidate>& candidates) const;

  const Encoding& encoding_;
  const Model& model_;
  double best_;
  std::vector<Coordinates> good_;
};

}  // namespace hdrive::sampling::gp
