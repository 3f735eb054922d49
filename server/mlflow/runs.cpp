// SPDX-License-Identifier: Apache-2.0
//
// Runs: created, found, updated, deleted, searched for.
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"
#include "server/mlflow/routes.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;

constexpr char kParentTag[] = "mlflow.parentRunId";
const std::vector<std::string> kRunStatuses = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED",
                                               "KILLED"};

// Clients send statuses by name or by number, from 1.
std::optional<std::string> status_of(const json& fields) {
  const auto found = fields.find("status");
  if (found == fields.end() || found->is_null()) return std::nullopt;
  if (found->is_number_integer()) {
    const auto number = found->get<std::int64_t>();
    if (number >= 1 && number <= static_cast<std::int64_t>(kRunStatuses.size()))
      return kRunStatuses[static_cast<std::size_t>(number - 1)];
  } else if (found->is_string() && std::find(kRunStatuses.begin(), kRunStatuses.end(),
                                             found->get<std::string>()) != kRunStatuses.end()) {
    return found->get<std::string>();
  }
  refuse("Invalid value for parameter 'status' supplied: allowed are " +
         base::join(kRunStatuses, ", "));
}

// Whose script creates the run: by the address it asks at, or by the parent it names.
std::optional<RunId> owner_of(Call& call, const std::vector<json>& tags) {
  if (call.scope) return call.scope;
  for (const json& tag : tags)
    if (tag.value("tag", "") == kParentTag)
      return call.tracking.run(tag.value("value", "")).owner().run;
  return std::nullopt;
}

// A script that creates its run by itself (MlflowClient, loggers of frameworks) means the one that it is: the first time
// it gets that, unless it has taken it up before.
RunRecord* own_run(Call& call, const std::vector<json>& tags) {
  const bool nested = std::any_of(
      tags.begin(), tags.end(), [](const json& tag) { return tag.value("tag", "") == kParentTag; });
  RunRecord* run = call.scope && !nested ? call.tracking.run_of_sweep(*call.scope) : nullptr;
  return run && run->is_untouched() ? run : nullptr;
}

json create_run(Call& call) {
  const std::string experiment =
      optional_text(call.fields, "experiment_id").value_or(kSweepExperiment);
  const Experiment* found = call.tracking.experiments().find(experiment);
  if (!found) refuse_missing("No Experiment with id=" + experiment + " exists");
  if (found->deleted)
    refuse("The experiment " + experiment +
           " must be in the 'active' state. Current state is deleted.");
  std::string name = optional_text(call.fields, "run_name").value_or("");
  std::vector<json> tags;
  for (const json& tag : object_list(call.fields, "tags")) {
    const std::string key = required_text(tag, "key");
    const std::string value = optional_text(tag, "value").value_or("");
    if (key == "mlflow.runName" && name.empty()) name = value;
    tags.push_back({{"tag", key}, {"value", value}});
  }
  const auto owner = owner_of(call, tags);
  const std::int64_t start =
      optional_integer(call.fields, "start_time").value_or(call.tracking.now());
  std::vector<json> facts = {{{"version", 1},
                              {"experiment", experiment},
                              {"name", name},
                              {"user", optional_text(call.fields, "user_id").value_or("")},
                              {"start_time", start}}};
  facts.insert(facts.end(), tags.begin(), tags.end());
  if (RunRecord* own = own_run(call, tags)) {
    own->log(facts);
    return {{"run", own->to_json()}};
  }
  return {{"run", call.tracking.create_run(owner, std::move(facts)).to_json()}};
}

json get_run(Call& call) { return {{"run", call.tracking.run(run_id_of(call.fields)).to_json()}}; }

json update_run(Call& call) {
  RunRecord& run = call.tracking.run(run_id_of(call.fields));
  json entry = json::object();
  if (auto status = status_of(call.fields)) entry["status"] = *std::move(status);
  if (const auto time = optional_integer(call.fields, "end_time")) entry["end_time"] = *time;
  if (auto name = optional_text(call.fields, "run_name")) {
    entry["tag"] = "mlflow.runName";
    entry["value"] = *name;
    entry["name"] = *std::move(name);
  }
  // From now on it is in the experiment that its script has chosen.
  if (run.is_of_sweep() && run.state().experiment.empty())
    entry["experiment"] = run.info()["experiment_id"];
  if (!entry.empty()) run.log({std::move(entry)});
  return {{"run_info", run.info()}};
}

json set_run_deleted(Call& call, bool deleted) {
  RunRecord& run = call.tracking.run(run_id_of(call.fields));
  if (run.state().deleted != deleted) run.log({{{"deleted", deleted}}});
  return json::object();
}
json delete_run(Call& call) { return set_run_deleted(call, true); }
json restore_run(Call& call) { return set_run_deleted(call, false); }

// ---- searching ----------------------------------------------------------------------------------

// The runs themselves may be too many to be held at once.
struct FoundRun {
  std::string id;
  SortKey key;
};

std::vector<FoundRun> find_runs(Call& call, const std::vector<Clause>& clauses,
                                const std::vector<Order>& orders) {
  const auto experiments = text_list(call.fields, "experiment_ids");
  std::vector<FoundRun> found;
  call.tracking.each_run([&](RunRecord& run) {
    const SearchableRun item(run);
    const json info = run.info();
    const auto experiment = info["experiment_id"].get<std::string>();
    if (std::find(experiments.begin(), experiments.end(), experiment) == experiments.end() ||
        !is_in_view(call.fields, "run_view_type", info["lifecycle_stage"] == "deleted") ||
        !std::all_of(clauses.begin(), clauses.end(),
                     [&](const Clause& clause) { return matches(clause, item); }))
      return;
    found.push_back(
        {run.id(), SortKey(orders, item, info["start_time"].get<std::int64_t>(), run.id())});
  });
  return found;
}

json search_runs(Call& call) {
  constexpr std::size_t kByDefault = 1000, kMost = 50'000;
  const auto clauses =
      parse_filter(optional_text(call.fields, "filter").value_or(""), attributes_of_runs());
  std::vector<Order> orders;
  for (const std::string& text : text_list(call.fields, "order_by"))
    orders.push_back(parse_order(text, attributes_of_runs()));
  const std::size_t most = max_results(call.fields, kByDefault, kMost);
  const std::uint64_t first = page_token(call.fields);
  std::vector<FoundRun> found = find_runs(call, clauses, orders);
  std::sort(found.begin(), found.end(), [&](const FoundRun& a, const FoundRun& b) {
    return a.key.comes_before(b.key, orders);
  });
  json runs = json::array();
  std::uint64_t next = first;
  for (; next < found.size() && next - first < most; ++next)
    runs.push_back(call.tracking.run(found[next].id).to_json());
  json answer = {{"runs", std::move(runs)}};
  if (next < found.size()) answer["next_page_token"] = std::to_string(next);
  return answer;
}

}  // namespace

std::vector<Route> run_routes() {
  return {{"POST", "runs/create", create_run},   {"GET", "runs/get", get_run},
          {"POST", "runs/update", update_run},   {"POST", "runs/delete", delete_run},
          {"POST", "runs/restore", restore_run}, {"POST", "runs/search", search_runs}};
}

}  // namespace hdrive::server::mlflow
