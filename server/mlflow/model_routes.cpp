// SPDX-License-Identifier: Apache-2.0
//
// MLflow 3's logged models: created, finished, tagged, searched for.
#include <algorithm>

#include "server/mlflow/artifacts.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"
#include "server/mlflow/routes.h"
#include "server/url.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;

const std::vector<std::string> kModelStatuses = {"LOGGED_MODEL_STATUS_UNSPECIFIED",
                                                 "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY",
                                                 "LOGGED_MODEL_UPLOAD_FAILED"};

json answer_with(ModelRecord& model) { return {{"model", model.to_json()}}; }

ModelRecord& active_model(Call& call) {
  ModelRecord& model = call.tracking.model(call.parts.front());
  if (model.state().deleted) refuse_missing("Logged model with ID '" + model.id() + "' not found.");
  return model;
}

void add_pairs(const json& fields, const char* list, const char* kind, std::vector<json>& facts) {
  for (const json& item : object_list(fields, list))
    facts.push_back(
        {{kind, required_text(item, "key")}, {"value", optional_text(item, "value").value_or("")}});
}

json create_model(Call& call) {
  const auto run = optional_text(call.fields, "source_run_id").value_or("");
  const auto experiment = optional_text(call.fields, "experiment_id").value_or(kSweepExperiment);
  std::vector<json> facts = {{{"version", 1},
                              {"experiment", experiment},
                              {"name", optional_text(call.fields, "name").value_or("model")},
                              {"type", optional_text(call.fields, "model_type").value_or("")},
                              {"source_run", run}}};
  add_pairs(call.fields, "params", "param", facts);
  add_pairs(call.fields, "tags", "tag", facts);
  return answer_with(call.tracking.create_model(call.scope, run, std::move(facts)));
}

json get_model(Call& call) {
  if (optional_text(call.fields, "allow_deleted").value_or("") == "true")
    return answer_with(call.tracking.model(call.parts.front()));
  return answer_with(active_model(call));
}

json finalize_model(Call& call) {
  ModelRecord& model = active_model(call);
  std::string status;
  if (const auto found = call.fields.find("status"); found != call.fields.end()) {
    if (found->is_number_unsigned() && *found < kModelStatuses.size())
      status = kModelStatuses[found->get<std::size_t>()];
    else if (found->is_string())
      status = found->get<std::string>();
  }
  if (std::find(kModelStatuses.begin(), kModelStatuses.end(), status) == kModelStatuses.end())
    refuse(
        "Invalid value for parameter 'status' supplied: allowed are LOGGED_MODEL_PENDING, "
        "LOGGED_MODEL_READY, LOGGED_MODEL_UPLOAD_FAILED");
  model.log({{{"status", status}}}, call.tracking.now());
  return answer_with(model);
}

json delete_model(Call& call) {
  active_model(call).log({{{"deleted", true}}}, call.tracking.now());
  return json::object();
}

json set_model_tags(Call& call) {
  ModelRecord& model = active_model(call);
  std::vector<json> facts;
  add_pairs(call.fields, "tags", "tag", facts);
  model.log(std::move(facts), call.tracking.now());
  return answer_with(model);
}

json delete_model_tag(Call& call) {
  active_model(call).log({{{"untag", call.parts.back()}}}, call.tracking.now());
  return json::object();
}

json log_model_params(Call& call) {
  ModelRecord& model = active_model(call);
  std::vector<json> facts;
  add_pairs(call.fields, "params", "param", facts);
  model.log(std::move(facts), call.tracking.now());
  return answer_with(model);
}

// Orders come as objects here: {"field_name": "metrics.loss", "ascending": false}.
std::vector<Order> model_orders_of(const json& fields) {
  std::vector<Order> orders;
  for (const json& item : object_list(fields, "order_by")) {
    Order order = parse_order(required_text(item, "field_name"), attributes_of_models());
    order.ascending = item.value("ascending", json(true)) != false;
    orders.push_back(order);
  }
  return orders;
}

struct FoundModel {
  json model;
  SortKey key;
};

json search_models(Call& call) {
  constexpr std::size_t kByDefault = 100, kMost = 1000;
  const auto experiments = text_list(call.fields, "experiment_ids");
  const auto clauses =
      parse_filter(optional_text(call.fields, "filter").value_or(""), attributes_of_models());
  const auto orders = model_orders_of(call.fields);
  const std::size_t most = max_results(call.fields, kByDefault, kMost);
  std::vector<FoundModel> found;
  call.tracking.each_model([&](ModelRecord& model) {
    const auto& state = model.state();
    const SearchableModel item(model);
    if (state.deleted ||
        std::find(experiments.begin(), experiments.end(), state.experiment) == experiments.end() ||
        !std::all_of(clauses.begin(), clauses.end(),
                     [&](const Clause& clause) { return matches(clause, item); }))
      return;
    found.push_back({model.to_json(), SortKey(orders, item, state.created, model.id())});
  });
  std::sort(found.begin(), found.end(), [&](const FoundModel& a, const FoundModel& b) {
    return a.key.comes_before(b.key, orders);
  });
  json models = json::array();
  std::uint64_t next = page_token(call.fields);
  for (; next < found.size() && models.size() < most; ++next)
    models.push_back(std::move(found[next].model));
  json answer = {{"models", std::move(models)}};
  if (next < found.size()) answer["next_page_token"] = std::to_string(next);
  return answer;
}

json list_directory(Call& call) {
  ModelRecord& model = active_model(call);
  const std::string below = optional_text(call.fields, "artifact_directory_path").value_or("");
  const auto parts = path_parts(below);
  if (!parts) refuse("Invalid path");
  json files = json::array();
  for (const ArtifactEntry& entry : Artifacts(model.artifacts()).list(*parts))
    files.push_back(json_of_entry(entry, below));
  return {{"root_uri", model.artifact_uri()}, {"files", std::move(files)}};
}

}  // namespace

std::vector<Route> model_routes() {
  return {{"POST", "logged-models", create_model},
          {"POST", "logged-models/search", search_models},
          {"GET", "logged-models/{}", get_model},
          {"PATCH", "logged-models/{}", finalize_model},
          {"DELETE", "logged-models/{}", delete_model},
          {"PATCH", "logged-models/{}/tags", set_model_tags},
          {"DELETE", "logged-models/{}/tags/{}", delete_model_tag},
          {"POST", "logged-models/{}/params", log_model_params},
          {"GET", "logged-models/{}/artifacts/directories", list_directory}};
}

}  // namespace hdrive::server::mlflow
