// SPDX-License-Identifier: Apache-2.0
//
// The public face: an address and a token that stay, the token asked of everybody, and whose script it is that asks.
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/sha256.h"
#include "base/text.h"
#include "hdrive/ids.h"
#include "hdrive/server.h"
#include "server/access.h"
#include "server/http_server.h"
#include "server/kept_address.h"
#include "server/listener.h"
#include "server/mlflow/routes.h"
#include "server/mlflow/tracking.h"
#include "server/scope.h"

namespace hdrive {
namespace server {
namespace {

namespace fs = std::filesystem;

constexpr char kLoopbackAddress[] = "127.0.0.1";
// Ports are sought below those that Linux gives to outgoing connections (from 32768 on), one of which could have it
// when the next engine wants it again.
constexpr int kFirstPort = 20'000, kPorts = 12'000, kTries = 32;
// What follows a run's scope in an address: "/runs/7/api/2.0/...".
constexpr std::string_view kApis[] = {"/api/2.0/", "/ajax-api/2.0/"};
// MLflow's client asks for it before it uses what newer servers have.
constexpr char kMlflowVersion[] = "3.0.0";

// Takes "/runs/7" off the front.
std::optional<RunId> take_scope(std::string_view& path) {
  if (!path.starts_with(kScope)) return std::nullopt;
  const std::string_view rest = path.substr(kScope.size());
  RunId run = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), run);
  if (error != std::errc{} || run < 0 || end == rest.data() + rest.size() || *end != '/')
    return std::nullopt;
  path = rest.substr(static_cast<std::size_t>(end - rest.data()));
  return run;
}

class SweepHandler final : public Handler {
 public:
  SweepHandler(const ServerOptions& options, std::string token)
      : token_(std::move(token)),
        tracking_(options.directory, options.sweep_id, options.experiment),
        api_(tracking_) {}

  Intake begin(const Request& head) override {
    if (!authorizes(head.authorization, token_)) return unauthorized();
    std::string_view path = head.path;
    const auto scope = take_scope(path);
    for (const std::string_view api : kApis)
      if (path.starts_with(api)) return api_.begin(scope, path.substr(api.size()), head);
    return std::monostate();
  }

  Response handle(const Request& request) override {
    std::string_view path = request.path;
    const auto scope = take_scope(path);
    if (path == "/health") return text("OK");
    if (path == "/version") return text(kMlflowVersion);
    for (const std::string_view api : kApis)
      if (path.starts_with(api)) return api_.handle(scope, path.substr(api.size()), request);
    return refuse(404, "hdrive's tracking server has no such address (docs/mlflow.md)");
  }

  Response refuse(int status, std::string_view why) override {
    return mlflow::fault_response(status,
                                  status == 404   ? "ENDPOINT_NOT_FOUND"
                                  : status == 500 ? "INTERNAL_ERROR"
                                                  : "BAD_REQUEST",
                                  why);
  }

 private:
  static Response text(std::string body) { return {200, "text/plain", std::move(body), {}, ""}; }

  static Response unauthorized() {
    Response response = mlflow::fault_response(
        401, "UNAUTHENTICATED",
        "this server belongs to a sweep of hdrive; its runs find the token in "
        "MLFLOW_TRACKING_TOKEN, others in server.json of the sweep's directory");
    response.headers = "WWW-Authenticate: Bearer, Basic realm=\"hdrive\"\r\n";
    return response;
  }

  const std::string token_;
  mlflow::Tracking tracking_;
  mlflow::Api api_;
};

class Server final : public SweepServer {
 public:
  Server(ServerOptions options, KeptAddress at, std::unique_ptr<HttpServer> http)
      : options_(std::move(options)),
        token_(std::move(at.token)),
        url_("http://" + to_string(reachable(at.address))),
        http_(std::move(http)) {}

  const std::string& url() const override { return url_; }
  const std::string& token() const override { return token_; }
  std::vector<std::pair<std::string, std::string>> environment(
      const RunRequest& request) const override {
    return {{"MLFLOW_TRACKING_URI", url_ + std::string(kScope) + std::to_string(request.run)},
            {"MLFLOW_TRACKING_TOKEN", token_},
            {"MLFLOW_RUN_ID", request.run_id},
            // And no MLFLOW_EXPERIMENT_ID: a script that sets the name itself would contradict it.
            {"MLFLOW_EXPERIMENT_NAME", options_.experiment}};
  }

 private:
  const ServerOptions options_;
  const std::string token_, url_;
  std::unique_ptr<HttpServer> http_;
};

// A port of one's own for each sweep, so that several do not all seek at one place.
int first_port(const std::string& sweep_id) {
  const std::string digest = base::sha256(sweep_id).substr(0, 7);
  unsigned number = 0;
  std::from_chars(digest.data(), digest.data() + digest.size(), number, 16);
  return static_cast<int>(number % kPorts);
}

Result<base::UniqueFd> listen_somewhere(const std::string& host, const std::string& sweep_id) {
  const int first = first_port(sweep_id);
  for (int i = 0; i < kTries; ++i) {
    auto listener = listen_at({host, kFirstPort + (first + i) % kPorts});
    if (listener || listener.error().kind != Error::Kind::busy) return listener;
  }
  return listen_at({host, 0});
}

// The runs need most descriptors.
std::size_t most_connections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1024;
  return static_cast<std::size_t>(std::clamp<rlim_t>(limit.rlim_cur / 4, 16, 2048));
}

