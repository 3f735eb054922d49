// SPDX-License-Identifier: Apache-2.0
//
// The API of MLflow without sockets: requests to Api, files in a directory like a sweep's.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/mlflow/routes.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct Fixture {
  test::TemporaryDirectory folder;
  std::unique_ptr<Tracking> tracking;
  std::unique_ptr<Api> api;
  std::optional<RunId> scope;

  explicit Fixture(int runs = 1) {
    for (int n = 0; n < runs; ++n) add_run(n);
    restart();
  }

  void restart() {
    api.reset();
    tracking = std::make_unique<Tracking>(folder.path(), "HD_x", "digits");
    api = std::make_unique<Api>(*tracking);
  }

  fs::path run_directory(int n) const { return folder.path() / "runs" / std::to_string(n); }
  void add_run(int n) {
    fs::create_directories(run_directory(n) / "outputs");
    std::ofstream(run_directory(n) / "run.json")
        << "{\"version\": 1, \"proposed\": " << 1000 + n << ".5}";
    std::ofstream(run_directory(n) / "metrics.jsonl").flush();
  }
  void end_run(int n, const std::string& how) {
    std::ofstream(run_directory(n) / "exit.json")
        << "{\"version\": 1, " << how << ", \"ended\": 2000.25}";
  }

  json call(const std::string& method, const std::string& path, const json& fields,
            int status = 200) {
    Request request;
    request.method = method;
    if (method == "GET")
      for (const auto& [name, value] : fields.items())
        request.query += (request.query.empty() ? "" : "&") + name + "=" + value.get<std::string>();
    else
      request.body = base::json_text(fields);
    const Response response = api->handle(scope, path, request);
    INFO(response.body);
    CHECK(response.status == status);
    return base::parse_json(response.body);
  }
  json post(const std::string& path, const json& fields, int status = 200) {
    return call("POST", "mlflow/" + path, fields, status);
  }
  json get(const std::string& path, const json& fields, int status = 200) {
    return call("GET", "mlflow/" + path, fields, status);
  }
  json run(const std::string& id) { return get("runs/get", {{"run_id", id}})["run"]; }
  std::vector<std::string> search(json fields) {
    fields.emplace("experiment_ids", json::array({"1"}));
    std::vector<std::string> ids;
    const json answer = post("runs/search", fields);
    for (const json& found : answer["runs"]) ids.push_back(found["info"]["run_id"]);
    return ids;
  }
};

std::map<std::string, std::string> map_of(const json& list) {
  std::map<std::string, std::string> map;
  for (const json& item : list)
    map[item["key"]] =
        item["value"].is_string() ? item["value"].get<std::string>() : item["value"].dump();
  return map;
}

using Ids = std::vector<std::string>;

TEST_CASE("what is logged to a run is found there, by the next engine too") {
  Fixture at;
  at.post(
      "runs/log-metric",
      {{"run_id", "HD_x_0"}, {"key", "loss"}, {"value", 0.5}, {"timestamp", 1000}, {"step", 1}});
  at.post("runs/log-parameter", {{"run_id", "HD_x_0"}, {"key", "lr"}, {"value", "0.1"}});
  at.post("runs/set-tag", {{"run_id", "HD_x_0"}, {"key", "stage"}, {"value", "one"}});
  at.post("runs/log-batch",
          {{"run_id", "HD_x_0"},
           {"metrics", {{{"key", "loss"}, {"value", "NaN"}, {"timestamp", "1001"}, {"step", "2"}}}},
           {"params", {{{"key", "depth"}, {"value", "3"}}}},
           {"tags", {{{"key", "mlflow.runName"}, {"value", "mine"}}}}});
  at.restart();
  const json run = at.run("HD_x_0");
  CHECK(run["info"]["status"] == "RUNNING");
  CHECK(run["info"]["start_time"] == 1'000'500);
  CHECK(run["info"]["run_name"] == "mine");
  CHECK(map_of(run["data"]["params"]) ==
        std::map<std::string, std::string>{{"depth", "3"}, {"lr", "0.1"}});
  CHECK(map_of(run["data"]["tags"])["stage"] == "one");
  CHECK(map_of(run["data"]["metrics"])["loss"] == "NaN");
  const json history =
      at.get("metrics/get-history", {{"run_id", "HD_x_0"}, {"metric_key", "loss"}})["metrics"];
  REQUIRE(history.size() == 2);
  CHECK(history[0] == json{{"key", "loss"}, {"value", 0.5}, {"timestamp", 1000}, {"step", 1}});
}

