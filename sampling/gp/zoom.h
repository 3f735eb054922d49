// SPDX-License-Identifier: Apache-2.0
//
// Zoom: the surroundings of the best run as a cube of their own. A model of the runs in there, with their
// values scaled anew, sees what the model of all runs takes for noise.
//
// After the trust regions of Eriksson, Pearce, Gardner, Turner, Poloczek, "Scalable global optimization via
// local Bayesian optimization", NeurIPS 2019. Deviation: how large the region is follows from where the
// runs are instead of from successes and failures, so there is no state: it shrinks by being searched.
//
// Internal to sampling/. Immutable after it was made; safe from any thread.
#pragma once

#include <optional>
#include <vector>

#include "sampling/gp/evidence.h"

namespace hdrive::sampling::gp {

class Zoom {
 public:
  /// The box of the runs nearest to the best. Nothing where too few have a value, or where no real
  /// parameter varies among them.
  static std::optional<Zoom> make(const Encoding& encoding,
                                  const std::vector<Observation>& observations);

  /// The observations in the box, as points of the cube.
  std::vector<Observation> into(const std::vector<Observation>& observations) const;
  /// Whether each category of the point has an option that one of the runs near the best has: of the
  /// others a model of these runs knows nothing.
  bool knows_options_of(const Coordinates& point) const;
  /// A point of the cube as one of the space.
  Coordinates out_of(Coordinates point) const;

 private:
  /// Of one dimension. Those that are not real are seen as they are.
  struct Side {
    double lower = 0, width = 1;
    std::vector<double> options = {};  ///< of a category: where the runs near the best are
  };

  bool contains(const Coordinates& point) const;
  Coordinates into(Coordinates point) const;

  std::vector<Side> sides_;
};

}  // namespace hdrive::sampling::gp