Result<base::UniqueFd> listen(const Address& wanted, const std::optional<KeptAddress>& kept,
                              const std::string& sweep_id, std::string& note) {
  if (wanted.port != 0) return listen_at(wanted);
  if (!kept || kept->address.host != wanted.host) return listen_somewhere(wanted.host, sweep_id);
  auto listener = listen_at(kept->address);
  if (listener || listener.error().kind != Error::Kind::busy) return listener;
  listener = listen_somewhere(wanted.host, sweep_id);
  if (listener)
    note = "another program has taken " + to_string(kept->address) +
           ", where this sweep's server listened; it listens at port " +
           std::to_string(port_of(*listener)) +
           " now, and what runs from before log with MLflow fails until they are started again";
  return listener;
}

}  // namespace
}  // namespace server

namespace {

Result<server::Address> parse_or_error(const std::string& text) {
  if (text.empty()) return server::Address{server::kLoopbackAddress, 0};
  const auto address = server::parse_address(text);
  if (address) return *address;
  return Error{"server_address",
               base::json_string(text) + " is no address; allowed: HOST, HOST:PORT or :PORT",
               Error::Kind::invalid};
}

}  // namespace

Result<StartedServer> start_server(const ServerOptions& options) {
  using namespace server;
  const auto wanted = parse_or_error(options.address);
  if (!wanted) return wanted.error();
  const auto kept = read_kept_address(options.directory);
  StartedServer started;
  auto listener = listen(*wanted, kept, options.sweep_id, started.note);
  if (!listener) return listener.error();
  const KeptAddress now{{wanted->host, port_of(*listener)}, kept ? kept->token : new_token()};
  if (!kept || kept->address != now.address)
    if (auto done = keep_address(options.directory, now); !done) return done.error();
  HttpLimits limits;
  limits.connections = most_connections();
  auto http = HttpServer::start(*std::move(listener),
                                std::make_shared<SweepHandler>(options, now.token), limits);
  if (!http) return http.error();
  started.server = std::make_shared<Server>(options, now, *std::move(http));
  return started;
}

namespace {

// What MLflow's clients see: the name the user gave to an experiment, or to the sweep.
std::string experiment_of(const SweepSpec& spec, const std::string& sweep_id) {
  const auto given = spec.environment_variables.find("MLFLOW_EXPERIMENT_NAME");
  if (given != spec.environment_variables.end() && !given->second.empty()) return given->second;
  return !spec.experiment.empty() ? spec.experiment : !spec.name.empty() ? spec.name : sweep_id;
}

bool wants_server(const SweepSpec& spec) {
  return !spec.command.empty() && spec.mlflow != MlflowServer::never;
}

}  // namespace

Result<void> check_server_address(const SweepSpec& spec) {
  if (spec.server_address.empty()) return {};
  const auto address = parse_or_error(spec.server_address);
  if (!address) return address.error();
  if (!wants_server(spec) || address->port == 0) return {};
  const auto listener = server::listen_at(*address);
  if (listener) return {};
  if (listener.error().kind == Error::Kind::busy)
    return Error{"server_address",
                 "another program listens at " + server::to_string(*address) +
                     "; give another port, or the host alone, and a free port is taken"};
  return Error{"server_address", listener.error().message() +
                                     "; 127.0.0.1 is this machine alone, 0.0.0.0 all of its "
                                     "addresses"};
}

Result<StartedServer> start_server_for(const SweepSpec& spec, const std::string& sweep_id,
                                       const std::filesystem::path& directory,
                                       const std::optional<std::string>& exported_uri) {
  StartedServer none;
  if (!wants_server(spec)) return none;
  const auto given = spec.environment_variables.find("MLFLOW_TRACKING_URI");
  const std::string own =
      given != spec.environment_variables.end() ? given->second : exported_uri.value_or("");
  if (spec.mlflow == MlflowServer::automatic && !own.empty()) {
    none.note = "MLflow in the runs logs to " + own +
                ", as MLFLOW_TRACKING_URI says, and not into this sweep; `mlflow: always` logs "
                "into the sweep";
    return none;
  }
  auto started =
      start_server({directory, sweep_id, experiment_of(spec, sweep_id), spec.server_address});
  if (started || spec.mlflow == MlflowServer::always || !spec.server_address.empty())
    return started;
  none.note =
      "there is no server for MLflow in the runs, which log nothing by it into this sweep: " +
      started.error().message();
  return none;
}

}  // namespace hdrive
