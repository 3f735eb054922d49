// SPDX-License-Identifier: Apache-2.0
//
// What MLflow's clients send: the first byte says which of the routes, a line says the path and the query, the rest is
// the body. Whatever it is, there is an answer that is JSON, no file outside the sweep's directory is touched, and a
// metric that was taken can be read again.
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"
#include "server/access.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/filter.h"
#include "server/mlflow/routes.h"
#include "server/url.h"
#include "tests/fuzz/fuzz.h"

using namespace hdrive;
using namespace hdrive::server;

namespace {

constexpr const char* kPaths[] = {"mlflow/runs/log-metric",
                                  "mlflow/runs/log-batch",
                                  "mlflow/runs/log-parameter",
                                  "mlflow/runs/set-tag",
                                  "mlflow/runs/search",
                                  "mlflow/runs/create",
                                  "mlflow/runs/update",
                                  "mlflow/experiments/search",
                                  "mlflow/experiments/create",
                                  "mlflow/logged-models",
                                  "mlflow/logged-models/search",
                                  "mlflow/runs/log-inputs",
                                  "mlflow/runs/log-model",
                                  "mlflow/runs/outputs",
                                  "mlflow/registered-models/create",
                                  "mlflow/model-versions/create",
                                  "mlflow/registered-models/alias",
                                  "mlflow/model-versions/transition-stage"};

// A sweep of one run, made anew now and then, since whatever is logged stays.
struct Sweep {
  std::filesystem::path folder = fuzz::directory() / "sweep";
  std::unique_ptr<mlflow::Tracking> tracking;
  std::unique_ptr<mlflow::Api> api;
  int requests = 0;

  void renew() {
    if (requests++ % 200 != 0) return;
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    const auto run = folder / "runs" / "0";
    std::filesystem::create_directories(run);
    fuzz::write(run / "run.json", "{\"version\": 1}");
    fuzz::write(run / "metrics.jsonl", "");
    tracking = std::make_unique<mlflow::Tracking>(folder, "HD", "fuzz");
    api = std::make_unique<mlflow::Api>(*tracking);
  }
};

void check_answer(const Response& response) {
  fuzz::require(response.status >= 200 && response.status < 600, "an answer has a status");
  if (response.file.file) return;
  const auto answer = base::parse_json(response.body);
  fuzz::require(answer.is_object(), "an answer is a JSON object");
  if (response.status != 200) fuzz::require(answer.contains("error_code"), "a refusal has a code");
}

void check_filter(std::string_view text) {
  try {
    mlflow::parse_filter(text, mlflow::attributes_of_runs());
  } catch (const mlflow::Fault& fault) {
    fuzz::require(!fault.message.empty(), "a filter is refused with a reason");
  }
  try {
    mlflow::parse_order(text, mlflow::attributes_of_runs());
  } catch (const mlflow::Fault&) {
  }
}

void check_path(std::string_view text) {
  if (const auto decoded = percent_decoded(text))
    if (const auto parts = path_parts(*decoded))
      for (const std::string& part : *parts)
        fuzz::require(!part.empty() && part != "." && part != ".." && part.find('/') == part.npos,
                      "no part of a path leads elsewhere");
  parse_query(text);
  fuzz::require(!authorizes(text, "a token that nobody knows"), "only the token opens");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Sweep sweep;
  if (size < 2) return 0;
  sweep.renew();
  std::string_view text = fuzz::text(data, size);
  const auto kind = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  check_filter(text);
  check_path(text);
  Request request;
  if (kind < std::size(kPaths)) {
    request.method = "POST";
    request.body = std::string(text);
    check_answer(sweep.api->handle(kind % 2 ? std::optional<RunId>(0) : std::nullopt, kPaths[kind],
                                   request));
    // Whatever was taken can be listed.
    if (kind < 2) sweep.tracking->run("HD_0").to_json();
    return 0;
  }
  const std::size_t mark = text.find('?');
  const std::string path = (kind % 2 ? "mlflow-artifacts/artifacts/1/HD_0/artifacts/" : "mlflow/") +
                           std::string(text.substr(0, mark));
  if (mark != text.npos) request.query = std::string(text.substr(mark + 1));
  constexpr const char* kMethods[] = {"GET", "DELETE", "PATCH", "POST"};
  request.method = kMethods[kind / 2 % 4];
  check_answer(sweep.api->handle({}, path, request));
  request.method = "PUT";
  Intake intake = sweep.api->begin({}, path, request);
  if (auto* upload = std::get_if<std::unique_ptr<Upload>>(&intake)) {
    fuzz::require(static_cast<bool>((*upload)->write("x")), "a file takes what comes");
    check_answer((*upload)->finish());
  }
  fuzz::require(std::filesystem::exists(sweep.folder / "runs" / "0" / "run.json"),
                "what is no artifact stays");
  return 0;
}