TEST_CASE("a param keeps its value") {
  Fixture at;
  const json param = {{"run_id", "HD_x_0"}, {"key", "lr"}, {"value", "0.1"}};
  at.post("runs/log-parameter", param);
  at.post("runs/log-parameter", param);
  json other = param;
  other["value"] = "0.2";
  CHECK(at.post("runs/log-parameter", other, 400)["error_code"] == "INVALID_PARAMETER_VALUE");
  at.post("runs/log-batch",
          {{"run_id", "HD_x_0"},
           {"metrics", {{{"key", "loss"}, {"value", 1}, {"timestamp", 1}}}},
           {"params", {{{"key", "lr"}, {"value", "0.2"}}}}},
          400);
  CHECK(at.run("HD_x_0")["data"]["metrics"].empty());
}

TEST_CASE("how the process ended decides, and then no metric is taken") {
  Fixture at(4);
  at.post("runs/update", {{"run_id", "HD_x_0"}, {"status", "FINISHED"}, {"end_time", 5}});
  CHECK(at.run("HD_x_0")["info"]["status"] == "FINISHED");
  at.end_run(0, "\"exit_code\": 1");
  at.end_run(1, "\"exit_code\": 0");
  at.end_run(2, "\"signal\": 9");
  at.end_run(3, "\"exit_code\": 0, \"canceled\": true");
  const char* statuses[] = {"FAILED", "FINISHED", "KILLED", "KILLED"};
  for (int n = 0; n < 4; ++n) {
    const json info = at.run("HD_x_" + std::to_string(n))["info"];
    CHECK(info["status"] == statuses[n]);
    CHECK(info["end_time"] == 2'000'250);
  }
  CHECK(at.post("runs/log-metric", {{"run_id", "HD_x_1"}, {"key", "a"}, {"value", 1}},
                400)["error_code"] == "INVALID_STATE");
  at.post("runs/set-tag", {{"run_id", "HD_x_1"}, {"key", "after"}, {"value", "all"}});
  // What is tried again lives again.
  fs::remove(at.run_directory(0) / "exit.json");
  CHECK(at.run("HD_x_0")["info"]["status"] == "RUNNING");
  at.post("runs/log-metric", {{"run_id", "HD_x_0"}, {"key", "a"}, {"value", 1}});
}

TEST_CASE("a nested run has files of its own, and its metrics are not the run's") {
  Fixture at;
  const json created = at.post(
      "runs/create", {{"experiment_id", "1"},
                      {"start_time", 7},
                      {"run_name", "child"},
                      {"tags", {{{"key", "mlflow.parentRunId"}, {"value", "HD_x_0"}}}}})["run"];
  const std::string id = created["info"]["run_id"];
  at.post("runs/log-metric", {{"run_id", id}, {"key", "loss"}, {"value", 3}, {"timestamp", 1}});
  CHECK(at.run("HD_x_0")["data"]["metrics"].empty());
  CHECK(fs::exists(at.run_directory(0) / "mlflow" / id / "metrics.jsonl"));
  at.restart();
  CHECK(map_of(at.run(id)["data"]["metrics"])["loss"] == "3.0");
  CHECK(at.search({{"filter", "tags.mlflow.parentRunId = 'HD_x_0'"}}) == Ids{id});
  // The next attempt of the run begins without it.
  fs::create_directories(at.run_directory(0) / "attempt-1");
  fs::rename(at.run_directory(0) / "mlflow", at.run_directory(0) / "attempt-1" / "mlflow");
  at.get("runs/get", {{"run_id", id}}, 404);
  CHECK(at.search({}) == Ids{"HD_x_0"});
}

