// SPDX-License-Identifier: Apache-2.0
//
// Artifacts: lists of them, and the proxy through which files come and go, mlflow-artifacts:/EXPERIMENT/RUN/artifacts
// and mlflow-artifacts:/EXPERIMENT/models/MODEL/artifacts.
#include <algorithm>

#include "server/mlflow/artifacts.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"
#include "server/mlflow/routes.h"
#include "server/url.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;

constexpr std::string_view kFiles = "artifacts";

// A place among the artifacts of a run or a model.
struct Place {
  Artifacts artifacts;
  std::vector<std::string> path;
};

std::vector<std::string> parts_or_refuse(const std::string& path) {
  auto parts = path_parts(path);
  if (!parts) refuse("Invalid path: no part of it may be empty, \".\" or \"..\"");
  return *std::move(parts);
}

Place place_of(Tracking& tracking, const std::vector<std::string>& parts) {
  const auto is_at = [&](std::size_t i, std::string_view word) {
    return parts.size() > i && parts[i] == word;
  };
  if (is_at(1, "models") && is_at(3, kFiles))
    return {Artifacts(tracking.model(parts[2]).artifacts()), {parts.begin() + 4, parts.end()}};
  if (is_at(2, kFiles))
    return {Artifacts(tracking.run(parts[1]).artifacts()), {parts.begin() + 3, parts.end()}};
  refuse_missing(
      "There are artifacts of runs (EXPERIMENT/RUN/artifacts) and of models "
      "(EXPERIMENT/models/MODEL/artifacts) alone");
}

// "artifacts/1/HD_.../artifacts/model.pkl", still encoded.
Place place_of_address(Tracking& tracking, std::string_view path) {
  path.remove_prefix(std::min(path.size(), kFiles.size() + 1));
  const auto decoded = percent_decoded(path);
  if (!decoded) refuse("Invalid path: it cannot be decoded");
  return place_of(tracking, parts_or_refuse(*decoded));
}

bool is_file_address(std::string_view path) {
  return path.starts_with(kFiles) && path.size() > kFiles.size() + 1 && path[kFiles.size()] == '/';
}

Response download(const Place& place) {
  Response response;
  response.file = place.artifacts.open(place.path);
  // Never a page: what a run has written is nothing to run in a browser.
  response.type = "application/octet-stream";
  response.headers = "X-Content-Type-Options: nosniff\r\n";
  return response;
}

// The proxy tells names, not paths.
json list_of_proxy(Tracking& tracking, const json& fields) {
  const Place place =
      place_of(tracking, parts_or_refuse(optional_text(fields, "path").value_or("")));
  json files = json::array();
  for (const ArtifactEntry& entry : place.artifacts.list(place.path))
    files.push_back(json_of_entry(entry, ""));
  return {{"files", std::move(files)}};
}

json list_artifacts(Call& call) {
  RunRecord& run = call.tracking.run(run_id_of(call.fields));
  const std::string below = optional_text(call.fields, "path").value_or("");
  json files = json::array();
  for (const ArtifactEntry& entry : Artifacts(run.artifacts()).list(parts_or_refuse(below)))
    files.push_back(json_of_entry(entry, below));
  return {{"root_uri", run.artifact_uri()}, {"files", std::move(files)}};
}

}  // namespace

json json_of_entry(const ArtifactEntry& entry, const std::string& below) {
  json file = {{"path", below.empty() ? entry.name : below + "/" + entry.name},
               {"is_dir", entry.is_directory}};
  if (!entry.is_directory) file["file_size"] = entry.size;
  return file;
}

Intake begin_upload(Tracking& tracking, std::string_view path) {
  if (!is_file_address(path)) return std::monostate();
  const Place place = place_of_address(tracking, path);
  return place.artifacts.upload(place.path);
}

Response handle_artifact(Tracking& tracking, std::string_view path, const Request& request) {
  if (path.starts_with("mpu/"))
    throw Fault{501, "NOT_IMPLEMENTED",
                "Multipart upload is not supported: files of any size are uploaded in one request"};
  if (path == kFiles && request.method == "GET")
    return respond([&] { return list_of_proxy(tracking, fields_of_query(request.query)); });
  if (is_file_address(path) && request.method == "GET")
    return download(place_of_address(tracking, path));
  if (is_file_address(path) && request.method == "DELETE") {
    const Place place = place_of_address(tracking, path);
    place.artifacts.remove(place.path);
    return respond([] { return json::object(); });
  }
  return fault_response(404, "ENDPOINT_NOT_FOUND", "no such address of artifacts");
}

std::vector<Route> artifact_routes() { return {{"GET", "artifacts/list", list_artifacts}}; }

}  // namespace hdrive::server::mlflow
