// SPDX-License-Identifier: Apache-2.0
//
// MetricRows: writes what runs log. Values go to `metric_values` under a key that keeps those of one run
// together, names once to `metric_names`, and what is asked most often (how many, the last, the least, the
// greatest) to `run_metrics`, so that nobody has to read the values for it. What is kept in short has digests by run
// and by metric, kept up as it changes: the figures of runs that go on are therefore kept in memory.
//
// Reports of one append are gathered and written by `flush`, run by run: one write for each value, and one for
// each metric of each run, however many reports there were. Used inside the transaction of an append; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hdrive/changes.h"
#include "store/database.h"
#include "store/metric_summary.h"
#include "store/seal.h"

namespace hdrive::store {

/// The key of a value: its run's number, and which value of the run it is, over all attempts and metrics.
constexpr std::int64_t metric_key(RunId run, std::int64_t place) { return (run << 32) | place; }
constexpr RunId run_of_key(std::int64_t key) { return key >> 32; }

class MetricRows {
 public:
  explicit MetricRows(Database& database) : database_(database) {}

  /// Reads what is there. Before anything else.
  Result<void> load();

  /// The append begins; `undo` goes back to here.
  void mark();
  void undo();

  /// The next run is there.
  void proposed() { counts_.push_back(0); }
  Result<void> add(const RunMetrics& metrics);
  /// The run changed in a way that no row of its own tells.
  void touch(RunId run) { of(run); }
  /// The run has ended: hardly anything more of it comes.
  void ended(RunId run) { ended_.push_back(run); }
  /// Writes what was gathered; `step` is the number of the append.
  Result<void> flush(std::int64_t step, const Seal& seal);
  /// A new attempt begins, after a flush: what was logged before is no longer the run's.
  Result<void> forget(RunId run);

  /// Sum of the digests of all names.
  std::uint64_t names_digest() const { return names_digest_; }

 private:
  struct Value {
    std::int64_t key;
    int attempt;
    std::int64_t name;
    std::optional<std::int64_t> step;
    double value;
    Time time;
  };
  struct Name {
    std::int64_t number;
    std::string text;
    std::uint64_t digest = 0;  // of its rows in run_metrics
    bool changed = false;      // since it was written
  };
  struct Figure {
    std::size_t name;  // its place in names_
    MetricSummary summary;
    std::uint64_t digest = 0;  // as it was written last; 0: it was not
    bool changed = false;
  };
  // What a run has logged in its current attempt.
  struct Figures {
    std::vector<Figure> of;
    std::uint64_t digest = 0;
  };
  struct Gathered {
    RunId run = 0;
    struct Report {
      std::string cursor;
      Time at{};
    };
    std::optional<Report> report;  // the last
  };
  struct NameBefore {
    std::size_t place;
    std::uint64_t digest;
  };

  Result<std::size_t> place_of(const std::string& name);
  Result<Figures*> figures_of(RunId run);
  Gathered& of(RunId run);
  void count(Name& name, std::uint64_t digest_before, std::uint64_t digest_now);
  Result<void> write_values();
  Result<void> write_figures(RunId run, Figures& figures);
  Result<void> write_run(const Gathered& run, std::int64_t step, const Seal& seal);
  Result<void> write_names();

  Database& database_;
  std::vector<Name> names_;
  std::unordered_map<std::string, std::size_t> places_of_names_;
  std::uint64_t names_digest_ = 0;
  std::vector<std::int64_t> counts_;            // of the values of each run
  std::unordered_map<RunId, Figures> figures_;  // of runs that go on; read when they are needed
  // Of this append.
  std::vector<Value> values_;
  std::vector<Gathered> runs_;
  std::unordered_map<RunId, std::size_t> places_;  // in runs_
  std::vector<RunId> ended_;
  std::vector<RunId> touched_;  // of which the figures are not as they were
  std::vector<NameBefore> names_changed_;
  std::size_t names_before_ = 0;
  std::uint64_t names_digest_before_ = 0;
  std::vector<std::pair<RunId, std::int64_t>> counts_before_;
  std::size_t runs_before_ = 0;
};

}  // namespace hdrive::store