TEST_CASE("what has no owner is kept with the sweep") {
  Fixture at;
  const json created = at.post("runs/create", {{"experiment_id", "0"}})["run"];
  CHECK(fs::exists(at.folder.path() / "mlflow" / created["info"]["run_id"].get<std::string>() /
                   "mlflow.jsonl"));
  at.scope = 0;
  at.post("runs/set-tag", {{"run_id", "HD_x_0"}, {"key", "taken"}, {"value", "up"}});
  const json own = at.post("runs/create", {{"experiment_id", "0"}})["run"];
  CHECK(fs::exists(at.run_directory(0) / "mlflow" / own["info"]["run_id"].get<std::string>()));
}

TEST_CASE("the first run that a script creates is the one that it is") {
  Fixture at(2);
  at.scope = 0;
  const json created = at.post("runs/create", {{"experiment_id", "0"},
                                               {"run_name", "mine"},
                                               {"tags", {{{"key", "a"}, {"value", "b"}}}}})["run"];
  CHECK(created["info"]["run_id"] == "HD_x_0");
  CHECK(created["info"]["run_name"] == "mine");
  CHECK(created["info"]["experiment_id"] == "0");
  const json second = at.post("runs/create", {{"experiment_id", "0"}})["run"];
  CHECK(second["info"]["run_id"] != "HD_x_0");
  at.scope = 1;
  at.post("runs/log-metric", {{"run_id", "HD_x_1"}, {"key", "loss"}, {"value", 1}});
  const json other = at.post("runs/create", {{"experiment_id", "0"}})["run"];
  CHECK(other["info"]["run_id"] != "HD_x_1");
}

TEST_CASE("a search filters, sorts and comes in pages") {
  Fixture at(5);
  for (int n = 0; n < 5; ++n)
    at.post("runs/log-metric", {{"run_id", "HD_x_" + std::to_string(n)},
                                {"key", "loss"},
                                {"value", n % 3},
                                {"timestamp", 1}});
  CHECK(at.search({{"filter", "metrics.loss < 2"},
                   {"order_by", {"metrics.loss DESC", "attributes.start_time ASC"}}}) ==
        Ids{"HD_x_1", "HD_x_4", "HD_x_0", "HD_x_3"});
  CHECK(at.search({}) == Ids{"HD_x_4", "HD_x_3", "HD_x_2", "HD_x_1", "HD_x_0"});
  Ids found;
  std::string token;
  do {
    const json page = at.post(
        "runs/search", {{"experiment_ids", {"1"}}, {"max_results", 2}, {"page_token", token}});
    for (const json& run : page["runs"]) found.push_back(run["info"]["run_id"]);
    token = page.value("next_page_token", "");
  } while (!token.empty());
  CHECK(found.size() == 5);
  at.post("runs/delete", {{"run_id", "HD_x_4"}});
  CHECK(at.search({{"run_view_type", "DELETED_ONLY"}}) == Ids{"HD_x_4"});
  CHECK(at.search({}).size() == 4);
  at.post("runs/log-metric", {{"run_id", "HD_x_4"}, {"key", "a"}, {"value", 1}}, 400);
  at.post("runs/restore", {{"run_id", "HD_x_4"}});
  CHECK(at.search({{"run_view_type", "ALL"}}).size() == 5);
}

TEST_CASE("a script that sets an experiment finds its run in it") {
  Fixture at;
  at.scope = 0;
  CHECK(at.get("experiments/get-by-name",
               {{"experiment_name", "digits"}})["experiment"]["experiment_id"] == "1");
  CHECK(at.get("experiments/get-by-name", {{"experiment_name", "iris"}}, 404)["error_code"] ==
        "RESOURCE_DOES_NOT_EXIST");
  const std::string id = at.post("experiments/create", {{"name", "iris"}})["experiment_id"];
  CHECK(at.post("experiments/create", {{"name", "iris"}}, 400)["error_code"] ==
        "RESOURCE_ALREADY_EXISTS");
  CHECK(at.run("HD_x_0")["info"]["experiment_id"] == id);
  at.post("runs/update", {{"run_id", "HD_x_0"}, {"status", "RUNNING"}});
  // What it sets from now on is for runs that it creates.
  at.get("experiments/get", {{"experiment_id", "0"}});
  at.restart();
  CHECK(at.run("HD_x_0")["info"]["experiment_id"] == id);
  CHECK(at.search({{"experiment_ids", {id}}}) == Ids{"HD_x_0"});
}

