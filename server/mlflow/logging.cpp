// SPDX-License-Identifier: Apache-2.0
//
// What is logged to runs: metrics, params, tags, datasets, models.
#include <cmath>
#include <map>

#include "base/json.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"
#include "server/mlflow/routes.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;

// MLflow's own limits; of texts we take longer ones than it does, up to what one line may hold.
constexpr std::size_t kMostMetricsOfBatch = 1000, kMostOthers = 100, kMostOfAll = 1000;
constexpr std::size_t kLongestKey = 250, kLongestKeyBytes = 255, kLongestText = 256 << 10;

std::string in_quotes(const std::string& text) { return "'" + text + "'"; }

void check_key(const std::string& key, const char* what) {
  if (length_of(key) > kLongestKey || key.size() > kLongestKeyBytes)
    refuse(std::string(what) + " name " + in_quotes(key.substr(0, 50) + "...") +
           " exceeds the maximum length of 250 characters (255 bytes)");
}

void check_text(const std::string& key, const std::string& text) {
  if (text.size() > kLongestText)
    refuse("The value of " + in_quotes(key) + " had length " + std::to_string(text.size()) +
           ", which exceeded the limit of 256 kB");
}

RunRecord& active_run(Call& call) {
  RunRecord& run = call.tracking.run(run_id_of(call.fields));
  if (run.state().deleted)
    refuse("The run " + run.id() + " must be in the 'active' state. Current state is deleted.");
  return run;
}

std::string optional_value(const json& fields) {
  const auto found = fields.find("value");
  if (found == fields.end() || found->is_null()) return {};
  if (!found->is_string())
    refuse("Invalid value for parameter 'value' supplied: expected a string");
  return found->get<std::string>();
}

Point point_in(Call& call, const json& fields) {
  Point point;
  point.name = required_text(fields, "key");
  check_key(point.name, "Metric");
  point.value = required_number(fields, "value");
  point.timestamp = optional_integer(fields, "timestamp").value_or(call.tracking.now());
  if (point.timestamp < 0)
    refuse("Got invalid timestamp " + std::to_string(point.timestamp) + " for metric " +
           in_quotes(point.name) + ". Timestamp must be a nonnegative long (64-bit integer)");
  point.step = optional_integer(fields, "step").value_or(0);
  return point;
}

// A metric of a model, as its journal keeps it.
json metric_of_model(const json& fields, const Point& point, const std::string& run_id) {
  json metric = {{"key", point.name},
                 {"value", json_of(point.value)},
                 {"timestamp", point.timestamp},
                 {"step", point.step},
                 {"run_id", run_id}};
  for (const char* key : {"model_id", "dataset_name", "dataset_digest"})
    if (auto text = optional_text(fields, key)) metric[key] = *std::move(text);
  return metric;
}

void log_to_models(Call& call, const std::map<std::string, std::vector<json>>& metrics) {
  for (const auto& [model, entries] : metrics)
    call.tracking.model(model).log(entries, call.tracking.now());
}

json log_metric(Call& call) {
  RunRecord& run = active_run(call);
  const Point point = point_in(call, call.fields);
  run.log_metrics({point});
  if (const auto model = optional_text(call.fields, "model_id"))
    log_to_models(call, {{*model, {{{"metric", metric_of_model(call.fields, point, run.id())}}}}});
  return json::object();
}

// The entry of a param; nothing where it is there already. One that is there with another value is a Fault.
std::optional<json> param_entry(const std::map<std::string, std::string>& params,
                                const std::string& run_id, const json& fields) {
  const std::string key = required_text(fields, "key"), value = optional_value(fields);
  check_key(key, "Param");
  check_text(key, value);
  const auto found = params.find(key);
  if (found == params.end()) return json{{"param", key}, {"value", value}};
  if (found->second == value) return std::nullopt;
  refuse("Changing param values is not allowed. Param with key=" + in_quotes(key) +
         " was already logged with value=" + in_quotes(found->second) + " for run ID=" +
         in_quotes(run_id) + ". Attempted logging new value " + in_quotes(value) + ".");
}

json log_param(Call& call) {
  RunRecord& run = active_run(call);
  if (auto entry = param_entry(run.state().params, run.id(), call.fields))
    run.log({*std::move(entry)});
  return json::object();
}

std::vector<json> tag_entries(const json& fields) {
  const std::string key = required_text(fields, "key"), value = optional_value(fields);
  check_key(key, "Tag");
  check_text(key, value);
  std::vector<json> entries = {{{"tag", key}, {"value", value}}};
  if (key == "mlflow.runName") entries.push_back({{"name", value}});
  return entries;
}

json set_tag(Call& call) {
  active_run(call).log(tag_entries(call.fields));
  return json::object();
}

json delete_tag(Call& call) {
  RunRecord& run = active_run(call);
  const std::string key = required_text(call.fields, "key");
  if (!run.state().tags.contains(key))
    refuse_missing("No tag with name: " + key + " in run with id " + run.id());
  run.log({{{"untag", key}}});
  return json::object();
}

void check_size(const json& list, std::size_t most, const char* what) {
  if (list.size() > most)
    refuse("A batch logging request can contain at most " + std::to_string(most) + " " + what +
           ". Got " + std::to_string(list.size()) + " " + what + ". Please split up " + what +
           " across multiple requests and try again.");
}

