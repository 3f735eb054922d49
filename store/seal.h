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
#include <span>
#include <string_view>
#include <vector>

#include "hdrive/store.h"
#include "store/metric_summary.h"

namespace hdrive::store {

/// What is known of each run where only a few are looked at.
struct RunState {
  RunId run = 0;
  int attempt = 1;
  RunStatus status = RunStatus::queued;
  EndCause ended_by = EndCause::none;
  std::optional<Time> started, ended;
};

/// Digests of the parts of a sweep that are read without the rest: sums over all their rows, so that a row which is
/// missing shows as well as one that is wrong.
struct PartDigests {
  std::int64_t runs = 0;     ///< how many there are
  std::uint64_t states = 0;  ///< of all runs, each as a RunState
  std::uint64_t status = 0;  ///< of the sweep: its latest change; 0: there is none
  std::uint64_t changes = 0, notes = 0, edits = 0;

  bool operator==(const PartDigests&) const = default;
};

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

  std::uint64_t digest() const { return sums_.digest; }
  const PartDigests& parts() const { return sums_.parts; }
  /// Of what the run's row tells: its proposal and its current attempt, without metrics and verdicts.
  std::uint64_t facts(RunId run) const;
  /// Of the metrics of its current attempt, and of the latest verdicts on it.
  std::uint64_t metrics(RunId run) const;
  std::uint64_t verdicts(RunId run) const;

  // Digests of single rows, for adding up.

  /// Of one metric of a run in short.
  static std::uint64_t of(RunId run, std::string_view metric, const MetricSummary& summary);
  static std::uint64_t of(RunId run, int attempt, const Metric& metric);
  /// Of a metric's number and name.
  static std::uint64_t of_name(std::int64_t number, std::string_view name);
  static std::uint64_t of(const RunState& state);
  static std::uint64_t of(const SweepChanged& it, Source source);
  static std::uint64_t of(const Noted& it, Source source);
  /// Without the configuration.
  static std::uint64_t of_edit(std::string_view what, Time at, Source source);

  /// The constant facts have a digest of their own.
  static std::uint64_t of(const SweepHeader& header, Source source);
  /// Numbers in their order and a text, as those of a row.
  static std::uint64_t of(std::span<const std::int64_t> numbers, std::string_view text);

 private:
  // What a run's current attempt has one of; a later one takes its place.
  // Those up to kEnded are facts of the run's row.
  enum Slot {
    kProposed,
    kRequeued,
    kSubmitted,
    kContact,
    kStarted,
    kReported,
    kCanceling,
    kEnded,
    kKept,
    kStopped,
    kMetrics,
    // Not of the digest, but of that of all states.
    kState,
    kStateStarted,
    kSlots
  };
  using Slots = std::array<std::uint64_t, kSlots>;

  class Hash;
  static std::uint64_t of_state(RunId run, int attempt, RunStatus status, EndCause ended_by,
                                const std::optional<Time>& ended, Source source);
  static std::uint64_t of_start(RunId run, Time at, Source source);
  std::uint64_t metric(RunId run, int attempt, std::string_view name, double value,
                       const std::optional<std::int64_t>& step, Time time) const;
  Slots* change(RunId run);
  void put(RunId run, Slot slot, std::uint64_t hash);
  void put_metrics(RunId run, std::uint64_t sum);
  void put_state(RunId run, Slot slot, std::uint64_t hash);

  void take(const RunProposed& it);
  void take(const RunSubmitted& it);
  void take(const RunContact& it);
  void take(const RunStarted& it);
  void take(const RunMetrics& it);
  void take(const RunJudged& it);
  void take(const RunCanceling& it);
  void take(const RunEnded& it);
  void take(const RunRequeued& it);
  void take(const SweepChanged& it);
  void take(const Noted& it);
  void take(const SweepEdited& it);
  void take(const EarlierRunTaken& it);
  void take(const RequestAnswered&) {}  // is not told by a replay

  struct Before {
    std::size_t run;
    Slots slots;
  };

  Source source_;
  RunId first_;
  struct Sums {
    std::uint64_t digest = 0;
    PartDigests parts;
  };
  Sums sums_;
  std::vector<Slots> runs_;
  // As it was at the mark.
  Sums marked_;
  std::size_t marked_runs_ = 0;
  std::vector<Before> before_;
};

}  // namespace hdrive::store
