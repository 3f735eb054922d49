// SPDX-License-Identifier: Apache-2.0
//
// What the API tells: each route reads and changes nothing.
#include <unistd.h>

#include <algorithm>
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
#include "server/portal/routes.h"
#include "server/portal/run_files.h"
#include "server/portal/run_json.h"
#include "server/portal/sweep_json.h"

namespace hdrive::server::portal {
namespace {

Time now() { return make_steady_clock()->now(); }

Result<Response> about(const World& world, const Question&) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return json_response(
      {{"version", std::string(version())},
       {"api", 1},
       {"home", text(world.options.home.string())},
       {"home_hint", text(world.options.home_hint)},
       {"host", text(host)},
       {"read_only", world.options.read_only || !world.options.command},
       {"ends_with",
        world.options.ends_with.empty() ? Json(nullptr) : Json(world.options.ends_with)},
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

Result<Response> model(const World& world, const Question& question) {
  return of_sweep(world, question, [&](const SweepEntry& entry, SweepReader& reader) {
    return told(world.models.get(entry, reader));
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

}  // namespace

std::span<const Route> reading_routes() {
  static constexpr Route kRoutes[] = {
      {"GET", "about", "What serves, and which folder.", "About", "", about},
      {"GET", "sweeps", "All sweeps below the folder, newest first.", "Sweeps", "", sweeps},
      {"GET", "sweeps/{sweep}",
       "One sweep with its space, configuration, edits, notes and metrics.", "SweepDetails", "",
       sweep},
      {"GET", "sweeps/{sweep}/columns",
       "All runs as columns of numbers, or those changed since a version.", "bytes",
       "since: text: the version that was told before", columns_route},
      {"GET", "sweeps/{sweep}/runs", "Runs as rows.", "Runs, csv, arrow",
       "status: text: only these, separated by commas; text: text: what they contain; order: text: "
       "best, number, a parameter, a "
       "metric, with - in front the other way round; offset: integer: how many to pass over; "
       "limit: integer: how many at most (of JSON); "
       "format: text: json, csv or arrow; else what Accept says",
       runs_route},
      {"GET", "sweeps/{sweep}/series",
       "The values of one metric of some runs, thinned out so that peaks stay.",
       "SeriesList, csv, arrow",
       "metric: text: which one (default: the primary one); runs: text: their numbers, separated "
       "by commas, or else those of status, text, order, offset and limit, as in runs; points: "
       "integer: at most so many of each run, 0 for all; from: integer: only from this place on; "
       "status: text: only these, separated by commas; text: text: what the runs contain; order: "
       "text: best, number, a parameter, a metric; offset: integer: how many runs to pass over; "
       "limit: integer: how many runs at most; format: text: json, csv or arrow; else what Accept "
       "says",
       series_route},
      {"GET", "sweeps/{sweep}/curves",
       "The curves to draw where all runs are asked for, and how all of them stand.", "bytes",
       "metric: text: which one (default: the primary one); points: integer: at most so many of "
       "each run; most: integer: at most "
       "so many runs",
       curves_route},
      {"GET", "sweeps/{sweep}/decisions",
       "Runs that were stopped, cancelled or failed, and why, the latest first.", "Decisions",
       "before: integer: only those below this number; limit: integer: how many at most",
       decisions},
      {"GET", "sweeps/{sweep}/log", "What the engine did, in the order of time.", "EngineLog",
       "from: integer: from this byte on", engine_log},
      {"GET", "sweeps/{sweep}/importance", "How much each parameter mattered.", "Importance", "",
       importance},
      {"GET", "sweeps/{sweep}/model",
       "What the model of the sampler expects along each parameter, the others as in the best run.",
       "Model", "", model, Route::Takes::model},
      {"GET", "sweeps/{sweep}/runs/{run}", "Everything about one run.", "RunDetails", "", run},
      {"GET", "sweeps/{sweep}/runs/{run}/thresholds",
       "What the policy compares the run with, report by report.", "Thresholds", "",
       run_thresholds},
      {"GET", "sweeps/{sweep}/runs/{run}/log", "A piece of what the run printed.", "RunLog",
       "stream: text: stdout or stderr; from: integer: from this byte on; limit: integer: so many "
       "bytes at most; tail: integer: "
       "1: the end of it; rank: integer: of this process; attempt: integer: of an earlier attempt",
       printed},
      {"GET", "sweeps/{sweep}/runs/{run}/files", "The files in outputs and logs of the run.",
       "Files", "", files},
      {"GET", "sweeps/{sweep}/runs/{run}/file", "One of them.", "file",
       "path: text: outputs/model.pt; from: integer: from this byte on; limit: integer: so many "
       "bytes at most; render: integer: 1: pages and drawings as such, under a "
       "policy that lets them do nothing",
       file},
      {"GET", "targets", "The places where runs can go.", "Targets", "", targets},
      {"GET", "schema", "The JSON Schema of hdconfig.yml.", "any", "", schema},
  };
  return kRoutes;
}

}  // namespace hdrive::server::portal
