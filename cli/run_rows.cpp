// SPDX-License-Identifier: Apache-2.0
#include "cli/run_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/source_text.h"
#include "cli/terminal.h"
#include "cli/words.h"
#include "hdrive/clock.h"
#include "hdrive/ids.h"
#include "hdrive/overview.h"

namespace hdrive::cli {
namespace {

OrderedJson number_or_null(const std::optional<double>& number) {
  return number ? json_number(*number) : OrderedJson(nullptr);
}

template <class Integer>
OrderedJson integer_or_null(const std::optional<Integer>& number) {
  return number ? OrderedJson(*number) : OrderedJson(nullptr);
}

OrderedJson seconds_or_null(const std::optional<Duration>& duration) {
  if (!duration) return nullptr;
  return json_number(static_cast<double>(duration->count()) / 1e6);
}

Cell text_cell(std::string_view text) { return {std::string(text), printable(text)}; }

template <class Integer>
Cell integer_cell(const std::optional<Integer>& number) {
  return {number, number ? std::to_string(*number) : ""};
}

Cell number_cell(const std::optional<double>& number, const char* none = "") {
  return {number, number ? number_text(*number) : none};
}

Cell duration_cell(const std::optional<Duration>& duration) {
  if (!duration) return {nullptr, ""};
  return {JsonValue::seconds(*duration), duration_text(*duration)};
}

std::optional<Duration> took(const Run& run) {
  if (run.started == Time{} || run.ended == Time{}) return std::nullopt;
  return run.ended - run.started;
}

}  // namespace

std::unique_ptr<SweepReader> reader_or_fail(const SweepEntry& sweep) {
  return value_or_fail(SweepReader::open(sweep.directory));
}

OrderedJson run_object(const StoredRun& run, const SweepHeader& header) {
  OrderedJson object = base::parse_ordered_json(to_json(report_of(run, header)));
  object["slot"] = integer_or_null(run.slot);
  object["handle"] =
      run.handle.empty() ? OrderedJson(nullptr) : OrderedJson(base::to_utf8(run.handle));
  object["out_of_reach_since"] =
      run.lost_contact ? OrderedJson(iso_time(run.lost_contact->since)) : OrderedJson(nullptr);
  object["cpu_seconds"] = seconds_or_null(run.cpu_time);
  object["peak_memory_bytes"] = integer_or_null(run.peak_memory);
  object["metrics"] = OrderedJson::object();
  for (const MetricFigures& figures : run.metrics)
    object["metrics"][base::to_utf8(figures.name)] = {
        {"count", figures.count},
        {"not_finite", figures.not_finite},
        {"last", json_number(figures.last)},
        {"least", number_or_null(figures.least)},
        {"greatest", number_or_null(figures.greatest)}};
  return object;
}

// ---- columns ------------------------------------------------------------------------------------

namespace {

// Also what only its target can tell: that it waits in a queue, or is out of reach.
std::string status_cell(const StoredRun& stored) {
  if (stored.lost_contact) return "Out of reach";
  if (stored.run.status == RunStatus::queued && !stored.handle.empty()) return "Waiting";
  return std::string(outcome_text(stored.run.status, stored.run.ended_by));
}

constexpr const char* kSourceColumns[] = {"snapshot", "git_repository", "git_branch", "git_commit",
                                          "git_dirty"};

void add_source(const SweepHeader& header, std::vector<Cell>& row) {
  const auto git = git_state(header);
  row.push_back({header.snapshot, ""});
  for (const auto& member : {&GitState::repository, &GitState::branch, &GitState::commit})
    row.push_back({git ? JsonValue(*git.*member) : JsonValue(), ""});
  row.push_back({git ? JsonValue::json(git->dirty ? "true" : "false") : JsonValue(), ""});
}

}  // namespace

RunColumns::RunColumns(std::string metric, Names names)
    : metric_(std::move(metric)), names_(std::move(names)) {}

std::vector<Column> RunColumns::columns() const {
  std::vector<Column> columns;
  if (several_)
    columns = {{"sweep_id", ""},
               {"sweep_name", "SWEEP", Align::left, 8},
               {"experiment", "EXPERIMENT", Align::left, 8, 5}};
  const std::vector<Column> own = {{"run_id", ""},
                                   {"number", "RUN", Align::right},
                                   {"status", "STATUS"},
                                   {"best_primary_metric", printable(metric_), Align::right},
                                   {"last_primary_metric", "LAST", Align::right, 0, 4},
                                   {"reports", "REPORTS", Align::right, 0, 6},
                                   {"seconds", "TIME", Align::right, 0, 3},
                                   {"attempt", ""},
                                   {"ended_by", ""},
                                   {"exit_code", ""},
                                   {"signal", ""},
                                   {"created", ""},
                                   {"started", ""},
                                   {"ended", ""},
                                   {"proposal", ""},
                                   {"reason", ""},
                                   {"slot", ""},
                                   {"cpu_seconds", "CPU", Align::right, 0, 8},
                                   {"peak_memory_bytes", "MEMORY", Align::right, 0, 7}};
  columns.insert(columns.end(), own.begin(), own.end());
  if (source_)
    for (const char* key : kSourceColumns) columns.push_back({key, ""});
  for (const std::string& name : names_.metrics) {
    columns.push_back({"metrics." + name, printable(name), Align::right, 0, 9});
    columns.push_back({"metrics." + name + ".least", ""});
    columns.push_back({"metrics." + name + ".greatest", ""});
  }
  std::vector<std::string> taken;
  for (const Column& column : columns) taken.push_back(column.key);
  if (names_.parameters.empty())
    columns.push_back({"hyperparameters", "HYPERPARAMETERS", Align::left, 24, 1});
  for (const std::string& name : parameter_columns(names_.parameters, taken))
    columns.push_back({name, ""});
  return columns;
}

std::vector<Cell> RunColumns::row(const StoredRun& stored, const SweepHeader& header) const {
  const Run& run = stored.run;
  const RunReport report = report_of(stored, header);
  std::vector<Cell> row;
  if (several_)
    row = {text_cell(header.id),
           {header.name, header.name.empty() ? short_id(header.id) : printable(header.name)},
           text_cell(header.experiment)};
  const std::vector<Cell> own{
      text_cell(report.run_id),
      {run.id, std::to_string(run.id)},
      {std::string(to_string(run.status)), status_cell(stored)},
      number_cell(report.best_primary_metric, "-"),
      number_cell(report.last_primary_metric, "-"),
      {report.reports, std::to_string(report.reports)},
      duration_cell(took(run)),
      {run.attempt, ""},
      text_cell(to_string(run.ended_by)),
      integer_cell(run.exit_code),
      integer_cell(run.signal),
      {JsonValue::time(run.created), ""},
      {JsonValue::time(run.started), ""},
      {JsonValue::time(run.ended), ""},
      text_cell(run.proposal),
      text_cell(run.reason),
      integer_cell(stored.slot),
      duration_cell(stored.cpu_time),
      {stored.peak_memory,
       stored.peak_memory ? size_text(static_cast<std::uint64_t>(*stored.peak_memory)) : ""}};
  row.insert(row.end(), own.begin(), own.end());
  if (source_) add_source(header, row);
  for (const std::string& name : names_.metrics) {
    const MetricFigures* figures = stored.metric(name);
    row.push_back(number_cell(figures ? std::optional(figures->last) : std::nullopt));
    row.push_back(number_cell(figures ? figures->least : std::nullopt));
    row.push_back(number_cell(figures ? figures->greatest : std::nullopt));
  }
  if (names_.parameters.empty()) {
    row.push_back({JsonValue::json(to_json(run.parameters)), parameters_text(run.parameters)});
  }
  for (const std::string& name : names_.parameters) row.push_back(cell_of(run.parameters, name));
  return row;
}

void add_names(RunColumns::Names& names, SweepReader& reader, const SweepHeader& header,
               Parameters parameters) {
  const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& from,
                      const std::string& except) {
    for (const std::string& name : from)
      if (name != except && std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
  };
  add(names.metrics, value_or_fail(reader.metric_names()), header.metric);
  if (parameters == Parameters::apart)
    add(names.parameters, value_or_fail(reader.parameter_names()), "");
}

// ---- what a user may say ------------------------------------------------------------------------

namespace {

using By = RunOrder::By;
constexpr std::pair<std::string_view, By> kOrders[] = {
    {"number", By::number}, {"best", By::best},         {"last", By::last},
    {"status", By::status}, {"created", By::created},   {"started", By::started},
    {"ended", By::ended},   {"time", By::duration},     {"attempt", By::attempt},
    {"cpu", By::cpu_time},  {"memory", By::peak_memory}};

constexpr RunStatus kStatuses[] = {RunStatus::queued, RunStatus::running, RunStatus::completed,
                                   RunStatus::failed, RunStatus::canceled};

// The name of `names` that is meant, with or without dashes in front.
std::optional<std::string> named(const std::vector<std::string>& names, const std::string& text) {
  for (const bool bare : {false, true})
    for (const std::string& name : names)
      if ((bare ? std::string(bare_name(name)) : name) == text) return name;
  return std::nullopt;
}

}  // namespace

RunOrder order_or_fail(const std::string& given, SweepReader& reader) {
  RunOrder order;
  std::string text = given;
  if (text.starts_with('-') && !text.starts_with("--")) {
    order.descending = true;
    text.erase(0, 1);
  }
  for (const auto& [word, by] : kOrders) {
    if (word != text) continue;
    order.by = by;
    return order;
  }
  const auto parameters = value_or_fail(reader.parameter_names());
  const auto metrics = value_or_fail(reader.metric_names());
  if (const auto parameter = named(parameters, text)) {
    order.by = By::parameter;
    order.name = *parameter;
    return order;
  }
  if (named(metrics, text)) {
    order.by = By::best;
    order.name = text;
    return order;
  }
  std::vector<std::string> words = order_words();
  for (const std::string& name : parameters) words.emplace_back(bare_name(name));
  words.insert(words.end(), metrics.begin(), metrics.end());
  const std::string hint = base::did_you_mean(text, words);
  fail(kWrong,
       fmt::format("--sort: there is no \"{}\" to sort by;{} allowed are {}, a parameter or a "
                   "metric, with \"-\" in front the other way round",
                   text, hint, base::join(order_words(), ", ")));
}

std::vector<std::string> order_words() {
  std::vector<std::string> words;
  for (const auto& [word, by] : kOrders) words.emplace_back(word);
  return words;
}

std::vector<std::string> status_words() {
  std::vector<std::string> words;
  for (const RunStatus status : kStatuses) words.push_back(base::lower(to_string(status)));
  return words;
}

std::vector<RunStatus> statuses_or_fail(const std::vector<std::string>& texts) {
  std::vector<RunStatus> statuses;
  const std::vector<std::string> words = status_words();
  for (const std::string& text : texts) {
    const std::string word = word_or_fail("--status", text, words);
    statuses.push_back(kStatuses[std::find(words.begin(), words.end(), word) - words.begin()]);
  }
  return statuses;
}

}  // namespace hdrive::cli
