// SPDX-License-Identifier: Apache-2.0
//
// Where to try next: the point of largest expected improvement.
//
// Internal to sampling/. Pure: the random numbers come from the stream of the run. Uses TBB's
// threads where there is enough to do; the answer does not depend on their number.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "hdrive/history.h"
#include "hdrive/random.h"
#include "sampling/encoding.h"
#include "sampling/gp/lbfgs.h"
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
  std::size_t raw = 768;   ///< points looked at first
  std::size_t starts = 5;  ///< of them improved
  int iterations = 15;
  int rounds = 2;          ///< of real coordinates after discrete ones
  std::size_t climbs = 5;  ///< so many of the starts are improved in their discrete coordinates too
  std::optional<std::size_t> fixed = {};  ///< a dimension that stays as it is at the starts
};

/// Noise of this variance, where all values have variance 1, is what a model needs to be solvable,
/// and says nothing about repeating a run.
inline constexpr double kNumericalNoise = 1e-4;

/// One option of a category.
struct Option {
  std::size_t dimension = 0, position = 0;
};

/// Points that a model looked at before its newest result was there.
struct Pool {
  std::vector<Coordinates> points;
  Model::Prepared prepared;  ///< of the same points in the same order
  void add(Pool other);
};

class Search {
 public:
  /// `model` includes pending runs; `best` is the value to improve on; `good` are points to look
  /// around.
  Search(const Encoding& encoding, const Model& model, double best, std::vector<Coordinates> good);

  /// From here on a point for which this is false promises nothing.
  void admit_only(std::function<bool(const Coordinates&)> is_admitted) {
    is_admitted_ = std::move(is_admitted);
  }

  /// The points to look at first. `seed` and `run` name the stream.
  std::vector<Coordinates> raw_points(std::uint64_t seed, RunId run, std::size_t count) const;
  /// Makes points ready for this model, before or after its newest run is observed.
  Pool pool(std::vector<Coordinates> points) const;

  /// Candidates, best first: improved ones, and those of the pool and `more` points.
  std::vector<Candidate> run(const Pool& pool, std::uint64_t seed, RunId run, SearchOptions options,
                             std::vector<Coordinates> more = {}) const;

  /// The point with this option, and what the option brings with it.
  Coordinates with_option(Coordinates point, Option option) const;
  /// These points with their predictions, best first, ties in their order.
  std::vector<Candidate> rank(std::vector<Coordinates> points) const;
  std::vector<Candidate> rank(const Pool& pool) const;
  /// Points near `around`, as they are among the raw ones.
  std::vector<Coordinates> near(const Coordinates& around, std::size_t count, std::uint64_t seed,
                                RunId run) const;

 private:
  Coordinates perturbed(const Coordinates& around, RandomStream& random) const;
  double initial_value(std::size_t dimension) const;
  std::vector<Candidate> starts(const std::vector<Candidate>& ranked, RandomStream& random,
                                std::size_t count) const;
  bool has_kind(Dimension::Kind kind) const;
  void improve_real(std::vector<Candidate>& candidates, int iterations) const;
  std::vector<Lbfgs> climbs_from(const std::vector<Candidate>& candidates, int iterations) const;
  bool climb(std::vector<Lbfgs>& climbs, std::vector<Candidate>& best) const;
  bool improve_discrete(std::vector<Candidate>& candidates, const SearchOptions& options,
                        RandomStream& random) const;
  template <class Work>
  void for_blocks(std::size_t points, Work work) const;
  void evaluate(std::vector<Candidate>& candidates) const;
  double promise(const Coordinates& point, const Model::Prediction& prediction) const;
  struct LogImprovement {
    double value = 0;
    double by_mean = 0, by_variance = 0;  // its derivatives
  };
  LogImprovement log_improvement(const Model::Prediction& prediction) const;

  const Encoding& encoding_;
  const Model& model_;
  double best_;
  std::vector<Coordinates> good_;
  std::function<bool(const Coordinates&)> is_admitted_;  // empty: all are
};

}  // namespace hdrive::sampling::gp
