// SPDX-License-Identifier: Apache-2.0
#include "store/metric_rows.h"

#include <algorithm>

#include "store/seal_table.h"

namespace hdrive::store {
namespace {

constexpr char kNames[] = "SELECT id, name FROM metric_names ORDER BY id";
constexpr char kCounts[] = "SELECT logged FROM runs ORDER BY number";
constexpr char kNewName[] = "INSERT INTO metric_names(name) VALUES(?1) RETURNING id";
constexpr char kValue[] =
    "INSERT INTO metric_values(id, attempt, name, step, value, time) VALUES(?1, ?2, ?3, ?4, ?5, "
    "?6)";
constexpr char kFiguresOfRun[] =
    "SELECT n.name, count, finite, last, last_step, least, greatest FROM metric_names n "
    "CROSS JOIN run_metrics m ON m.name = n.id AND m.run = ?1";
constexpr char kNewFigure[] =
    "INSERT INTO run_metrics(name, run, count, finite, last, last_step, least, greatest) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
constexpr char kFigure[] =
    "UPDATE run_metrics SET count = ?3, finite = ?4, last = ?5, last_step = ?6, least = ?7, "
    "greatest = ?8 WHERE name = ?1 AND run = ?2";
constexpr char kReported[] =
    "UPDATE runs SET reported = ?2, cursor = ?3, logged = ?4, changed = ?5, facts_digest = ?6, "
    "metrics_digest = ?7, verdicts_digest = ?8, figures_digest = ?9 WHERE number = ?1";
constexpr char kTouched[] = "UPDATE runs SET changed = ?2, verdicts_digest = ?3 WHERE number = ?1";
constexpr char kForget[] =
    "DELETE FROM run_metrics WHERE run = ?1 AND name IN (SELECT id FROM metric_names)";

}  // namespace

Result<void> MetricRows::load() {
  const auto digests = read_figure_digests(database_);
  if (!digests) return digests.error();
  Result<void> read = database_.each(kNames, [&](const Row& row) {
    const auto digest = digests->find(row.integer(0));
    places_of_names_[row.text(1)] = names_.size();
    names_.push_back({row.integer(0), row.text(1), digest == digests->end() ? 0 : digest->second});
    names_digest_ += Seal::of_name(row.integer(0), row.bytes(1));
  });
  if (!read) return read;
  return database_.each(kCounts, [&](const Row& row) { counts_.push_back(row.integer(0)); });
}

void MetricRows::mark() {
  values_.clear();
  runs_.clear();
  places_.clear();
  ended_.clear();
  touched_.clear();
  names_changed_.clear();
  names_before_ = names_.size();
  names_digest_before_ = names_digest_;
  counts_before_.clear();
  runs_before_ = counts_.size();
}

void MetricRows::undo() {
  for (auto it = counts_before_.rbegin(); it != counts_before_.rend(); ++it)
    counts_[static_cast<std::size_t>(it->first)] = it->second;
  counts_.resize(runs_before_);
  for (auto it = names_changed_.rbegin(); it != names_changed_.rend(); ++it) {
    names_[it->place].digest = it->digest;
    names_[it->place].changed = false;
  }
  for (std::size_t place = names_before_; place < names_.size(); ++place)
    places_of_names_.erase(names_[place].text);
  names_.resize(names_before_);
  names_digest_ = names_digest_before_;
  // They are read again when they are needed.
  for (const RunId run : touched_) figures_.erase(run);
}

Result<std::size_t> MetricRows::place_of(const std::string& name) {
  if (const auto known = places_of_names_.find(name); known != places_of_names_.end())
    return known->second;
  std::int64_t number = 0;
  Result<void> made = database_.each(
      kNewName, [&](const Row& row) { number = row.integer(0); }, name);
  if (!made) return made.error();
  places_of_names_[name] = names_.size();
  names_.push_back({number, name});
  names_digest_ += Seal::of_name(number, name);
  return names_.size() - 1;
}

// Of this or an earlier engine.
Result<MetricRows::Figures*> MetricRows::figures_of(RunId run) {
  const auto [entry, added] = figures_.try_emplace(run);
  Figures& figures = entry->second;
  touched_.push_back(run);
  if (!added || counts_[static_cast<std::size_t>(run)] == 0) return &figures;
  Result<void> read = database_.each(
      kFiguresOfRun,
      [&](const Row& row) {
        const MetricSummary summary = read_summary(row, /*first=*/1);
        const std::uint64_t digest = Seal::of(run, row.bytes(0), summary);
        figures.of.push_back({places_of_names_.at(row.text(0)), summary, digest});
        figures.digest += digest;
      },
      run);
  if (!read) return read.error();
  return &figures;
}

MetricRows::Gathered& MetricRows::of(RunId run) {
  const auto [place, added] = places_.try_emplace(run, runs_.size());
  if (added) runs_.push_back({run, {}});
  return runs_[place->second];
}

Result<void> MetricRows::add(const RunMetrics& metrics) {
  of(metrics.run).report = {metrics.cursor, metrics.at};
  const Result<Figures*> figures = figures_of(metrics.run);
  if (!figures) return figures.error();
  std::vector<Figure>& known = (*figures)->of;
  std::int64_t& count = counts_[static_cast<std::size_t>(metrics.run)];
  counts_before_.emplace_back(metrics.run, count);
  const std::string* name_before = nullptr;
  Figure* figure = nullptr;
  for (const Metric& metric : metrics.metrics) {
    if (!name_before || *name_before != metric.name) {
      Result<std::size_t> place = place_of(metric.name);
      if (!place) return place.error();
      name_before = &metric.name;
      const auto found = std::find_if(known.begin(), known.end(),
                                      [&](const Figure& it) { return it.name == *place; });
      figure = found != known.end() ? &*found : &known.emplace_back(Figure{*place, {}});
      figure->changed = true;
    }
    values_.push_back({metric_key(metrics.run, count++), metrics.attempt,
                       names_[figure->name].number, metric.step, metric.value,
                       metric.time.value_or(metrics.at)});
    figure->summary.add(metric.value, metric.step);
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
  for (const RunId run : std::exchange(ended_, {})) figures_.erase(run);
  return write_names();
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

void MetricRows::count(Name& name, std::uint64_t digest_before, std::uint64_t digest_now) {
  names_changed_.push_back({static_cast<std::size_t>(&name - names_.data()), name.digest});
  name.digest += digest_now - digest_before;
  name.changed = true;
}

Result<void> MetricRows::write_figures(RunId run, Figures& figures) {
  for (Figure& it : figures.of) {
    if (!it.changed) continue;
    Name& name = names_[it.name];
    const std::uint64_t digest = Seal::of(run, name.text, it.summary);
    const MetricSummary& now = it.summary;
    Result<void> kept =
        database_.run(it.digest == 0 ? kNewFigure : kFigure, name.number, run, now.count,
                      now.finite, now.last, now.last_step, now.least, now.greatest);
    if (!kept) return kept;
    count(name, it.digest, digest);
    figures.digest += digest - it.digest;
    it.digest = digest;
    it.changed = false;
  }
  return {};
}

Result<void> MetricRows::write_run(const Gathered& run, std::int64_t step, const Seal& seal) {
  if (!run.report) return database_.run(kTouched, run.run, step, seal.verdicts(run.run));
  Figures& figures = figures_.at(run.run);
  if (Result<void> kept = write_figures(run.run, figures); !kept) return kept;
  return database_.run(kReported, run.run, run.report->at, run.report->cursor,
                       counts_[static_cast<std::size_t>(run.run)], step, seal.facts(run.run),
                       seal.metrics(run.run), seal.verdicts(run.run), figures.digest);
}

Result<void> MetricRows::write_names() {
  for (const NameBefore& it : names_changed_) {
    Name& name = names_[it.place];
    if (!std::exchange(name.changed, false)) continue;
    Result<void> kept = write_figure_digest(database_, name.number, name.digest);
    if (!kept) return kept;
  }
  return {};
}

Result<void> MetricRows::forget(RunId run) {
  const Result<Figures*> figures = figures_of(run);
  if (!figures) return figures.error();
  for (const Figure& it : (*figures)->of) count(names_[it.name], it.digest, 0);
  **figures = Figures{};
  return database_.run(kForget, run);
}

}  // namespace hdrive::store