TEST_CASE("experiments are renamed, tagged, deleted and searched for") {
  Fixture at;
  const std::string id =
      at.post("experiments/create",
              {{"name", "a"}, {"tags", {{{"key", "k"}, {"value", "v"}}}}})["experiment_id"];
  at.post("experiments/update", {{"experiment_id", id}, {"new_name", "b"}});
  at.post("experiments/set-experiment-tag",
          {{"experiment_id", id}, {"key", "team"}, {"value", "x"}});
  at.restart();
  const auto names = [&](const json& fields) {
    Ids found;
    const json answer = at.post("experiments/search", fields);
    for (const json& one : answer["experiments"]) found.push_back(one["name"]);
    return found;
  };
  CHECK(names({{"order_by", {"name ASC"}}}) == Ids{"Default", "b", "digits"});
  CHECK(names({{"filter", "tags.team = 'x' AND name LIKE 'b%'"}}) == Ids{"b"});
  at.post("experiments/delete", {{"experiment_id", id}});
  CHECK(names({{"view_type", "DELETED_ONLY"}}) == Ids{"b"});
  at.post("experiments/delete", {{"experiment_id", "1"}}, 400);
}

TEST_CASE("a logged model is created, finished and found, and its files are the run's") {
  Fixture at;
  const json made =
      at.post("logged-models", {{"experiment_id", "1"},
                                {"name", "tree"},
                                {"source_run_id", "HD_x_0"},
                                {"params", {{{"key", "depth"}, {"value", "3"}}}}})["model"];
  const std::string id = made["info"]["model_id"];
  CHECK(made["info"]["status"] == "LOGGED_MODEL_PENDING");
  at.call("PATCH", "mlflow/logged-models/" + id,
          {{"model_id", id}, {"status", "LOGGED_MODEL_READY"}});
  at.call("PATCH", "mlflow/logged-models/" + id + "/tags",
          {{"tags", {{{"key", "t"}, {"value", "1"}}}}});
  at.post(
      "runs/log-metric",
      {{"run_id", "HD_x_0"}, {"key", "acc"}, {"value", 0.9}, {"timestamp", 1}, {"model_id", id}});
  at.post("runs/outputs", {{"run_id", "HD_x_0"}, {"models", {{{"model_id", id}, {"step", 0}}}}});
  at.restart();
  const json model = at.get("logged-models/" + id, json::object())["model"];
  CHECK(model["info"]["status"] == "LOGGED_MODEL_READY");
  CHECK(map_of(model["data"]["params"])["depth"] == "3");
  CHECK(model["data"]["metrics"][0]["value"] == 0.9);
  CHECK(at.run("HD_x_0")["outputs"]["model_outputs"][0]["model_id"] == id);
  const json found =
      at.post("logged-models/search",
              {{"experiment_ids", {"1"}}, {"filter", "metrics.acc > 0.5 AND name = 'tree'"}});
  CHECK(found["models"].size() == 1);
  Request head;
  head.method = "PUT";
  Intake intake =
      at.api->begin({}, "mlflow-artifacts/artifacts/1/models/" + id + "/artifacts/MLmodel", head);
  auto& upload = std::get<std::unique_ptr<Upload>>(intake);
  REQUIRE(upload->write("flavors"));
  CHECK(upload->finish().status == 200);
  CHECK(fs::exists(at.run_directory(0) / "outputs" / "models" / id / "MLmodel"));
  at.call("DELETE", "mlflow/logged-models/" + id, json::object());
  at.get("logged-models/" + id, json::object(), 404);
}

