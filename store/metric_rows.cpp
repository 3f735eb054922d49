// SPDX-License-Identifier: Apache-2.0
#include "store/metric_rows.h"

#include <algorithm>

namespace hdrive::store {
namespace {

constexpr char kNames[] = "SELECT id, name FROM metric_names";
constexpr char kCounts[] = "SELECT logged FROM runs ORDER BY number";
constexpr char kNewName[] = "INSERT INTO metric_names(name) VALUES(?1) RETURNING id";
constexpr char kValue[] =
    "INSERT INTO metric_values(id, attempt, name, step, value, time) VALUES(?1, ?2, ?3, ?4, ?5, "
    "?6)";
constexpr char kSummary[] =
    "INSERT INTO run_metrics(name, run, count, finite, last, last_step, least, greatest) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(name, run) DO UPDATE SET "
    "count = count + excluded.count, finite = finite + excluded.finite, last = excluded.last, "
    "last_step = excluded.last_step, "
    "least = ifnull(min(least, excluded.least), ifnull(least, excluded.least)), "
    "greatest = ifnull(max(greatest, excluded.greatest), ifnull(greatest, excluded.greatest))";
constexpr char kReported[] =
    "UPDATE runs SET reported = ?2, metrics_position = ?3, output_position = ?4, logged = ?5, "
    "changed = ?6, facts_digest = ?7, metrics_digest = ?8 WHERE number = ?1";
constexpr char kTouched[] = "UPDATE runs SET changed = ?2 WHERE number = ?1";
constexpr char kForget[] =
    "DELETE FROM run_metrics WHERE run = ?1 AND name IN (SELECT id FROM metric_names)";

}  // namespace

Result<void> MetricRows::load() {
  Result<void> read =
      database_.each(kNames, [&](const Row& row) { names_[row.text(1)] = row.integer(0); });
  if (!read) return read;
  return database_.each(kCounts, [&](const Row& row) { counts_.push_back(row.integer(0)); });
}

void MetricRows::mark() {
  values_.clear();
  runs_.clear();
  places_.clear();
  new_names_.clear();
  counts_before_.clear();
  runs_before_ = counts_.size();
}

void MetricRows::undo() {
  for (auto it = counts_before_.rbegin(); it != counts_before_.rend(); ++it)
    counts_[static_cast<std::size_t>(it->first)] = it->second;
  counts_.resize(runs_before_);
  for (const std::string& name : new_names_) names_.erase(name);
}

Result<std::int64_t> MetricRows::number_of(const std::string& name) {
  if (const auto known = names_.find(name); known != names_.end()) return known->second;
  std::int64_t number = 0;
  Result<void> made = database_.each(
      kNewName, [&](const Row& row) { number = row.integer(0); }, name);
  if (!made) return made.error();
  names_[name] = number;
  new_names_.push_back(name);
  return number;
}

MetricRows::Gathered& MetricRows::of(RunId run) {
  const auto [place, added] = places_.try_emplace(run, runs_.size());
  if (added) runs_.push_back({run, {}, {}});
  return runs_[place->second];
}

Result<void> MetricRows::add(const RunMetrics& metrics) {
  Gathered& gathered = of(metrics.run);
  gathered.report = {metrics.position, metrics.at};
  std::int64_t& count = counts_[static_cast<std::size_t>(metrics.run)];
  counts_before_.emplace_back(metrics.run, count);
  const std::string* name_before = nullptr;
  std::int64_t number = 0;
  MetricSummary* summary = nullptr;
  for (const Metric& metric : metrics.metrics) {
    if (!name_before || *name_before != metric.name) {
      Result<std::int64_t> found = number_of(metric.name);
      if (!found) return found.error();
      number = *found;
      name_before = &metric.name;
      const auto known = std::find_if(gathered.metrics.begin(), gathered.metrics.end(),
                                      [&](const auto& it) { return it.first == number; });
      summary = known != gathered.metrics.end()
                    ? &known->second
                    : &gathered.metrics.emplace_back(number, MetricSummary{}).second;
    }
    values_.push_back({metric_key(metrics.run, count++), metrics.attempt, number, metric.step,
                       metric.value, metric.time.value_or(metrics.at)});
    summary->add(metric.value, metric.step);
  }
  return {};
}

Result<void> MetricRows::flush(std::int64_t step, const Seal& seal) {
  if (Result<void> written = write_values(); !written) return written;
  for (const Gathered& run : runs_)
    if (Result<void> written = write_run(run, step, seal); !written) return written;
  values_.clear();
  runs_.clear();
  places_.clear();
  return {};
}

Result<void> MetricRows::write_values() {
  // Those of one run lie side by side in the file, too.
  const auto by_key = [](const Value& a, const Value& b) { return a.key < b.key; };
  if (!std::is_sorted(values_.begin(), values_.end(), by_key))
    std::sort(values_.begin(), values_.end(), by_key);
  Result<Statement*> insert = database_.statement(kValue);
  if (!insert) return insert.error();
  for (const Value& it : values_) {
    Result<void> kept = (*insert)->run(it.key, it.attempt, it.name, it.step, it.value, it.time);
    if (!kept) return kept;
  }
  return {};
}

Result<void> MetricRows::write_run(const Gathered& run, std::int64_t step, const Seal& seal) {
  for (const auto& [name, it] : run.metrics) {
    Result<void> kept = database_.run(kSummary, name, run.run, it.count, it.finite, it.last,
                                      it.last_step, it.least, it.greatest);
    if (!kept) return kept;
  }
  if (!run.report) return database_.run(kTouched, run.run, step);
  return database_.run(kReported, run.run, run.report->at, run.report->position.metrics,
                       run.report->position.output, counts_[static_cast<std::size_t>(run.run)],
                       step, seal.facts(run.run), seal.metrics(run.run));
}

Result<void> MetricRows::forget(RunId run) { return database_.run(kForget, run); }

}  // namespace hdrive::store