// All is looked at before anything is written.
json log_batch(Call& call) {
  RunRecord& run = active_run(call);
  const json &metrics = object_list(call.fields, "metrics"),
             &params = object_list(call.fields, "params"), &tags = object_list(call.fields, "tags");
  check_size(metrics, kMostMetricsOfBatch, "metrics");
  check_size(params, kMostOthers, "params");
  check_size(tags, kMostOthers, "tags");
  if (metrics.size() + params.size() + tags.size() > kMostOfAll)
    refuse("A batch logging request can contain at most 1000 metrics, params and tags together.");
  std::vector<Point> points;
  std::map<std::string, std::vector<json>> of_models;
  for (const json& metric : metrics) {
    points.push_back(point_in(call, metric));
    if (const auto model = optional_text(metric, "model_id"))
      of_models[*model].push_back({{"metric", metric_of_model(metric, points.back(), run.id())}});
  }
  std::vector<json> entries;
  auto known = run.state().params;
  for (const json& param : params) {
    auto entry = param_entry(known, run.id(), param);
    if (!entry) continue;
    known[(*entry)["param"].get<std::string>()] = (*entry)["value"].get<std::string>();
    entries.push_back(*std::move(entry));
  }
  for (const json& tag : tags)
    for (json& entry : tag_entries(tag)) entries.push_back(std::move(entry));
  run.log(entries);
  run.log_metrics(points);
  log_to_models(call, of_models);
  return json::object();
}

// Before MLflow 3 a model was a tag of its run.
json log_model(Call& call) {
  RunRecord& run = active_run(call);
  const json model = base::parse_json(required_text(call.fields, "model_json"));
  if (!model.is_object()) refuse("Malformed model info. 'model_json' does not hold a JSON object");
  constexpr char kHistory[] = "mlflow.log-model.history";
  const auto& tags = run.state().tags;
  const auto found = tags.find(kHistory);
  json history = found == tags.end() ? json::array() : base::parse_json(found->second);
  if (!history.is_array()) history = json::array();
  history.push_back(model);
  run.log({{{"tag", kHistory}, {"value", base::json_text(history)}}});
  return json::object();
}

// One entry for each that is not there yet.
std::vector<json> new_entries(const json& list, const char* kind,
                              const std::vector<std::string>& known) {
  std::vector<json> entries;
  for (const json& item : list) {
    const std::string text = base::json_text(item);
    if (std::find(known.begin(), known.end(), text) == known.end())
      entries.push_back({{kind, item}});
  }
  return entries;
}

json log_inputs(Call& call) {
  RunRecord& run = active_run(call);
  auto entries = new_entries(object_list(call.fields, "datasets"), "dataset", run.state().datasets);
  for (json& entry :
       new_entries(object_list(call.fields, "models"), "model_input", run.state().model_inputs))
    entries.push_back(std::move(entry));
  run.log(entries);
  return json::object();
}

json log_outputs(Call& call) {
  RunRecord& run = active_run(call);
  run.log(
      new_entries(object_list(call.fields, "models"), "model_output", run.state().model_outputs));
  return json::object();
}

// ---- and read again -----------------------------------------------------------------------------

constexpr std::size_t kMostOfHistory = 1'000'000;

json json_of_point(const Point& point) {
  return {{"key", point.name},
          {"value", json_of(point.value)},
          {"timestamp", point.timestamp},
          {"step", point.step}};
}

json get_history(Call& call) {
  RunRecord& run = call.tracking.run(run_id_of(call.fields));
  const auto page =
      run.metrics().history(required_text(call.fields, "metric_key"), page_token(call.fields),
                            max_results(call.fields, kMostOfHistory, kMostOfHistory));
  json metrics = json::array();
  for (const Point& point : page.points) metrics.push_back(json_of_point(point));
  json answer = {{"metrics", std::move(metrics)}};
  if (page.next) answer["next_page_token"] = std::to_string(*page.next);
  return answer;
}

// Of each run at most so many points within the steps, evenly spread, first and last among them.
json get_history_bulk_interval(Call& call) {
  constexpr std::size_t kByDefault = 320, kMost = 2500;
  const auto runs = text_list(call.fields, "run_ids");
  if (runs.empty()) required_text(call.fields, "run_ids");
  const std::string key = required_text(call.fields, "metric_key");
  const auto first = optional_integer(call.fields, "start_step"),
             last = optional_integer(call.fields, "end_step");
  const std::size_t most = max_results(call.fields, kByDefault, kMost);
  json metrics = json::array();
  for (const std::string& id : runs) {
    auto points = call.tracking.run(id).metrics().history(key, 0, kMostOfHistory).points;
    std::erase_if(points, [&](const Point& point) {
      return (first && point.step < *first) || (last && point.step > *last);
    });
    const std::size_t count = std::min(points.size(), most);
    for (std::size_t i = 0; i < count; ++i) {
      json metric = json_of_point(points[count > 1 ? i * (points.size() - 1) / (count - 1) : 0]);
      metric["run_id"] = id;
      metrics.push_back(std::move(metric));
    }
  }
  return {{"metrics", std::move(metrics)}};
}

}  // namespace

std::vector<Route> logging_routes() {
  return {{"POST", "runs/log-metric", log_metric},
          {"POST", "runs/log-batch", log_batch},
          {"POST", "runs/log-parameter", log_param},
          {"POST", "runs/set-tag", set_tag},
          {"POST", "runs/delete-tag", delete_tag},
          {"POST", "runs/log-model", log_model},
          {"POST", "runs/log-inputs", log_inputs},
          {"POST", "runs/outputs", log_outputs},
          {"GET", "metrics/get-history", get_history},
          {"GET", "metrics/get-history-bulk-interval", get_history_bulk_interval}};
}

}  // namespace hdrive::server::mlflow