TEST_CASE("artifacts come and go through the proxy, and nothing leads out") {
  Fixture at;
  const auto put = [&](const std::string& path) {
    Request head;
    head.method = "PUT";
    return at.api->begin({}, "mlflow-artifacts/artifacts/" + path, head);
  };
  Intake intake = put("1/HD_x_0/artifacts/a%20dir/plot.png");
  auto& upload = std::get<std::unique_ptr<Upload>>(intake);
  REQUIRE(upload->write("12345"));
  upload->finish();
  CHECK(fs::file_size(at.run_directory(0) / "outputs" / "a dir" / "plot.png") == 5);
  const json listed = at.get("artifacts/list", {{"run_id", "HD_x_0"}, {"path", "a%20dir"}});
  CHECK(listed["files"] ==
        json::array({{{"path", "a dir/plot.png"}, {"is_dir", false}, {"file_size", 5}}}));
  const json proxied =
      at.call("GET", "mlflow-artifacts/artifacts", {{"path", "1/HD_x_0/artifacts/a%20dir"}});
  CHECK(proxied["files"][0]["path"] == "plot.png");
  for (const char* path :
       {"1/HD_x_0/artifacts/../run.json", "1/HD_x_0/artifacts/%2e%2e/run.json",
        "1/HD_x_0/artifacts/..%2frun.json", "1/HD_x_0/artifacts//etc/passwd",
        "1/HD_x_0/artifacts/%00", "1/HD_x_0/artifacts/%zz", "1/HD_x_0/elsewhere/a",
        "1/HD_x_9/artifacts/a", "1/..", "1/HD_x_0/artifacts"}) {
    CAPTURE(path);
    CHECK(std::holds_alternative<Response>(put(path)));
    Request request;
    request.method = "GET";
    CHECK(at.api->handle({}, std::string("mlflow-artifacts/artifacts/") + path, request).status >=
          400);
  }
  at.call("DELETE", "mlflow-artifacts/artifacts/1/HD_x_0/artifacts/a%20dir", json::object());
  CHECK(fs::is_empty(at.run_directory(0) / "outputs"));
}

