// SPDX-License-Identifier: Apache-2.0
//
// Seal: a digest of all that a sweep's database tells, kept with it, so that a damaged one is never taken
// for a sound one.
//
// Each fact (a metric, a run's start, its latest verdict of a kind, ...) has a hash of 64 bits; the digest is
// their sum, so that the order of reading does not matter and a fact that replaces another costs one
// subtraction. The engine adds what it appends, a reader adds what a replay tells, and both must agree: a
// flipped bit, a missing page, a page of an earlier moment show, as 1 in 2^64 does not. It is no protection
// against somebody who means harm. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "hdrive/store.h"
#include "store/metric_summary.h"

namespace hdrive::store {

class Seal {
 public:
  /// `as_appended`: times are as the caller has them, and may lose digits on their way into the file.
  enum class Source { as_appended, as_stored };
  /// `first`: the run it begins with; earlier ones are not told of.
  explicit Seal(Source source, RunId first = 0) : source_(source), first_(first) {}

  /// From now on facts come from there.
  void continue_with(Source source) { source_ = source; }

  /// In the order of the store's contract.
  void add(const Change& change);
  /// The two halves of RunMetrics, for a reader that tells only some of the metrics.
  void add_metric(RunId run, int attempt, std::string_view name, double value,
                  const std::optional<std::int64_t>& step, Time time);
  void add_report(const RunMetrics& batch);

  /// What was added since `mark` is taken out again by `undo`; one mark at a time.
  void mark();
  void undo();

  std::uint64_t digest() const { return digest_; }
  /// Of what the run's row tells: its proposal and its current attempt, without metrics and verdicts.
  std::uint64_t facts(RunId run) const;
  /// Of the metrics of its current attempt.
  std::uint64_t metrics(RunId run) const;
  /// Of one metric of a run in short, for adding up.
  static std::uint64_t of(RunId run, std::int64_t name, const MetricSummary& summary);

  /// The constant facts have a digest of their own.
  static std::uint64_t of(const SweepHeader& header, Source source);

 private:
  // What a run's current attempt has one of; a later one takes its place.
  // Those up to kEnded are facts of the run's row.
  enum Slot {
    kProposed,
    kRequeued,
    kStarted,
    kReported,
    kCanceling,
    kEnded,
    kKept,
    kStopped,
    kMetrics,
    kSlots
  };
  using Slots = std::array<std::uint64_t, kSlots>;

  class Hash;
  std::uint64_t metric(RunId run, int attempt, std::string_view name, double value,
                       const std::optional<std::int64_t>& step, Time time) const;
  Slots* change(RunId run);
  void put(RunId run, Slot slot, std::uint64_t hash);
  void put_metrics(RunId run, std::uint64_t sum);

  void take(const RunProposed& it);
  void take(const RunStarted& it);
  void take(const RunMetrics& it);
  void take(const RunJudged& it);
  void take(const RunCanceling& it);
  void take(const RunEnded& it);
  void take(const RunRequeued& it);
  void take(const SweepChanged& it);
  void take(const Noted& it);
  void take(const SweepEdited& it);
  void take(const RequestAnswered&) {}  // is not told by a replay

  struct Before {
    std::size_t run;
    Slots slots;
  };

  Source source_;
  RunId first_;
  std::uint64_t digest_ = 0;
  std::vector<Slots> runs_;
  // As it was at the mark.
  std::uint64_t marked_digest_ = 0;
  std::size_t marked_runs_ = 0;
  std::vector<Before> before_;
};

}  // namespace hdrive::store
