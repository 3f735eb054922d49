// SPDX-License-Identifier: Apache-2.0
//
// Mirror: all that happened in a sweep that is kept in memory, for reading from any thread while an
// engine goes on with it. Sweeps on disk are read through SweepReader instead.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/listener.h"
#include "hdrive/reader.h"
#include "hdrive/state.h"

namespace hdrive::python {

class Mirror final : public Listener {
 public:
  Mirror(std::string primary_metric, Goal goal);

  void on_change(const Change& change, const SweepState& state) override;

  std::int64_t size() const;
  /// Nothing where there is no such run.
  std::optional<StoredRun> run(RunId run) const;
  RunPage runs(const RunQuery& query) const;
  Series series(RunId run, const std::string& metric) const;
  std::optional<RunJudged> judged(RunId run) const;
  /// Calls `look` with the state, which stays as it is meanwhile.
  template <class Look>
  auto with_state(Look look) const {
    const std::lock_guard lock(mutex_);
    return look(state_);
  }

 private:
  struct Extra {
    bool start_point = false;
    std::int64_t pid = 0;
    std::optional<int> slot;
    std::optional<Duration> cpu_time;
    std::optional<std::int64_t> peak_memory;
    std::string stderr_tail;
    std::optional<RunJudged> judged;
    std::optional<Time> reported;
    std::map<std::string, std::vector<Series::Point>> series;
    std::vector<MetricFigures> figures;
  };

  void take(const RunMetrics& metrics);
  StoredRun stored(RunId run) const;

  mutable std::mutex mutex_;
  SweepState state_;
  std::vector<Extra> extras_;
};

}  // namespace hdrive::python
