// SPDX-License-Identifier: Apache-2.0
#include "store/earlier_rows.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "store/exact.h"

namespace hdrive::store {
namespace {

constexpr char kInsert[] =
    "INSERT INTO earlier_runs(number, sweep, run, status, ended_by, goes_on, hyperparameters, "
    "hyperparameters_exact, reports, taken) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
constexpr char kSelect[] =
    "SELECT number, sweep, run, status, ended_by, goes_on, hyperparameters, "
    "hyperparameters_exact, reports, taken FROM earlier_runs ORDER BY number";

// A JSON list as SQLite's own functions read it: NaN is null there, and 9e999 infinite.
std::string list_of(const std::vector<double>& reports) {
  std::string text = "[";
  for (const double report : reports) {
    if (text.size() > 1) text += ',';
    if (std::isnan(report))
      text += "null";
    else if (std::isinf(report))
      text += report > 0 ? "9e999" : "-9e999";
    else
      text += base::shortest(report);
  }
  return text + "]";
}

std::optional<double> number_in(std::string_view text) {
  if (text == "null") return std::numeric_limits<double>::quiet_NaN();
  if (text == "9e999") return std::numeric_limits<double>::infinity();
  if (text == "-9e999") return -std::numeric_limits<double>::infinity();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::vector<double>> reports_in(std::string_view text) {
  std::vector<double> reports;
  if (!text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
  text.remove_prefix(1);
  text.remove_suffix(1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const auto number = number_in(text.substr(0, end));
    if (!number) return std::nullopt;
    reports.push_back(*number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reports;
}

std::optional<EarlierRunTaken> taken_from(const Row& row) {
  auto parameters = restore(row.bytes(6), row.bytes(7));
  auto reports = reports_in(row.bytes(8));
  if (!parameters || !reports) return std::nullopt;
  EarlierRunTaken taken;
  taken.number = row.integer(0);
  taken.earlier = {row.text(1),
                   row.integer(2),
                   *std::move(parameters),
                   run_status_from(row.bytes(3)).value_or(RunStatus::canceled),
                   end_cause_from(row.bytes(4)).value_or(EndCause::none),
                   row.integer(5) != 0,
                   *std::move(reports)};
  taken.at = row.time(9);
  return taken;
}

}  // namespace

Result<void> write_earlier(Database& database, const EarlierRunTaken& it) {
  const EarlierRun& run = it.earlier;
  return database.run(
      kInsert, it.number, run.sweep, run.run, to_string(run.status),
      run.ended_by == EndCause::none ? std::nullopt : std::optional(to_string(run.ended_by)),
      run.goes_on ? 1 : 0, to_json(run.parameters), lost_in_json(run.parameters),
      list_of(run.reports), it.at);
}

Result<void> read_earlier(Database& database,
                          const std::function<void(const EarlierRunTaken&)>& tell) {
  std::optional<std::int64_t> unreadable;
  Result<void> read = database.each(kSelect, [&](const Row& row) {
    if (auto taken = taken_from(row))
      tell(*taken);
    else
      unreadable = row.integer(0);
  });
  if (!read || !unreadable) return read;
  return damaged(
      database.path(),
      fmt::format("run {} of those taken over from earlier sweeps cannot be read", *unreadable));
}

}  // namespace hdrive::store
