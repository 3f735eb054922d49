// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/routes.h"

#include "base/json.h"
#include "base/text.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/fields.h"
#include "server/url.h"

namespace hdrive::server::mlflow {
namespace {

constexpr std::string_view kTracking = "mlflow/", kProxy = "mlflow-artifacts/";

// Whether the path has the form of the route; what stands for its {} in `parts`.
bool fits(std::string_view path, std::string_view form, std::vector<std::string>& parts) {
  parts.clear();
  const auto given = base::split(path, '/'), wanted = base::split(form, '/');
  if (given.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (wanted[i] != "{}" && wanted[i] != given[i]) return false;
    if (wanted[i] != "{}") continue;
    auto part = percent_decoded(given[i]);
    if (!part || part->empty()) return false;
    parts.push_back(*std::move(part));
  }
  return true;
}

}  // namespace

Response fault_response(int status, std::string_view code, std::string_view message) {
  Response response;
  response.status = status;
  response.body = "{\"error_code\": " + base::json_string(code) +
                  ", \"message\": " + base::json_string(message) + "}";
  return response;
}

Response respond(const std::function<nlohmann::json()>& answer) {
  try {
    Response response;
    response.body = base::json_text(answer());
    return response;
  } catch (const Fault& fault) {
    return fault_response(fault.status, fault.code, fault.message);
  }
}

Api::Api(Tracking& tracking) : tracking_(tracking) {
  for (auto list : {logging_routes(), run_routes(), experiment_routes(), model_routes(),
                    registry_routes(), artifact_routes()})
    routes_.insert(routes_.end(), list.begin(), list.end());
}

Intake Api::begin(std::optional<RunId>, std::string_view path, const Request& head) {
  if (head.method != "PUT" || !path.starts_with(kProxy)) return std::monostate();
  path.remove_prefix(kProxy.size());
  try {
    return begin_upload(tracking_, path);
  } catch (const Fault& fault) {
    return fault_response(fault.status, fault.code, fault.message);
  }
}

Response Api::handle(std::optional<RunId> scope, std::string_view path, const Request& request) {
  if (path.starts_with(kProxy)) {
    path.remove_prefix(kProxy.size());
    try {
      return handle_artifact(tracking_, path, request);
    } catch (const Fault& fault) {
      return fault_response(fault.status, fault.code, fault.message);
    }
  }
  if (path.starts_with(kTracking)) path.remove_prefix(kTracking.size());
  Call call{tracking_, scope, {}, {}};
  bool other_method = false;
  for (const Route& route : routes_) {
    if (!fits(path, route.path, call.parts)) continue;
    if (route.method != request.method) {
      other_method = true;
      continue;
    }
    return respond([&] {
      call.fields =
          request.method == "GET" ? fields_of_query(request.query) : fields_of_body(request.body);
      return route.answer(call);
    });
  }
  if (other_method)
    return fault_response(405, "BAD_REQUEST",
                          request.method + " is not a method of " + std::string(path));
  return fault_response(404, "ENDPOINT_NOT_FOUND",
                        "hdrive's tracking server has no " + base::to_utf8(path) +
                            " (docs/mlflow.md tells what it has)");
}

}  // namespace hdrive::server::mlflow
