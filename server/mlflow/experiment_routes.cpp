// SPDX-License-Identifier: Apache-2.0
//
// Experiments: created, found, searched for, renamed, tagged.
#include <algorithm>

#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"
#include "server/mlflow/routes.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestExperimentName = 500, kLongestExperimentTag = 20'000;

const Experiment& experiment_of(Call& call) {
  const std::string id = required_text(call.fields, "experiment_id");
  const Experiment* found = call.tracking.experiments().find(id);
  if (!found) refuse_missing("No Experiment with id=" + id + " exists");
  return *found;
}

// A script chooses its experiment before it takes up its run: then the run is in that one.
void choose(Call& call, const Experiment& experiment) {
  if (!call.scope || experiment.deleted) return;
  if (RunRecord* run = call.tracking.run_of_sweep(*call.scope))
    run->choose_experiment(experiment.id);
}

json get_experiment(Call& call) {
  const Experiment& experiment = experiment_of(call);
  choose(call, experiment);
  return {{"experiment", experiment.to_json()}};
}

json get_by_name(Call& call) {
  const std::string name = required_text(call.fields, "experiment_name");
  const Experiment* found = call.tracking.experiments().find_by_name(name);
  if (!found) refuse_missing("Could not find experiment with name '" + name + "'");
  choose(call, *found);
  return {{"experiment", found->to_json()}};
}

json create_experiment(Call& call) {
  const std::string name = required_text(call.fields, "name");
  if (length_of(name) > kLongestExperimentName)
    refuse("Experiment name exceeds the maximum length of 500 characters");
  Experiments& experiments = call.tracking.experiments();
  if (const Experiment* found = experiments.find_by_name(name))
    throw Fault{
        400, "RESOURCE_ALREADY_EXISTS",
        "Experiment(name=" + name + ") already exists" +
            (found->deleted ? " in deleted state; restore it, or choose another name" : "")};
  const std::string id = experiments.create(name, call.tracking.now());
  for (const json& tag : object_list(call.fields, "tags"))
    experiments.log(
        id,
        {{"tag", required_text(tag, "key")}, {"value", optional_text(tag, "value").value_or("")}},
        call.tracking.now());
  choose(call, *experiments.find(id));
  return {{"experiment_id", id}};
}

json update_experiment(Call& call) {
  const std::string id = experiment_of(call).id;
  const std::string name = required_text(call.fields, "new_name");
  const Experiment* other = call.tracking.experiments().find_by_name(name);
  if (other && other->id != id)
    throw Fault{400, "RESOURCE_ALREADY_EXISTS", "Experiment(name=" + name + ") already exists"};
  call.tracking.experiments().log(id, {{"name", name}}, call.tracking.now());
  return json::object();
}

json set_experiment_deleted(Call& call, bool deleted) {
  const Experiment& experiment = experiment_of(call);
  if (experiment.id == kSweepExperiment || experiment.id == kDefaultExperiment)
    refuse("The experiment " + experiment.id + " is always there and cannot be deleted");
  call.tracking.experiments().log(std::string(experiment.id), {{"deleted", deleted}},
                                  call.tracking.now());
  return json::object();
}
json delete_experiment(Call& call) { return set_experiment_deleted(call, true); }
json restore_experiment(Call& call) { return set_experiment_deleted(call, false); }

json set_experiment_tag(Call& call) {
  const std::string id = experiment_of(call).id;
  const std::string key = required_text(call.fields, "key");
  const std::string value = optional_text(call.fields, "value").value_or("");
  if (value.size() > kLongestExperimentTag) refuse("The value of the tag exceeds 20000 characters");
  call.tracking.experiments().log(id, {{"tag", key}, {"value", value}}, call.tracking.now());
  return json::object();
}

json delete_experiment_tag(Call& call) {
  const std::string id = experiment_of(call).id;
  const std::string key = required_text(call.fields, "key");
  call.tracking.experiments().log(id, {{"untag", key}}, call.tracking.now());
  return json::object();
}

json search_experiments(Call& call) {
  constexpr std::size_t kByDefault = 1000, kMost = 50'000;
  const Attributes& attributes = attributes_of_experiments();
  const auto clauses = parse_filter(optional_text(call.fields, "filter").value_or(""), attributes);
  std::vector<Order> orders;
  for (const std::string& text : text_list(call.fields, "order_by"))
    orders.push_back(parse_order(text, attributes));
  struct FoundExperiment {
    const Experiment* experiment;
    SortKey key;
  };
  std::vector<FoundExperiment> found;
  for (const Experiment* one : call.tracking.experiments().all()) {
    const SearchableExperiment item(*one);
    if (is_in_view(call.fields, "view_type", one->deleted) &&
        std::all_of(clauses.begin(), clauses.end(),
                    [&](const Clause& clause) { return matches(clause, item); }))
      found.push_back({one, SortKey(orders, item, one->created, one->id)});
  }
  std::sort(found.begin(), found.end(), [&](const FoundExperiment& a, const FoundExperiment& b) {
    return a.key.comes_before(b.key, orders);
  });
  const std::size_t most = max_results(call.fields, kByDefault, kMost);
  json list = json::array();
  std::uint64_t next = page_token(call.fields);
  for (; next < found.size() && list.size() < most; ++next)
    list.push_back(found[next].experiment->to_json());
  json answer = {{"experiments", std::move(list)}};
  if (next < found.size()) answer["next_page_token"] = std::to_string(next);
  return answer;
}

}  // namespace

std::vector<Route> experiment_routes() {
  return {{"GET", "experiments/get", get_experiment},
          {"GET", "experiments/get-by-name", get_by_name},
          {"POST", "experiments/create", create_experiment},
          {"POST", "experiments/search", search_experiments},
          {"GET", "experiments/search", search_experiments},
          {"GET", "experiments/list", search_experiments},
          {"POST", "experiments/update", update_experiment},
          {"POST", "experiments/delete", delete_experiment},
          {"POST", "experiments/restore", restore_experiment},
          {"POST", "experiments/set-experiment-tag", set_experiment_tag},
          {"POST", "experiments/delete-experiment-tag", delete_experiment_tag}};
}

}  // namespace hdrive::server::mlflow
