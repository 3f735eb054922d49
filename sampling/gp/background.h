// SPDX-License-Identifier: Apache-2.0
//
// Background: the latest precomputation, made on a thread of its own while runs are training, or else
// when it is asked for. Whether it was made ahead does not change what it is.
//
// Internal to sampling/. One thread at a time calls it; the destructor waits for the other one.
#pragma once

#include <future>
#include <memory>
#include <optional>

#include "sampling/gp/precomputation.h"

namespace hdrive::sampling::gp {

class Background {
 public:
  Background(Precomputer maker, Fits fits) : maker_(std::move(maker)), fits_(std::move(fits)) {}

  /// Whether it is still at what was asked before.
  bool is_busy() const;
  /// Begins to make the precomputation, unless it is busy or no thread can be had.
  void start(std::shared_ptr<const PrecomputationInput> input);
  /// That of this run and these observations, if it was made last or is being made. Valid until
  /// the next call of anything here.
  const Precomputation* find(RunId id, std::uint64_t digest);
  /// Made now.
  const Precomputation& make(std::shared_ptr<const PrecomputationInput> input);

 private:
  struct Made {
    Precomputation work;
    Fits fits;
  };
  void collect();

  Precomputer maker_;
  Fits fits_;  ///< what is remembered of earlier fits; with the thread while it works
  Precomputation latest_;
  std::shared_ptr<const PrecomputationInput> asked_;
  std::future<Made> made_;  // the last, so that it has ended before anything it uses does
};

}  // namespace hdrive::sampling::gp
