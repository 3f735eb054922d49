// SPDX-License-Identifier: Apache-2.0
//
// Background: the latest groundwork, made on a thread of its own while runs are training, or else
// when it is asked for. Whether it was made ahead does not change what it is.
//
// Internal to sampling/. One thread at a time calls it; the destructor waits for the other one.
#pragma once

#include <future>
#include <memory>
#include <optional>

#include "sampling/gp/groundwork.h"

namespace hdrive::sampling::gp {

class Background {
 public:
  Background(GroundworkMaker maker, Fits fits) : maker_(std::move(maker)), fits_(std::move(fits)) {}

  /// Whether it is still at what was asked before.
  bool is_busy() const;
  /// Begins to make the groundwork, unless it is busy or no thread can be had.
  void start(std::shared_ptr<const GroundworkInput> input);
  /// That of this run and these observations, if it was made last or is being made. Valid until
  /// the next call of anything here.
  const Groundwork* find(RunId id, std::uint64_t digest);
  /// Made now.
  const Groundwork& make(std::shared_ptr<const GroundworkInput> input);

 private:
  struct Made {
    Groundwork work;
    Fits fits;
  };
  void collect();

  GroundworkMaker maker_;
  Fits fits_;  ///< what is remembered of earlier fits; with the thread while it works
  Groundwork latest_;
  std::shared_ptr<const GroundworkInput> asked_;
  std::future<Made> made_;  // the last, so that it has ended before anything it uses does
};

}  // namespace hdrive::sampling::gp
