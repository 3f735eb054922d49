// SPDX-License-Identifier: Apache-2.0
//
// The registry of models: registered, found, searched for, tagged, given aliases and stages.
#include <algorithm>
#include <charconv>

#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"
#include "server/mlflow/routes.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestName = 256;

const RegisteredModel& model_of(Call& call) {
  const std::string name = required_text(call.fields, "name");
  const RegisteredModel* found = call.tracking.registry().find(name);
  if (!found) refuse_missing("Registered Model with name=" + name + " not found");
  return *found;
}

const ModelVersion& version_of(const RegisteredModel& model, const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto found = model.versions.find(number);
  if (error != std::errc{} || end != text.data() + text.size() || found == model.versions.end())
    refuse_missing("Model Version (name=" + model.name + ", version=" + text + ") not found");
  return found->second;
}

// `version`: a text, or the number that older clients send.
std::string version_text(Call& call) {
  if (const auto found = call.fields.find("version");
      found != call.fields.end() && found->is_number_integer())
    return std::to_string(found->get<std::int64_t>());
  return required_text(call.fields, "version");
}
const ModelVersion& version_of(Call& call, const RegisteredModel& model) {
  return version_of(model, version_text(call));
}

json answer_with(const RegisteredModel& model) { return {{"registered_model", model.to_json()}}; }
json answer_with(const RegisteredModel& model, const ModelVersion& version) {
  return {{"model_version", model.to_json(version)}};
}

void add_tags(Call& call, json about, std::vector<json>& facts) {
  for (const json& tag : object_list(call.fields, "tags")) {
    about["tag"] = required_text(tag, "key");
    about["value"] = optional_text(tag, "value").value_or("");
    facts.push_back(about);
  }
}

// Logs about the model, or about its version, and answers with what is there then.
json change_model(Call& call, std::vector<json> facts) {
  const std::string name = model_of(call).name;
  call.tracking.registry().log(name, std::move(facts), call.tracking.now());
  return answer_with(model_of(call));
}
json change_version(Call& call, json fact) {
  const RegisteredModel& model = model_of(call);
  const std::string name = model.name;
  fact["number"] = version_of(call, model).number;
  call.tracking.registry().log(name, {std::move(fact)}, call.tracking.now());
  const RegisteredModel& changed = model_of(call);
  return answer_with(changed, version_of(call, changed));
}

json create_registered(Call& call) {
  const std::string name = required_text(call.fields, "name");
  if (length_of(name) > kLongestName || name.find_first_of("/:") != name.npos)
    refuse("Invalid model name '" + name +
           "': a name has at most 256 characters, and neither '/' nor ':'");
  if (call.tracking.registry().find(name))
    throw Fault{400, "RESOURCE_ALREADY_EXISTS",
                "Registered Model (name=" + name + ") already exists."};
  std::vector<json> facts = {
      {{"created", true}, {"description", optional_text(call.fields, "description").value_or("")}}};
  add_tags(call, json::object(), facts);
  call.tracking.registry().log(name, std::move(facts), call.tracking.now());
  return answer_with(model_of(call));
}

json get_registered(Call& call) { return answer_with(model_of(call)); }

json update_registered(Call& call) {
  return change_model(call,
                      {{{"description", optional_text(call.fields, "description").value_or("")}}});
}

json delete_registered(Call& call) {
  const std::string name = model_of(call).name;
  call.tracking.registry().log(name, {{{"deleted", true}}}, call.tracking.now());
  return json::object();
}

json set_registered_tag(Call& call) {
  change_model(call, {{{"tag", required_text(call.fields, "key")},
                       {"value", optional_text(call.fields, "value").value_or("")}}});
  return json::object();
}

json delete_registered_tag(Call& call) {
  change_model(call, {{{"untag", required_text(call.fields, "key")}}});
  return json::object();
}

json set_alias(Call& call) {
  change_version(call, {{"alias", required_text(call.fields, "alias")}});
  return json::object();
}

json delete_alias(Call& call) {
  change_model(call, {{{"unalias", required_text(call.fields, "alias")}}});
  return json::object();
}

json get_by_alias(Call& call) {
  const RegisteredModel& model = model_of(call);
  const std::string alias = required_text(call.fields, "alias");
  const auto found = model.aliases.find(alias);
  if (found == model.aliases.end())
    throw Fault{400, "INVALID_PARAMETER_VALUE", "Registered model alias " + alias + " not found."};
  return answer_with(model, version_of(model, std::to_string(found->second)));
}

json get_latest(Call& call) {
  const RegisteredModel& model = model_of(call);
  const auto stages = text_list(call.fields, "stages");
  json versions = json::array();
  for (const auto& [stage, version] : model.latest())
    if (stages.empty() || std::find(stages.begin(), stages.end(), stage) != stages.end())
      versions.push_back(model.to_json(*version));
  return {{"model_versions", std::move(versions)}};
}

json create_version(Call& call) {
  const RegisteredModel& model = model_of(call);
  const std::string name = model.name;
  const std::int64_t number = model.highest + 1;
  std::vector<json> facts = {
      {{"number", number},
       {"source", required_text(call.fields, "source")},
       {"run_id", optional_text(call.fields, "run_id").value_or("")},
       {"model_id", optional_text(call.fields, "model_id").value_or("")},
       {"description", optional_text(call.fields, "description").value_or("")}}};
  add_tags(call, {{"number", number}}, facts);
  call.tracking.registry().log(name, std::move(facts), call.tracking.now());
  const RegisteredModel& changed = model_of(call);
  return answer_with(changed, version_of(changed, std::to_string(number)));
}

json get_version(Call& call) {
  const RegisteredModel& model = model_of(call);
  return answer_with(model, version_of(call, model));
}

