// SPDX-License-Identifier: Apache-2.0
//
// Precomputation: what a proposal needs that does not depend on the newest result, so that it can be
// computed while that run is still training.
//
// Internal to sampling/. Values once they are made; any thread may read them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sampling/gp/acquisition.h"
#include "sampling/gp/evidence.h"
#include "sampling/gp/fits.h"

namespace hdrive::sampling::gp {

/// What precomputation is computed from.
struct PrecomputationInput {
  RunId id = 0;                           ///< of the run to be proposed
  std::uint64_t digest = 0;               ///< of the observations
  std::vector<Observation> observations;  ///< the newest as pending
  std::vector<Coordinates> points = {};   ///< those left of a small finite space; else none
};

struct Precomputation {
  std::shared_ptr<const PrecomputationInput> input;
  Dataset data;
  std::vector<std::size_t> rows;  ///< of the dataset's training, which are modelled
  std::optional<Model>
      model;  ///< of these rows and all pending runs; nothing: no covariance was positive definite
  std::string fallback;  ///< what had to be done without, for the user; else empty
  struct Pending {
    RunId run;
    Eigen::Index row;  ///< of the model
  };
  std::vector<Pending> pending;
  Pool pool;  ///< points to look at first
};

/// The best runs that the model knows by its means, which noise does not flatter.
struct Incumbents {
  double best = 0;  ///< the mean at the best, to improve on
  RunId run = 0;
  std::vector<Coordinates> good;  ///< up to five points, best first
};
/// `newest`: a row of the model beyond the precomputation's, of a run that was observed since.
Incumbents incumbents(const Precomputation& work, const Model& model,
                      std::optional<Precomputation::Pending> newest);

/// A model of so few rows is searched in whole when its newest result is there.
inline constexpr std::size_t kFewRows = 150;
/// The search of a model of so many rows when its newest result is there.
SearchOptions short_search(std::size_t rows);
/// The one before, where there is time.
SearchOptions whole_search(std::size_t rows);

class Precomputer {
 public:
  Precomputer(const Encoding& encoding, const Prior& prior, std::uint64_t seed, Warp warp)
      : encoding_(encoding), prior_(prior), seed_(seed), warp_(warp) {}

  /// Safe from any thread, but for `fits`. Fewer than two results: the dataset alone.
  Precomputation make(std::shared_ptr<const PrecomputationInput> input, Fits& fits) const;
  /// The same with hyperparameters fitted from nothing, for runs of which there is no earlier fit.
  Precomputation make_anew(std::shared_ptr<const PrecomputationInput> input, bool noise) const;

 private:
  void add_pending(Precomputation& work, const Hyperparameters& fitted) const;
  void fill_pool(Precomputation& work) const;

  const Encoding& encoding_;
  const Prior& prior_;
  std::uint64_t seed_;
  Warp warp_;
};

}  // namespace hdrive::sampling::gp
