// SPDX-License-Identifier: Apache-2.0
//
// MLflow's REST API 2.0 as a table of routes (routes.cpp), each answered by a function of the other files of this
// folder. Called from the server's thread.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http.h"
#include "server/mlflow/artifacts.h"
#include "server/mlflow/tracking.h"

namespace hdrive::server::mlflow {

/// One request on its way to the function that answers it.
struct Call {
  Tracking& tracking;
  std::optional<RunId> scope;      ///< whose script asks, where the address tells
  nlohmann::json fields;           ///< of the body, or of the query
  std::vector<std::string> parts;  ///< what stands for the {} of the route
};
using Answer = nlohmann::json (*)(Call& call);

struct Route {
  std::string_view method, path;  ///< behind "mlflow/": "logged-models/{}"
  Answer answer;
};

/// Experiments, runs, what is logged to runs, models, their registry, artifacts: a list each.
std::vector<Route> experiment_routes();
std::vector<Route> run_routes();
std::vector<Route> logging_routes();
std::vector<Route> model_routes();
std::vector<Route> registry_routes();
std::vector<Route> artifact_routes();

/// The answer as a response; a Fault as the JSON that MLflow's client makes an exception of.
Response respond(const std::function<nlohmann::json()>& answer);
Response fault_response(int status, std::string_view code, std::string_view message);

/// An entry of a folder `below` that of all artifacts, with its whole path.
nlohmann::json json_of_entry(const ArtifactEntry& entry, const std::string& below);

/// All requests below /api/2.0/ and /ajax-api/2.0/, by the path behind that.
class Api {
 public:
  explicit Api(Tracking& tracking);
  /// What is taken in pieces: an artifact that is uploaded.
  Intake begin(std::optional<RunId> scope, std::string_view path, const Request& head);
  Response handle(std::optional<RunId> scope, std::string_view path, const Request& request);

 private:
  Tracking& tracking_;
  std::vector<Route> routes_;
};

/// The proxy of artifacts, /api/2.0/mlflow-artifacts/artifacts/PATH.
Intake begin_upload(Tracking& tracking, std::string_view path);
Response handle_artifact(Tracking& tracking, std::string_view path, const Request& request);

}  // namespace hdrive::server::mlflow