json update_version(Call& call) {
  return change_version(call,
                        {{"description", optional_text(call.fields, "description").value_or("")}});
}

json delete_version(Call& call) {
  const RegisteredModel& model = model_of(call);
  const std::string name = model.name;
  const std::int64_t number = version_of(call, model).number;
  call.tracking.registry().log(name, {{{"number", number}, {"deleted", true}}},
                               call.tracking.now());
  return json::object();
}

json set_version_tag(Call& call) {
  change_version(call, {{"tag", required_text(call.fields, "key")},
                        {"value", optional_text(call.fields, "value").value_or("")}});
  return json::object();
}

json delete_version_tag(Call& call) {
  change_version(call, {{"untag", required_text(call.fields, "key")}});
  return json::object();
}

json move_to_stage(Call& call) {
  const std::string wanted = required_text(call.fields, "stage");
  const std::vector<std::string> stages = {"None", "Staging", "Production", "Archived"};
  if (std::find(stages.begin(), stages.end(), wanted) == stages.end())
    refuse("Invalid Model Version stage: " + wanted +
           ". Value must be one of None, Staging, Production, Archived.");
  const bool alone = call.fields.value("archive_existing_versions", json(false)) == true;
  if (alone && (wanted == "Staging" || wanted == "Production")) {
    const RegisteredModel& model = model_of(call);
    const std::string name = model.name;
    std::vector<json> facts;
    for (const auto& [number, version] : model.versions)
      if (version.stage == wanted && number != version_of(call, model).number)
        facts.push_back({{"number", number}, {"stage", "Archived"}});
    call.tracking.registry().log(name, std::move(facts), call.tracking.now());
  }
  return change_version(call, {{"stage", wanted}});
}

// Where its files can be had: of a logged model, where they are.
json get_download_uri(Call& call) {
  constexpr std::string_view kLogged = "models:/m-";
  const RegisteredModel& model = model_of(call);
  const std::string source = version_of(call, model).source;
  if (!source.starts_with(kLogged)) return {{"artifact_uri", source}};
  const std::string id = source.substr(std::string_view("models:/").size());
  return {{"artifact_uri", call.tracking.model(id).artifact_uri()}};
}

struct Found {
  json item;
  SortKey key;
};

// What a search has found, in its order, as far as one page goes.
json page_of(Call& call, std::vector<Found> found, const std::vector<Order>& orders,
             const char* name, std::size_t by_default, std::size_t at_most) {
  std::sort(found.begin(), found.end(),
            [&](const Found& a, const Found& b) { return a.key.comes_before(b.key, orders); });
  const std::size_t most = max_results(call.fields, by_default, at_most);
  json items = json::array();
  std::uint64_t next = page_token(call.fields);
  for (; next < found.size() && items.size() < most; ++next)
    items.push_back(std::move(found[next].item));
  json answer = {{name, std::move(items)}};
  if (next < found.size()) answer["next_page_token"] = std::to_string(next);
  return answer;
}

struct Search {
  Search(Call& call, const Attributes& attributes)
      : clauses(parse_filter(optional_text(call.fields, "filter").value_or(""), attributes)) {
    for (const std::string& text : text_list(call.fields, "order_by"))
      orders.push_back(parse_order(text, attributes));
  }
  bool finds(const Searchable& item) const {
    return std::all_of(clauses.begin(), clauses.end(),
                       [&](const Clause& clause) { return matches(clause, item); });
  }
  std::vector<Clause> clauses;
  std::vector<Order> orders;
};

json search_registered(Call& call) {
  const Search search(call, attributes_of_registered_models());
  std::vector<Found> found;
  for (const auto& [name, model] : call.tracking.registry().all()) {
    const SearchableRegistered item(model);
    if (search.finds(item))
      found.push_back({model.to_json(), SortKey(search.orders, item, 0, name)});
  }
  return page_of(call, std::move(found), search.orders, "registered_models", 100, 1000);
}

json search_versions(Call& call) {
  const Search search(call, attributes_of_model_versions());
  std::vector<Found> found;
  for (const auto& [name, model] : call.tracking.registry().all()) {
    for (const auto& [number, version] : model.versions) {
      const SearchableVersion item(model, version);
      if (search.finds(item))
        found.push_back({model.to_json(version),
                         SortKey(search.orders, item, number, name + std::to_string(number))});
    }
  }
  return page_of(call, std::move(found), search.orders, "model_versions", 10'000, 200'000);
}

}  // namespace

std::vector<Route> registry_routes() {
  return {{"POST", "registered-models/create", create_registered},
          {"GET", "registered-models/get", get_registered},
          {"GET", "registered-models/search", search_registered},
          {"PATCH", "registered-models/update", update_registered},
          {"DELETE", "registered-models/delete", delete_registered},
          {"GET", "registered-models/get-latest-versions", get_latest},
          {"POST", "registered-models/get-latest-versions", get_latest},
          {"POST", "registered-models/set-tag", set_registered_tag},
          {"DELETE", "registered-models/delete-tag", delete_registered_tag},
          {"GET", "registered-models/alias", get_by_alias},
          {"POST", "registered-models/alias", set_alias},
          {"DELETE", "registered-models/alias", delete_alias},
          {"POST", "model-versions/create", create_version},
          {"GET", "model-versions/get", get_version},
          {"GET", "model-versions/search", search_versions},
          {"PATCH", "model-versions/update", update_version},
          {"DELETE", "model-versions/delete", delete_version},
          {"GET", "model-versions/get-download-uri", get_download_uri},
          {"POST", "model-versions/set-tag", set_version_tag},
          {"DELETE", "model-versions/delete-tag", delete_version_tag},
          {"POST", "model-versions/transition-stage", move_to_stage}};
}

}  // namespace hdrive::server::mlflow
