// SPDX-License-Identifier: Apache-2.0
//
// What the API tells: each route reads and changes nothing.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "hdrive/catalog.h"
#include "hdrive/config.h"
#include "hdrive/store.h"
#include "hdrive/targets.h"
#include "hdrive/version.h"
#include "server/portal/api.h"
#include "server/portal/data.h"
#include "server/portal/gate.h"
#include "server/portal/run_files.h"
#include "server/portal/run_json.h"
#include "server/portal/sweep_json.h"

namespace hdrive::server::portal {
namespace {

constexpr std::int64_t kMostRows = 10'000;
constexpr std::size_t kMostSeries = 64;
constexpr std::int64_t kMostPoints = 100'000;

Time now() { return make_steady_clock()->now(); }

Response as(std::string_view type, std::string body) {
  Response response;
  response.type = std::string(type);
  response.body = std::move(body);
  return response;
}

// A reader, the sweep as it stands, and what is made of both.
template <class Make>
Result<Response> of_sweep(const World& world, const Question& question, const Make& make) {
  auto reader = world.sweeps.reader(question.sweep());
  if (!reader) return reader.error();
  const auto entry = (*reader)->entry();
  if (!entry) {
    reader->discard();
    return entry.error();
  }
  return make(*entry, **reader);
}

Result<Response> told(Result<Json> json) {
  if (!json) return json.error();
  return json_response(*json);
}

Result<Response> about(const World& world, const Question&) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return json_response({{"version", std::string(version())},
                        {"api", 1},
                        {"home", text(world.options.home.string())},
                        {"home_hint", text(world.options.home_hint)},
                        {"host", text(host)},
                        {"read_only", world.options.read_only || !world.options.command},
                        {"now", moment(now())}});
}

Result<Response> sweeps(const World& world, const Question&) {
  return json_response(world.catalogue.list());
}

Result<Response> sweep(const World& world, const Question& question) {
  return of_sweep(world, question, [](const SweepEntry& entry, SweepReader& reader) {
    return told(sweep_details(entry, reader, now()));
  });
}

Result<Response> columns(const World& world, const Question& question) {
  const auto live = world.live.get(question.sweep());
  if (!live) return live.error();
  auto bytes = (*live)->columns(question.text("since"));
  if (!bytes) return bytes.error();
  return as("application/octet-stream", *std::move(bytes));
}

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

Result<Response> runs(const World& world, const Question& question) {
  return of_sweep(world, question,
                  [&](const SweepEntry& entry, SweepReader& reader) -> Result<Response> {
                    auto query = query_of(reader, question);
                    if (!query) return query.error();
                    if (question.text("format") == "csv") {
                      auto csv = runs_csv(reader, entry.header, *query);
                      if (!csv) return csv.error();
                      Response response = as("text/csv; charset=utf-8", *std::move(csv));
                      response.headers = std::string(safety_headers()) +
                                         "Content-Disposition: attachment; filename=\"" +
                                         entry.header.id + ".csv\"\r\n";
                      return response;
                    }
                    const auto limit = question.integer("limit", 100, 1);
                    if (!limit) return limit.error();
                    query->limit = std::min(*limit, kMostRows);
                    return told(runs_json(reader, entry.header, *query));
                  });
}

Result<Response> series(const World& world, const Question& question) {
  return of_sweep(
      world, question, [&](const SweepEntry& entry, SweepReader& reader) -> Result<Response> {
        SeriesQuery query;
        query.metric = question.is_given("metric") ? question.text("metric") : entry.header.metric;
        const std::string numbers = question.text("runs");
        for (const auto each : base::split(numbers, ',')) {
          RunId run = 0;
          const auto [end, error] = std::from_chars(each.data(), each.data() + each.size(), run);
          if (error != std::errc{} || end != each.data() + each.size())
            return Error{"runs",
                         base::json_string(each) + " is no number of a run; give runs=1,2,3",
                         Error::Kind::invalid};
          query.runs.push_back(run);
        }
        if (query.runs.size() > kMostSeries)
          return Error{
              "runs",
              "of at most " + std::to_string(kMostSeries) + " runs at once; curves gives many",
              Error::Kind::invalid};
        const auto points = question.integer("points", 500);
        const auto from = question.integer("from", 0);
        if (!points) return points.error();
        if (!from) return from.error();
        query.max_points =
            *points == 0 ? kMostPoints : std::clamp<std::int64_t>(*points, 4, kMostPoints);
        query.from = *from;
        return told(series_json(reader, query));
      });
}

Result<Response> many_curves(const World& world, const Question& question) {
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

Result<Response> decisions(const World& world, const Question& question) {
  return of_sweep(
      world, question, [&](const SweepEntry& entry, SweepReader& reader) -> Result<Response> {
        const auto before = question.integer("before", 0);
        const auto limit = question.integer("limit", 200, 1);
        if (!before) return before.error();
        if (!limit) return limit.error();
        return told(
            decisions_json(reader, entry.header,
                           question.is_given("before") ? std::optional(*before) : std::nullopt,
                           std::min<std::int64_t>(*limit, 1'000)));
      });
}

Result<Response> engine_log(const World& world, const Question& question) {
  return of_sweep(world, question, [&](const SweepEntry& entry, SweepReader&) -> Result<Response> {
    const auto from = question.integer("from", 0);
    if (!from) return from.error();
    return told(log_json(entry, static_cast<std::uint64_t>(*from)));
  });
}

Result<Response> importance(const World& world, const Question& question) {
  return of_sweep(world, question, [](const SweepEntry& entry, SweepReader& reader) {
    return told(importance_json(reader, entry));
  });
}

Result<Response> run(const World& world, const Question& question) {
  return of_sweep(world, question,
                  [&](const SweepEntry& entry, SweepReader& reader) -> Result<Response> {
                    const auto number = question.run();
                    if (!number) return number.error();
                    return told(run_details(entry, reader, *number));
                  });
}

Result<Response> run_thresholds(const World& world, const Question& question) {
  return of_sweep(world, question,
                  [&](const SweepEntry& entry, SweepReader& reader) -> Result<Response> {
                    const auto number = question.run();
                    if (!number) return number.error();
                    return told(thresholds(entry, reader, *number));
                  });
}

Result<std::filesystem::path> directory_of_run(const World& world, const Question& question) {
  const auto directory = world.sweeps.directory(question.sweep());
  if (!directory) return directory.error();
  const auto number = question.run();
  if (!number) return number.error();
  return run_directory(*directory, *number);
}

Result<Response> printed(const World& world, const Question& question) {
  const auto directory = directory_of_run(world, question);
  if (!directory) return directory.error();
  const std::string stream = question.is_given("stream") ? question.text("stream") : "stdout";
  if (stream != "stdout" && stream != "stderr")
    return Error{"stream", base::json_string(stream) + " is none; allowed: stdout, stderr",
                 Error::Kind::invalid};
  const auto rank = question.integer("rank", 0);
  const auto attempt = question.integer("attempt", 0);
  const auto from = question.integer("from", 0);
  const auto limit = question.integer("limit", 65'536, 1);
  for (const auto* each : {&rank, &attempt, &from, &limit})
    if (!*each) return each->error();
  std::string file = stream + ".log";
  if (*rank > 0) file = "processes/" + std::to_string(*rank) + "/" + file;
  if (*attempt > 0) file = "attempt-" + std::to_string(*attempt) + "/" + file;
  Piece piece{std::nullopt, static_cast<std::uint64_t>(*limit)};
  if (!question.is_given("tail")) piece.from = static_cast<std::uint64_t>(*from);
  return told(run_log(*directory, file, piece));
}

Result<Response> files(const World& world, const Question& question) {
  const auto directory = directory_of_run(world, question);
  if (!directory) return directory.error();
  return json_response(list_run_files(*directory));
}

Result<Response> file(const World& world, const Question& question) {
  const auto directory = directory_of_run(world, question);
  if (!directory) return directory.error();
  const auto from = question.integer("from", 0);
  const auto limit = question.integer("limit", 0);
  if (!from) return from.error();
  if (!limit) return limit.error();
  return run_file(*directory, question.text("path"), question.text("render") == "1",
                  {static_cast<std::uint64_t>(*from), static_cast<std::uint64_t>(*limit)});
}

Json target_json(const NamedTarget& target) {
  Json json = {{"name", text(target.name)},
               {"type", target.type},
               {"description", ""},
               {"options", Json::object()},
               {"slots", or_null(slots_of(target))},
               {"in_use", nullptr},
               {"file", nullptr},
               {"line", nullptr},
               {"problem", nullptr}};
  for (const TargetTypeInfo& type : target_type_infos())
    if (type.name == target.type) json["description"] = text(type.summary);
  if (!target.file.empty()) {
    json["file"] = text(target.file.string());
    json["line"] = target.line;
  }
  for (const auto& [key, value] : target.written) json["options"][base::to_utf8(key)] = text(value);
  return json;
}

// How many runs of live sweeps are on each target, where the sweep has one alone.
void count_runs(Json& targets, const Json& sweeps) {
  for (const Json& sweep : sweeps) {
    if (sweep.at("state") != "live" || sweep.at("targets").size() > 1) continue;
    const std::string name =
        sweep.at("targets").empty() ? "local" : sweep.at("targets").at(0).get<std::string>();
    for (Json& target : targets)
      if (target.at("name") == name)
        target["in_use"] =
            (target.at("in_use").is_null() ? 0 : target.at("in_use").get<std::int64_t>()) +
            sweep.at("live").get<std::int64_t>();
  }
}

Result<Response> targets(const World& world, const Question&) {
  const LoadedTargets loaded = load_targets(world.options.targets_files);
  Json json = {{"targets", Json::array()}, {"types", Json::array()}, {"problems", Json::array()}};
  NamedTarget local;
  local.name = local.type = "local";
  json["targets"].push_back(target_json(local));
  for (const NamedTarget& target : loaded.targets) json["targets"].push_back(target_json(target));
  count_runs(json["targets"], world.catalogue.list().at("sweeps"));
  for (const TargetTypeInfo& type : target_type_infos()) {
    Json keys = Json::array();
    for (const TargetKeyInfo& key : type.keys)
      keys.push_back(
          {{"name", text(key.name)},
           {"kind", text(key.allowed)},
           {"required", key.required},
           {"description", text(key.summary)},
           {"default", key.default_text.empty() ? Json(nullptr) : text(key.default_text)},
           {"choices", nullptr}});
    json["types"].push_back(
        {{"type", type.name}, {"description", text(type.summary)}, {"options", std::move(keys)}});
  }
  for (const Problem& problem : loaded.problems)
    json["problems"].push_back(text(problem.message()));
  return json_response(json);
}

Result<Response> schema(const World&, const Question&) {
  return as("application/json", config_json_schema());
}

constexpr std::string_view kJson = "application/json", kBytes = "application/octet-stream";

}  // namespace

std::span<const Route> reading_routes() {
  static constexpr Route kRoutes[] = {
      {"GET", "about", "What serves, and which folder.", kJson, "", about},
      {"GET", "sweeps", "All sweeps below the folder, newest first.", kJson, "", sweeps},
      {"GET", "sweeps/{sweep}",
       "One sweep with its space, configuration, edits, notes and metrics.", kJson, "", sweep},
      {"GET", "sweeps/{sweep}/columns",
       "All runs as columns of numbers, or those changed since a version.", kBytes,
       "since: text: the version that was told before", columns},
      {"GET", "sweeps/{sweep}/runs", "Runs as rows.", kJson,
       "status: text: only these, separated by commas; text: text: what they contain; order: text: "
       "best, number, a parameter, a "
       "metric, with - in front the other way round; offset: integer: how many to pass over; "
       "limit: integer: how many at most; "
       "format: text: json or csv",
       runs},
      {"GET", "sweeps/{sweep}/series",
       "The values of one metric of some runs, thinned out so that peaks stay.", kJson,
       "metric: text: which one (default: the primary one); runs: text: their numbers, separated "
       "by commas; points: integer: at "
       "most so many of each run; from: integer: only from this place on",
       series},
      {"GET", "sweeps/{sweep}/curves",
       "The curves to draw where all runs are asked for, and how all of them stand.", kBytes,
       "metric: text: which one (default: the primary one); points: integer: at most so many of "
       "each run; most: integer: at most "
       "so many runs",
       many_curves},
      {"GET", "sweeps/{sweep}/decisions",
       "Runs that were stopped, cancelled or failed, and why, the latest first.", kJson,
       "before: integer: only those below this number; limit: integer: how many at most",
       decisions},
      {"GET", "sweeps/{sweep}/log", "What the engine did, in the order of time.", kJson,
       "from: integer: from this byte on", engine_log},
      {"GET", "sweeps/{sweep}/importance", "How much each parameter mattered.", kJson, "",
       importance},
      {"GET", "sweeps/{sweep}/runs/{run}", "Everything about one run.", kJson, "", run},
      {"GET", "sweeps/{sweep}/runs/{run}/thresholds",
       "What the policy compares the run with, report by report.", kJson, "", run_thresholds},
      {"GET", "sweeps/{sweep}/runs/{run}/log", "A piece of what the run printed.", kJson,
       "stream: text: stdout or stderr; from: integer: from this byte on; limit: integer: so many "
       "bytes at most; tail: integer: "
       "1: the end of it; rank: integer: of this process; attempt: integer: of an earlier attempt",
       printed},
      {"GET", "sweeps/{sweep}/runs/{run}/files", "The files in outputs and logs of the run.", kJson,
       "", files},
      {"GET", "sweeps/{sweep}/runs/{run}/file", "One of them.", kBytes,
       "path: text: outputs/model.pt; from: integer: from this byte on; limit: integer: so many "
       "bytes at most; render: integer: 1: pages and drawings as such, under a "
       "policy that lets them do nothing",
       file},
      {"GET", "targets", "The places where runs can go.", kJson, "", targets},
      {"GET", "schema", "The JSON Schema of hdconfig.yml.", kJson, "", schema},
  };
  return kRoutes;
}

}  // namespace hdrive::server::portal