TEST_CASE("models are registered under names, with versions that count") {
  Fixture at;
  const json tags = json::array({{{"key", "a"}, {"value", "1"}}});
  CHECK(at.post("registered-models/create",
                {{"name", "m"}, {"tags", tags}})["registered_model"]["tags"] == tags);
  CHECK(at.post("registered-models/create", {{"name", "m"}}, 400)["error_code"] ==
        "RESOURCE_ALREADY_EXISTS");
  at.post("registered-models/create", {{"name", "a/b"}}, 400);
  at.post("model-versions/create", {{"name", "other"}, {"source", "s"}}, 404);
  for (const char* source : {"mlflow-artifacts:/1/HD_x_0/artifacts/one", "two"})
    at.post("model-versions/create", {{"name", "m"}, {"source", source}, {"run_id", "HD_x_0"}});
  const json second =
      at.get("model-versions/get", {{"name", "m"}, {"version", "2"}})["model_version"];
  CHECK(second["source"] == "two");
  CHECK(second["status"] == "READY");
  CHECK(second["run_id"] == "HD_x_0");
  CHECK(second["current_stage"] == "None");
  CHECK(at.get("model-versions/get-download-uri",
               {{"name", "m"}, {"version", "1"}})["artifact_uri"] ==
        "mlflow-artifacts:/1/HD_x_0/artifacts/one");

  at.post("registered-models/alias", {{"name", "m"}, {"alias", "best"}, {"version", "1"}});
  CHECK(at.get("registered-models/alias",
               {{"name", "m"}, {"alias", "best"}})["model_version"]["version"] == "1");
  at.post("model-versions/transition-stage",
          {{"name", "m"}, {"version", "1"}, {"stage", "Production"}});
  at.post("model-versions/transition-stage", {{"name", "m"},
                                              {"version", "2"},
                                              {"stage", "Production"},
                                              {"archive_existing_versions", true}});
  at.post("model-versions/transition-stage", {{"name", "m"}, {"version", "2"}, {"stage", "prod"}},
          400);
  const json latest = at.post("registered-models/get-latest-versions",
                              {{"name", "m"}, {"stages", {"Production"}}})["model_versions"];
  REQUIRE(latest.size() == 1);
  CHECK(latest[0]["version"] == "2");
  CHECK(at.get("model-versions/search",
               {{"filter", "name = 'm' AND run_id = 'HD_x_0'"}})["model_versions"]
            .size() == 2);
  // As MLflow's clients ask for all.
  CHECK(at.get("registered-models/search",
               {{"filter", "tag.`mlflow.prompt.is_prompt` != 'true'"}})["registered_models"]
            .size() == 1);
  at.get("model-versions/search", {{"max_results", "200000"}});
  at.get("registered-models/search", {{"max_results", "1001"}}, 400);
  CHECK(at.get("registered-models/search", {{"filter", "name LIKE 'x_'"}})["registered_models"]
            .empty());

  const std::string logged = at.post(
      "logged-models", {{"experiment_id", "1"}, {"name", "x"}})["model"]["info"]["model_id"];
  at.post("registered-models/create", {{"name", "l"}});
  at.post("model-versions/create", {{"name", "l"}, {"source", "models:/" + logged}});
  at.restart();
  CHECK(at.get("model-versions/get-download-uri",
               {{"name", "l"}, {"version", "1"}})["artifact_uri"] ==
        "mlflow-artifacts:/1/models/" + logged + "/artifacts");

  at.call("DELETE", "mlflow/model-versions/delete", {{"name", "m"}, {"version", "1"}});
  at.get("model-versions/get", {{"name", "m"}, {"version", "1"}}, 404);
  at.get("registered-models/alias", {{"name", "m"}, {"alias", "best"}}, 400);
  // Another server on the same files, as after a crash, knows what this one did.
  at.restart();
  CHECK(at.post("model-versions/create",
                {{"name", "m"}, {"source", "three"}})["model_version"]["version"] == "3");
  at.call("DELETE", "mlflow/registered-models/delete", {{"name", "m"}});
  at.get("registered-models/get", {{"name", "m"}}, 404);
}

TEST_CASE("requests that are wrong are answered with MLflow's codes") {
  Fixture at;
  CHECK(at.get("runs/get", json::object(), 400)["message"].get<std::string>().find("'run_id'") !=
        std::string::npos);
  CHECK(at.get("runs/get", {{"run_id", "HD_x_7"}}, 404)["error_code"] == "RESOURCE_DOES_NOT_EXIST");
  for (const char* id : {"HD_x_00", "HD_x_-1", "HD_x_", "HD_x_0/..", "../x"})
    at.get("runs/get", {{"run_id", id}}, 404);
  CHECK(at.post("traces/search", json::object(), 404)["error_code"] == "ENDPOINT_NOT_FOUND");
  at.get("runs/create", json::object(), 405);
  const json metric = {{"run_id", "HD_x_0"}, {"key", "a"}, {"value", 1}, {"timestamp", 1}};
  for (const json& change : std::vector<json>{{{"value", "x"}},
                                              {{"value", nullptr}},
                                              {{"timestamp", -1}},
                                              {{"step", 1.5}},
                                              {{"key", std::string(251, 'a')}},
                                              {{"key", 3}},
                                              {{"timestamp", "x"}}}) {
    json wrong = metric;
    wrong.update(change);
    CHECK(at.post("runs/log-metric", wrong, 400)["error_code"] == "INVALID_PARAMETER_VALUE");
  }
  json many = {{"run_id", "HD_x_0"}, {"metrics", json::array()}};
  for (int i = 0; i < 1001; ++i) many["metrics"].push_back(metric);
  at.post("runs/log-batch", many, 400);
  for (const char* body : {"[]", "{", "nonsense", "3"}) {
    Request request;
    request.method = "POST";
    request.body = body;
    CHECK(at.api->handle({}, "mlflow/runs/create", request).status == 400);
  }
  CHECK(at.run("HD_x_0")["data"]["metrics"].empty());
}

}  // namespace
}  // namespace hdrive::server::mlflow
