// SPDX-License-Identifier: Apache-2.0
//
// Evidence: what the runs of a history tell a model.
//
// Internal to sampling/. Computed from the history alone, in the order of run numbers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "hdrive/history.h"
#include "sampling/encoding.h"
#include "sampling/gp/model.h"
#include "sampling/gp/warp.h"
#include "sampling/outcomes.h"

namespace hdrive::sampling::gp {

/// What one run tells.
struct Observation {
  /// Of a partial one `value` is what the run would probably have come to; `nothing` is also a run
  /// whose parameters are not of the space, or of which that cannot be inferred.
  using Kind = OutcomeKind;
  Kind kind = Kind::pending;
  RunId run = 0;
  std::shared_ptr<const Coordinates> point;  ///< nothing: not of the space
  double value = 0;                          ///< smaller is better
};

/// The variance of a value that was not seen to the end, where all values have variance 1.
inline constexpr double kPartialDoubt = 0.1;

/// How final values follow from early ones: the completed runs' best values after N reports, and at
/// the end.
class Curves {
 public:
  explicit Curves(std::vector<RunId> completed = {}) : completed_(std::move(completed)) {}

  /// In ascending order.
  const std::vector<RunId>& completed() const { return completed_; }
  /// Becomes that of these runs, at little cost where they are nearly the same.
  void follow(const History& history, std::vector<RunId> completed);
  /// What a run with this best value (smaller is better) after `reports` reports would have come
  /// to.
  std::optional<double> expected(const History& history, double value, std::int64_t reports);

 private:
  struct Ranked {
    std::vector<double> early, final;
  };
  const Ranked& at(const History& history, std::int64_t reports);
  static std::optional<std::pair<double, double>> values(const History& history, RunId run,
                                                         std::int64_t reports);

  std::vector<RunId> completed_;
  std::map<std::int64_t, Ranked> ranked_;
};

/// Makes observations of the runs of a history, and keeps those of runs that have ended. A run that
/// was stopped early or crashed is ranked among the completed ones by what it had reached: if it was
/// better than 40 % of them were after as many reports, it counts as the 40 % quantile of their
/// final values, and never as worse than it was. Where no completed run has as many reports, one
/// that was stopped tells nothing; one that crashed, what it had reached.
class Observer {
 public:
  /// The encoding must outlive it.
  explicit Observer(const Encoding& encoding) : encoding_(encoding) {}

  enum class Newest {
    included,  ///< counts like the others
    held_out,  ///< is seen as if its run had not ended
  };
  /// One observation for each run, in the order of their numbers. Valid until the next call. The
  /// newest result is that of the run that ended last; of several the one proposed last.
  const std::vector<Observation>& update(const History& history, Newest newest);

  /// What was held out in the last update.
  const std::optional<Observation>& held_out() const { return held_out_; }
  /// Equal for equal observations of one history.
  std::uint64_t digest() const { return digest_; }

 private:
  // What follows from a run as it was when it was looked at.
  struct Seen {
    Time ended{};
    bool completed = false;  // with a value
  };
  void observe_run(const History& history, RunId run);
  std::vector<RunId> observe_changes(const History& history);
  void reset();
  Observation observation_of(const History& history, RunId run);
  void replace(Observation observation);
  Observation& of(RunId run) { return observations_[static_cast<std::size_t>(run)]; }
  std::vector<RunId> completed(std::optional<RunId> except) const;

  const Encoding& encoding_;
  std::pair<std::uint64_t, std::int64_t>
      history_{};  // its identity, and how often a run of it began again
  std::vector<Observation> observations_;
  std::uint64_t digest_ = 0;
  std::vector<Seen> seen_;
  std::vector<RunId> pending_,
      partial_;  // those that had not ended, and those that were stopped early
  std::optional<RunId> last_;
  Curves curves_;
  std::optional<Observation> held_out_;
};

/// What all runs tell.
std::vector<Observation> observe(const History& history, const Encoding& encoding);

/// What a model of them learns from, and the way back to the user's unit.
struct Dataset {
  Training training{Points(0), {}, {}, {}};
  std::vector<RunId> runs;     ///< of each row of the training
  std::vector<double> values;  ///< the same rows' values, smaller is better; NaN for failures
  std::vector<bool> is_final;  ///< of the same rows: whether the value was seen, not inferred
  int good = 0;                ///< runs with a final value
  int failures = 0, partials = 0;

  /// The value, smaller is better, that the warp takes to about `score`.
  double unwarped(double score) const;
  /// The score of a value that came later: between those of its neighbours, or by the slope at the
  /// end, but never worse than the worst, nor better than the best by more than 8.
  double score(double value) const;
  double failure_score = 0;  ///< of a run that failed

  struct Known {
    double score, value;
  };
  std::vector<Known> known;  ///< finite values and their scores, both strictly ascending
};

/// The observations with a run number below `before`.
Dataset learn_from(const std::vector<Observation>& observations, RunId before,
                   std::size_t dimensions, Warp warp);

}  // namespace hdrive::sampling::gp
