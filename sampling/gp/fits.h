// SPDX-License-Identifier: Apache-2.0
//
// Fits: the hyperparameters for a history, without fitting from nothing each time and yet the same
// whoever asks and whatever was asked before.
//
// Internal to sampling/. One thread at a time. What it remembers is only ever used for equal
// evidence.
//
// Checkpoints lie at run numbers that grow by a tenth. The hyperparameters at a checkpoint are
// fitted to the runs before it, starting from those at the checkpoint before; every eighth starts
// from the priors' modes instead. So they are a function of the history, and a restarted sweep
// finds them by at most eight fits. Up to kEveryResult results a last fit to all runs starts from
// the latest checkpoint.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "hdrive/random.h"
#include "sampling/gp/evidence.h"

namespace hdrive::sampling::gp {

/// The noise where there is said to be none.
inline constexpr double kNoNoise = 1e-6;

class Fits {
 public:
  Fits(Prior prior, std::uint64_t seed, Warp warp, bool noise)
      : prior_(std::move(prior)), seed_(seed), warp_(warp), noise_(noise) {}

  /// For the observations of a history of `runs` runs, of which `all` is the dataset.
  Hyperparameters at(const std::vector<Observation>& observations, RunId runs, const Dataset& all);

 private:
  struct Remembered {
    std::uint64_t key = 0;
    Hyperparameters hyperparameters;
  };

  Hyperparameters fitted(const Dataset& data, const Hyperparameters& start, int iterations,
                         RunId purpose) const;

  Prior prior_;
  std::uint64_t seed_;
  Warp warp_;
  bool noise_;
  std::vector<Remembered> checkpoints_;  ///< by number
  Remembered last_;
};

/// At most `most` rows of the dataset in their order: the best third, and others drawn by `random`.
std::vector<std::size_t> representative_rows(const Training& training, std::size_t most,
                                             RandomStream& random);
/// At most `most` rows in their order: row `centre`, the best quarter, the newest eighth, and then
/// those nearest to `centre` by the lengthscales.
std::vector<std::size_t> rows_near(const Training& training, std::size_t most, std::size_t centre,
                                   const Hyperparameters& hyperparameters);
Training subset(const Training& training, const std::vector<std::size_t>& rows);

}  // namespace hdrive::sampling::gp
