// SPDX-License-Identifier: Apache-2.0
#include "store/parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "store/replay.h"

namespace hdrive::store {
namespace {

constexpr char kNames[] = "SELECT id, name FROM metric_names ORDER BY id";
constexpr char kStates[] = "SELECT number, status, ended_by, started, ended, attempt FROM runs";
constexpr char kFigures[] =
    "SELECT run, count, finite, last, last_step, least, greatest FROM run_metrics "
    "WHERE name = ?1 ORDER BY run";

std::optional<Time> maybe_time(const Row& row, int column) {
  return row.null(column) ? std::nullopt : std::optional(row.time(column));
}

}  // namespace

Result<void> Parts::look() {
  Result<SealRow> seal = read_seal(database_);
  if (!seal) return seal.error();
  if (!seal->parts) return damaged(database_.path(), "its seal is not what was written");
  seal_ = *seal;
  return {};
}

Result<SweepHeader> Parts::header() const {
  Result<SweepHeader> header = read_header(database_);
  if (header && seal_.header != Seal::of(*header, Seal::Source::as_stored))
    return damaged(database_.path(), "the description of the sweep is not what was written");
  return header;
}

Result<SweepChanged> Parts::standing() const {
  Result<SweepStanding> standing = read_standing(database_);
  if (!standing) return standing.error();
  if (standing->digest != digests().status)
    return damaged(database_.path(), "the status of the sweep is not what was written");
  return std::move(standing->latest);
}

Result<const std::vector<MetricName>*> Parts::names() {
  if (names_of_ == seal_.steps) return &names_;
  const auto figures = read_figure_digests(database_);
  if (!figures) return figures.error();
  names_of_ = -1;
  names_.clear();
  std::uint64_t sum = 0;
  bool complete = true;
  Result<void> read = database_.each(kNames, [&](const Row& row) {
    const auto digest = figures->find(row.integer(0));
    complete = complete && digest != figures->end();
    names_.push_back({row.integer(0), row.text(1), complete ? digest->second : 0});
    sum += Seal::of_name(row.integer(0), row.bytes(1));
  });
  if (!read) return read.error();
  if (!complete || sum != seal_.parts->names)
    return damaged(database_.path(), "the names of the metrics are not what was written");
  names_of_ = seal_.steps;
  return &names_;
}

Result<const MetricName*> Parts::name(std::string_view text) {
  const auto known = names();
  if (!known) return known.error();
  const auto found = std::find_if(names_.begin(), names_.end(),
                                  [&](const MetricName& it) { return it.text == text; });
  return found == names_.end() ? nullptr : &*found;
}

Result<const std::vector<RunState>*> Parts::states() {
  if (states_of_ == seal_.steps) return &states_;
  states_of_ = -1;
  const std::int64_t runs = digests().runs;
  states_.assign(static_cast<std::size_t>(std::max<std::int64_t>(0, runs)), RunState{});
  std::int64_t count = 0;
  std::uint64_t sum = 0;
  bool possible = true;
  Result<void> read = database_.each(kStates, [&](const Row& row) {
    const auto status = run_status_from(row.bytes(1));
    const auto cause = row.null(2) ? EndCause::none : end_cause_from(row.bytes(2));
    const RunId run = row.integer(0);
    possible = possible && status && cause && run >= 0 && run < runs;
    if (!possible) return;
    RunState& state = states_[static_cast<std::size_t>(run)];
    state = {run, row.small(5), *status, *cause, maybe_time(row, 3), maybe_time(row, 4)};
    sum += Seal::of(state);
    ++count;
  });
  if (!read) return read.error();
  if (!possible || count != runs || sum != digests().states)
    return damaged(database_.path(), "what it tells of all runs in short is not what was written");
  states_of_ = seal_.steps;
  return &states_;
}

Result<void> Parts::each_figure(
    const MetricName& metric, const std::function<void(RunId, const MetricSummary&)>& tell) const {
  std::uint64_t sum = 0;
  Result<void> read = database_.each(
      kFigures,
      [&](const Row& row) {
        const MetricSummary summary = read_summary(row, /*first=*/1);
        sum += Seal::of(row.integer(0), metric.text, summary);
        tell(row.integer(0), summary);
      },
      metric.number);
  if (!read || sum == metric.digest) return read;
  return damaged(database_.path(),
                 fmt::format("what it tells in short of the metric \"{}\" is not what was written",
                             base::to_utf8(metric.text)));
}

}  // namespace hdrive::store
