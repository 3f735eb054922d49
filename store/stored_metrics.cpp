// SPDX-License-Identifier: Apache-2.0
#include "store/stored_metrics.h"

#include <fmt/format.h>

#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "store/metric_rows.h"

namespace hdrive::store {
namespace {

constexpr char kValuesOfAll[] =
    "SELECT id, attempt, name, step, value, time FROM metric_values ORDER BY id";
constexpr char kValuesOfRun[] =
    "SELECT id, attempt, name, step, value, time FROM metric_values "
    "WHERE id BETWEEN ?1 << 32 AND (?1 << 32) + 4294967295 ORDER BY id";
constexpr char kDigests[] =
    "SELECT attempt, attempt, metrics_digest FROM runs WHERE number = ?1 UNION ALL "
    "SELECT attempt, 0, metrics_digest FROM earlier_attempts WHERE run = ?1";

// Adds up what passes by, run by run, and compares it with what each attempt's row says.
class Checking {
 public:
  explicit Checking(Database& database) : database_(database) {}

  // The run's values come now.
  void begin(RunId run) {
    run_ = run;
    sums_.clear();
  }
  RunId run() const { return run_; }
  void add(const StoredMetric& it) { sums_[it.attempt] += Seal::of(it.run, it.attempt, it.metric); }
  // All of the run's values have come.
  Result<void> end() {
    int attempts = 0, current = 0;
    bool same = true;
    Result<void> read = database_.each(
        kDigests,
        [&](const Row& row) {
          ++attempts;
          if (row.small(1) > 0) current = row.small(1);
          const auto sum = sums_.find(row.small(0));
          const std::uint64_t found = sum == sums_.end() ? 0 : sum->second;
          if (sum != sums_.end()) sums_.erase(sum);
          // Of earlier attempts an older version kept none.
          if (row.null(2)) return;
          same = same && static_cast<std::uint64_t>(row.integer(2)) == found;
        },
        run_);
    if (!read) return read;
    if (same && sums_.empty() && attempts > 0 && attempts == current) return {};
    return damaged(database_.path(),
                   fmt::format("the metrics of run {} are not what was written", run_));
  }

 private:
  Database& database_;
  RunId run_ = -1;
  std::map<int, std::uint64_t> sums_;  // by attempt
};

}  // namespace

Result<void> StoredMetrics::each(std::optional<RunId> run,
                                 const std::function<void(const StoredMetric&)>& tell) const {
  if (run && *run >= parts_.digests().runs) return {};
  const auto known = parts_.names();
  if (!known) return known.error();
  std::unordered_map<std::int64_t, const std::string*> names;
  for (const MetricName& name : **known) names[name.number] = &name.text;
  Checking checking(database_);
  Result<void> sound;
  // Also those without any are to be compared.
  const auto go_to = [&](RunId next) {
    while (sound && checking.run() < next) {
      if (checking.run() >= run.value_or(0)) sound = checking.end();
      checking.begin(checking.run() < run.value_or(0) ? run.value_or(0) : checking.run() + 1);
    }
  };
  StoredMetric stored;
  std::int64_t last_key = -1;
  const auto take = [&](const Row& row) {
    stored.run = run_of_key(row.integer(0));
    // Digests are sums: they do not tell that pages of one run have changed places.
    if (std::exchange(last_key, row.integer(0)) >= row.integer(0))
      sound = damaged(database_.path(),
                      fmt::format("the metrics of run {} are out of order", stored.run));
    const auto name = names.find(row.integer(2));
    if (stored.run >= parts_.digests().runs || stored.run < 0 || name == names.end())
      sound = damaged(database_.path(), "it has metrics that are of no run");
    if (!sound) return;
    go_to(stored.run);
    if (!sound) return;
    stored.attempt = row.small(1);
    stored.metric.name = *name->second;
    stored.metric.step = row.maybe_integer(3);
    stored.metric.value = row.real(4);
    stored.metric.time = row.time(5);
    checking.add(stored);
    tell(stored);
  };
  Result<void> read =
      run ? database_.each(kValuesOfRun, take, *run) : database_.each(kValuesOfAll, take);
  if (!read) return read;
  go_to(run ? *run + 1 : parts_.digests().runs);
  return sound;
}

Result<Series> StoredMetrics::series(const StoredRun& run, const std::string& metric,
                                     std::int64_t from) const {
  Series series;
  series.run = run.run.id;
  series.attempt = run.run.attempt;
  if (!run.metric(metric)) return series;
  // The values of a run lie together, so that reading the others with them costs little.
  Result<void> read = each(series.run, [&](const StoredMetric& it) {
    if (it.attempt != series.attempt || it.metric.name != metric) return;
    const std::int64_t place = series.count++;
    if (place >= from)
      series.points.push_back({place, it.metric.step, it.metric.value, *it.metric.time});
  });
  if (!read) return read.error();
  return series;
}

Result<void> StoredMetrics::check(const StoredRun& run) const {
  std::map<std::string, MetricSummary> found;
  Result<void> read = each(run.run.id, [&](const StoredMetric& it) {
    if (it.attempt == run.run.attempt) found[it.metric.name].add(it.metric.value, it.metric.step);
  });
  if (!read) return read;
  std::uint64_t values = 0, figures = 0;
  for (const auto& [name, summary] : found) values += Seal::of(run.run.id, name, summary);
  for (const MetricFigures& it : run.metrics) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    figures += Seal::of(run.run.id, it.name,
                        {it.count, it.count - it.not_finite, it.last, it.last_step,
                         it.least.value_or(kNone), it.greatest.value_or(kNone)});
  }
  if (values == figures) return {};
  return damaged(database_.path(),
                 fmt::format("what it tells in short of the metrics of run {} does not agree with "
                             "them",
                             run.run.id));
}

}  // namespace hdrive::store
