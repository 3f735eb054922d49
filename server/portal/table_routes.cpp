// SPDX-License-Identifier: Apache-2.0
//
// Routes that tell many runs or values at once, in the form that is asked for.
#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "server/portal/arrow.h"
#include "server/portal/data.h"
#include "server/portal/gate.h"
#include "server/portal/routes.h"
#include "server/portal/tables.h"

namespace hdrive::server::portal {
namespace {

constexpr std::int64_t kMostRows = 10'000;
// So that an answer stays below a few hundred megabytes.
constexpr std::int64_t kMostValues = 2'000'000;
constexpr std::size_t kMostSeries = 64;
constexpr std::int64_t kMostPoints = 100'000;

// "-best": of a metric's or a parameter's name, too.
Result<RunOrder> order_of(SweepReader& reader, std::string word) {
  using By = RunOrder::By;
  constexpr std::pair<std::string_view, By> kWords[] = {
      {"number", By::number},   {"status", By::status}, {"created", By::created},
      {"started", By::started}, {"ended", By::ended},   {"duration", By::duration},
      {"attempt", By::attempt}, {"cpu", By::cpu_time},  {"memory", By::peak_memory},
      {"best", By::best},       {"last", By::last}};
  RunOrder order;
  if (word.starts_with('-')) {
    order.descending = true;
    word.erase(0, 1);
  }
  if (word.empty()) return order;
  for (const auto& [each, by] : kWords)
    if (each == word) {
      order.by = by;
      return order;
    }
  const auto parameters = reader.parameter_names();
  if (!parameters) return parameters.error();
  for (const std::string& name : *parameters)
    if (bare_name(name) == word) return RunOrder{By::parameter, name, order.descending};
  const auto metrics = reader.metric_names();
  if (!metrics) return metrics.error();
  if (std::find(metrics->begin(), metrics->end(), word) != metrics->end())
    return RunOrder{By::best, word, order.descending};
  return Error{"order", "there is nothing called " + base::json_string(word) + " to order by",
               Error::Kind::invalid};
}

Result<RunQuery> query_of(SweepReader& reader, const Question& question) {
  RunQuery query;
  query.filter.text = question.text("text");
  for (const std::string& word : [&] {
         std::vector<std::string> words;
         const std::string given = question.text("status");
         for (const auto each : base::split(given, ','))
           if (!each.empty()) words.push_back(base::lower(each));
         return words;
       }()) {
    std::string capital = word;
    capital[0] = static_cast<char>(capital[0] - 'a' + 'A');
    const auto status = run_status_from(capital);
    if (!status)
      return Error{"status",
                   base::json_string(word) +
                       " is none; allowed: queued, running, completed, failed, canceled",
                   Error::Kind::invalid};
    query.filter.statuses.push_back(*status);
  }
  auto order = order_of(reader, question.text("order"));
  if (!order) return order.error();
  query.order = *std::move(order);
  const auto offset = question.integer("offset", 0);
  if (!offset) return offset.error();
  query.offset = *offset;
  return query;
}

enum class Format { json, csv, arrow };

// What the address says, or else the header Accept.
Result<Format> format_of(const Question& question) {
  constexpr std::pair<std::string_view, Format> kWords[] = {
      {"json", Format::json}, {"csv", Format::csv}, {"arrow", Format::arrow}};
  if (!question.is_given("format")) {
    const std::string& accept = question.request().accept;
    if (accept.find(kArrowType) != accept.npos) return Format::arrow;
    return accept.find("text/csv") != accept.npos ? Format::csv : Format::json;
  }
  const std::string word = question.text("format");
  for (const auto& [each, format] : kWords)
    if (each == word) return format;
  return Error{"format", base::json_string(word) + " is none; allowed: json, csv, arrow",
               Error::Kind::invalid};
}

Result<Response> as_file(Result<std::string> bytes, Format format, const std::string& name) {
  if (!bytes) return bytes.error();
  const bool csv = format == Format::csv;
  Response response =
      as(csv ? std::string_view("text/csv; charset=utf-8") : kArrowType, *std::move(bytes));
  response.headers = std::string(safety_headers()) +
                     "Content-Disposition: attachment; filename=\"" + name +
                     (csv ? ".csv" : ".arrows") + "\"\r\n";
  return response;
}

TableFormat table_format(Format format) {
  return format == Format::csv ? TableFormat::csv : TableFormat::arrow;
}

Result<std::vector<RunId>> numbers_of(const std::string& list) {
  std::vector<RunId> runs;
  for (const auto each : base::split(list, ',')) {
    RunId run = 0;
    const auto [end, error] = std::from_chars(each.data(), each.data() + each.size(), run);
    if (error != std::errc{} || end != each.data() + each.size())
      return Error{"runs", base::json_string(each) + " is no number of a run; give runs=1,2,3",
                   Error::Kind::invalid};
    runs.push_back(run);
  }
  return runs;
}

// Those that the query of runs finds.
Result<std::vector<RunId>> runs_found(SweepReader& reader, const Question& question,
                                      std::int64_t most) {
  auto query = query_of(reader, question);
  if (!query) return query.error();
  const auto limit = question.integer("limit", most, 1);
  if (!limit) return limit.error();
  query->limit = std::min(*limit, most);
  const auto page = reader.runs(*query);
  if (!page) return page.error();
  std::vector<RunId> runs;
  for (const StoredRun& run : page->runs) runs.push_back(run.run.id);
  return runs;
}

Result<SeriesQuery> series_query(SweepReader& reader, const SweepHeader& header,
                                 const Question& question, Format format) {
  SeriesQuery query;
  query.metric = question.is_given("metric") ? question.text("metric") : header.metric;
  const auto points = question.integer("points", 500);
  const auto from = question.integer("from", 0);
  if (!points) return points.error();
  if (!from) return from.error();
  query.max_points = *points == 0 ? kMostPoints : std::clamp<std::int64_t>(*points, 4, kMostPoints);
  query.from = *from;
  auto runs = question.is_given("runs") ? numbers_of(question.text("runs"))
                                        : runs_found(reader, question, kMostRows);
  if (!runs) return runs.error();
  query.runs = *std::move(runs);
  if (format == Format::json && query.runs.size() > kMostSeries)
    return Error{"runs",
                 "of at most " + std::to_string(kMostSeries) +
                     " runs at once as JSON; csv and arrow have more (format), curves those to "
                     "be drawn",
                 Error::Kind::invalid};
  return query;
}

// Of each run so many values as there are, or as are asked for.
Result<void> check_size(SweepReader& reader, const SeriesQuery& query) {
  const auto metrics = reader.metric_totals();
  if (!metrics) return metrics.error();
  for (const MetricTotals& each : *metrics) {
    if (each.name != query.metric) continue;
    const auto most = std::min<std::int64_t>(each.count, std::ssize(query.runs) * query.max_points);
    if (most > kMostValues)
      return Error{"points",
                   "these may be " + std::to_string(most) + " values, and " +
                       std::to_string(kMostValues) +
                       " are told at once; ask for fewer points of each run, or for the runs "
                       "piece by piece with offset and limit",
                   Error::Kind::invalid};
  }
  return {};
}

}  // namespace

Result<Response> columns_route(const World& world, const Question& question) {
  const auto live = world.live.get(question.sweep());
  if (!live) return live.error();
  auto bytes = (*live)->columns(question.text("since"));
  if (!bytes) return bytes.error();
  return as("application/octet-stream", *std::move(bytes));
}

Result<Response> runs_route(const World& world, const Question& question) {
  return of_sweep(
      world, question, [&](const SweepEntry& entry, SweepReader& reader) -> Result<Response> {
        auto query = query_of(reader, question);
        if (!query) return query.error();
        const auto format = format_of(question);
        if (!format) return format.error();
        if (*format != Format::json)
          return as_file(runs_table(reader, entry.header, *query, table_format(*format)), *format,
                         entry.header.id);
        const auto limit = question.integer("limit", 100, 1);
        if (!limit) return limit.error();
        query->limit = std::min(*limit, kMostRows);
        return told(runs_json(reader, entry.header, *query));
      });
}

Result<Response> series_route(const World& world, const Question& question) {
  return of_sweep(world, question,
                  [&](const SweepEntry& entry, SweepReader& reader) -> Result<Response> {
                    const auto format = format_of(question);
                    if (!format) return format.error();
                    const auto query = series_query(reader, entry.header, question, *format);
                    if (!query) return query.error();
                    if (*format == Format::json) return told(series_json(reader, *query));
                    if (auto few = check_size(reader, *query); !few) return few.error();
                    return as_file(series_table(reader, *query, table_format(*format)), *format,
                                   entry.header.id + "-values");
                  });
}

Result<Response> curves_route(const World& world, const Question& question) {
  return of_sweep(
      world, question, [&](const SweepEntry& entry, SweepReader& reader) -> Result<Response> {
        const auto points = question.integer("points", 60, 4);
        const auto most = question.integer("most", 1'000, 1);
        if (!points) return points.error();
        if (!most) return most.error();
        auto bytes =
            curves(reader, entry.header,
                   {question.is_given("metric") ? question.text("metric") : entry.header.metric,
                    std::min<std::int64_t>(*points, 500), std::min<std::int64_t>(*most, 2'000)});
        if (!bytes) return bytes.error();
        return as("application/octet-stream", *std::move(bytes));
      });
}

}  // namespace hdrive::server::portal
