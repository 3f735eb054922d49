// SPDX-License-Identifier: Apache-2.0
#include "server/portal/tables.h"

#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "base/csv.h"
#include "base/json.h"
#include "base/text.h"
#include "server/portal/arrow.h"
#include "server/portal/run_json.h"

namespace hdrive::server::portal {
namespace {

using ColumnKind = ArrowColumn::Kind;

// A column of every table of runs, called as the member of a run's row that it is.
struct PlainColumn {
  const char* name;
  ColumnKind kind;
};
constexpr PlainColumn kPlain[] = {{"run_id", ColumnKind::text},
                                  {"number", ColumnKind::integer},
                                  {"status", ColumnKind::text},
                                  {"best_primary_metric", ColumnKind::real},
                                  {"last_primary_metric", ColumnKind::real},
                                  {"reports", ColumnKind::integer},
                                  {"attempt", ColumnKind::integer},
                                  {"ended_by", ColumnKind::text},
                                  {"exit_code", ColumnKind::integer},
                                  {"signal", ColumnKind::integer},
                                  {"created", ColumnKind::time},
                                  {"started", ColumnKind::time},
                                  {"ended", ColumnKind::time},
                                  {"duration_seconds", ColumnKind::real},
                                  {"slot", ColumnKind::integer},
                                  {"cpu_seconds", ColumnKind::real},
                                  {"peak_memory_bytes", ColumnKind::integer},
                                  {"proposal", ColumnKind::text},
                                  {"reason", ColumnKind::text}};

Time moment_of(const Run& run, std::string_view name) {
  return name == "created" ? run.created : name == "started" ? run.started : run.ended;
}

// NaN and infinities stand in JSON as words.
double real_of(const Json& cell) {
  if (cell.is_number()) return cell.get<double>();
  const std::string word = cell.get<std::string>();
  return word == "Infinity" ? INFINITY : word == "-Infinity" ? -INFINITY : NAN;
}

// A table that grows cell by cell, row by row.
class CsvTable {
 public:
  void column(const std::string& name, ColumnKind) {
    head_ += (columns_++ == 0 ? "" : ",") + base::csv_field(name);
  }
  void cell(const Json& value) {
    rows_ += at_++ == 0 ? "" : ",";
    if (!value.is_null())
      rows_ +=
          base::csv_field(value.is_string() ? value.get<std::string>() : base::json_text(value));
    if (at_ == columns_) end_row();
  }
  void moment_cell(Time time) { cell(moment(time)); }
  void value_cell(const Value* value) { cell(value ? value_json(*value) : Json()); }
  std::string bytes() && { return head_ + "\n" + rows_; }

 private:
  void end_row() {
    rows_ += '\n';
    at_ = 0;
  }
  std::string head_, rows_;
  std::size_t columns_ = 0, at_ = 0;
};

class ArrowTable {
 public:
  void column(const std::string& name, ColumnKind kind) { columns_.emplace_back(name, kind); }
  void cell(const Json& value) {
    ArrowColumn& column = next();
    if (value.is_null())
      column.add_nothing();
    else if (column.kind() == ColumnKind::integer)
      column.add(value.get<std::int64_t>());
    else if (column.kind() == ColumnKind::real)
      column.add(real_of(value));
    else
      column.add_text(value.get<std::string>());
  }
  void moment_cell(Time time) { next().add_time(time); }
  void value_cell(const Value* value) {
    ArrowColumn& column = next();
    if (value)
      column.add(*value);
    else
      column.add_nothing();
  }
  std::string bytes() && { return arrow_stream(columns_); }

 private:
  ArrowColumn& next() { return columns_[at_++ % columns_.size()]; }
  std::vector<ArrowColumn> columns_;
  std::size_t at_ = 0;
};

template <class Table>
Result<std::string> runs_as(Table table, SweepReader& reader, const SweepHeader& header,
                            const RunQuery& query) {
  const auto parameters = reader.parameter_names();
  if (!parameters) return parameters.error();
  const auto metrics = reader.metric_names();
  if (!metrics) return metrics.error();
  for (const PlainColumn& each : kPlain) table.column(each.name, each.kind);
  for (const std::string& name : *parameters)
    table.column(base::to_utf8(bare_name(name)), ColumnKind::nothing);
  for (const std::string& name : *metrics)
    table.column("metrics." + base::to_utf8(name), ColumnKind::real);
  const auto told = reader.each_run(query, [&](const StoredRun& run) {
    const Json row = run_row(run, header);
    for (const PlainColumn& each : kPlain)
      if (each.kind == ColumnKind::time)
        table.moment_cell(moment_of(run.run, each.name));
      else
        table.cell(row.at(each.name));
    for (const std::string& name : *parameters) table.value_cell(find(run.run.parameters, name));
    for (const std::string& name : *metrics) {
      const MetricFigures* figures = run.metric(name);
      table.cell(figures ? number(figures->last) : Json());
    }
  });
  if (!told) return told.error();
  return std::move(table).bytes();
}

template <class Table>
Result<std::string> series_as(Table table, SweepReader& reader, const SeriesQuery& query) {
  const auto found = reader.series(query);
  if (!found) return found.error();
  for (const char* name : {"run", "attempt", "place", "step"})
    table.column(name, ColumnKind::integer);
  table.column("value", ColumnKind::real);
  table.column("time", ColumnKind::time);
  for (const Series& series : *found)
    for (const Series::Point& point : series.points) {
      table.cell(series.run);
      table.cell(series.attempt);
      table.cell(point.place);
      table.cell(or_null(point.step));
      table.cell(number(point.value));
      table.moment_cell(point.time);
    }
  return std::move(table).bytes();
}

}  // namespace

Result<std::string> runs_table(SweepReader& reader, const SweepHeader& header,
                               const RunQuery& query, TableFormat format) {
  return format == TableFormat::csv ? runs_as(CsvTable(), reader, header, query)
                                    : runs_as(ArrowTable(), reader, header, query);
}

Result<std::string> series_table(SweepReader& reader, const SeriesQuery& query,
                                 TableFormat format) {
  return format == TableFormat::csv ? series_as(CsvTable(), reader, query)
                                    : series_as(ArrowTable(), reader, query);
}

}  // namespace hdrive::server::portal
