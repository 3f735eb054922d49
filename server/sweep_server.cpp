// SPDX-License-Identifier: Apache-2.0
//
// The public face: an address and a token that stay, the token asked of everybody, and whose script it is that asks.
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "hdrive/ids.h"
#include "hdrive/server.h"
#include "server/access.h"
#include "server/advertised.h"
#include "server/http_server.h"
#include "server/kept_address.h"
#include "server/listener.h"
#include "server/mlflow/routes.h"
#include "server/mlflow/tracking.h"
#include "server/reports.h"
#include "server/scope.h"

namespace hdrive {
namespace server {
namespace {

namespace fs = std::filesystem;

constexpr char kInside[] = "127.0.0.1";
// Ports are sought below those that Linux gives to outgoing connections (from 32768 on), one of which could have it
// when the next engine wants it again.
constexpr int kFirstPort = 20'000, kPorts = 12'000, kTries = 32;
// What follows a run's scope in an address: "/runs/7/api/2.0/...".
constexpr std::string_view kApis[] = {"/api/2.0/", "/ajax-api/2.0/"};
// MLflow's client asks for it before it uses what newer servers have.
constexpr char kMlflowVersion[] = "3.0.0";

// "7/..." after "/runs/" or "/attempts/": the number, which is taken off with what stands before it.
std::optional<std::int64_t> take_number(std::string_view& path, std::string_view before) {
  if (!path.starts_with(before)) return std::nullopt;
  const std::string_view rest = path.substr(before.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc{} || number < 0 || end == rest.data() + rest.size() || *end != '/')
    return std::nullopt;
  path = rest.substr(static_cast<std::size_t>(end - rest.data()));
  return number;
}

// Whose script asks: "/runs/7" in front of a path, or "/runs/7/attempts/2" of one on another machine.
struct Scope {
  std::optional<RunId> run;
  std::optional<int> attempt;
};
Scope take_scope(std::string_view& path) {
  Scope scope;
  scope.run = take_number(path, kScope);
  if (scope.run)
    if (const auto attempt = take_number(path, kAttemptScope))
      scope.attempt = static_cast<int>(*attempt);
  return scope;
}

class SweepHandler final : public Handler {
 public:
  SweepHandler(const ServerOptions& options, std::string token)
      : token_(std::move(token)),
        reports_(options.directory),
        tracking_(options.directory, options.sweep_id, options.experiment),
        api_(tracking_) {}

  Intake begin(const Request& head) override {
    if (!authorizes(head.authorization, token_)) return unauthorized();
    std::string_view path = head.path;
    const auto [scope, attempt] = take_scope(path);
    if (scope && attempt && reports_.is_over(*scope, *attempt))
      return Reports::attempt_is_over(*scope, *attempt);
    for (const std::string_view api : kApis)
      if (path.starts_with(api)) return api_.begin(scope, path.substr(api.size()), head);
    return std::monostate();
  }

  Response handle(const Request& request) override {
    std::string_view path = request.path;
    const auto [scope, attempt] = take_scope(path);
    if (path == "/health") return text("OK");
    if (path == "/version") return text(kMlflowVersion);
    for (const std::string_view api : kApis)
      if (path.starts_with(api)) return api_.handle(scope, path.substr(api.size()), request);
    if (scope && attempt) return reports_.handle(*scope, *attempt, path, request);
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
  Reports reports_;
  mlflow::Tracking tracking_;
  mlflow::Api api_;
};

struct Reached {
  std::string inside;                  // from this machine: "http://127.0.0.1:23456"
  std::optional<std::string> outside;  // from others
  std::string certificate;             // PEM, as others are to know it
};

class Server final : public SweepServer {
 public:
  Server(ServerOptions options, std::string token, Reached reached,
         std::unique_ptr<HttpServer> http)
      : options_(std::move(options)),
        token_(std::move(token)),
        reached_(std::move(reached)),
        http_(std::move(http)) {}

  const std::string& url() const override { return reached_.inside; }
  const std::string& token() const override { return token_; }
  std::vector<std::pair<std::string, std::string>> environment(
      const RunRequest& request) const override {
    return for_mlflow(request, reached_.inside + std::string(kScope) + std::to_string(request.run));
  }
  std::optional<ServerAccess> elsewhere(const RunRequest& request) const override {
    if (!reached_.outside) return std::nullopt;
    const std::string url = *reached_.outside + std::string(kScope) + std::to_string(request.run) +
                            std::string(kAttemptScope) + std::to_string(request.attempt);
    return ServerAccess{for_mlflow(request, url), url, token_, reached_.certificate};
  }

 private:
  std::vector<std::pair<std::string, std::string>> for_mlflow(const RunRequest& request,
                                                              const std::string& url) const {
    if (!options_.mlflow) return {};
    return {{"MLFLOW_TRACKING_URI", url},
            {"MLFLOW_TRACKING_TOKEN", token_},
            {"MLFLOW_RUN_ID", request.run_id},
            // And no MLFLOW_EXPERIMENT_ID: a script that sets the name itself would contradict it.
            {"MLFLOW_EXPERIMENT_NAME", options_.experiment}};
  }

  const ServerOptions options_;
  const std::string token_;
  const Reached reached_;
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

// Where it listened before, if that is free.
Result<base::UniqueFd> listen(const Address& wanted, const std::optional<Address>& kept,
                              const std::string& sweep_id, std::string& note) {
  if (wanted.port != 0) return listen_at(wanted);
  if (!kept || kept->port == 0 || kept->host != wanted.host)
    return listen_somewhere(wanted.host, sweep_id);
  auto listener = listen_at(*kept);
  if (listener || listener.error().kind != Error::Kind::busy) return listener;
  listener = listen_somewhere(wanted.host, sweep_id);
  if (listener)
    note = "another program has taken " + to_string(*kept) +
           ", where this sweep's server listened; it listens at port " +
           std::to_string(port_of(*listener)) +
           " now, and what runs from before log with MLflow fails until they are started again";
  return listener;
}

std::string url_of(bool tls, const Address& address) {
  return (tls ? "https://" : "http://") + to_string(address);
}

}  // namespace
}  // namespace server

Result<StartedServer> start_server(const ServerOptions& options) {
  using namespace server;
  const auto plan = plan_server(options);
  if (!plan) return plan.error();
  const auto kept = read_kept_address(options.directory);
  StartedServer started;
  Reached reached;
  std::vector<HttpListener> listeners(1);
  if (plan->tls) {
    auto tls = make_tls(options.certificate, options.key, plan->told_host());
    if (!tls) return tls.error();
    listeners[0].tls = *std::move(tls);
    std::error_code error;
    auto text = base::read_file(std::filesystem::weakly_canonical(options.certificate, error));
    if (!text) return text.error();
    reached.certificate = *std::move(text);
  }
  const auto before = kept ? std::optional(kept->address) : std::nullopt;
  auto listener = listen(plan->listen, before, options.sweep_id, started.note);
  if (!listener) return listener.error();
  KeptAddress now{{plan->listen.host, port_of(*listener)}, kept ? kept->token : new_token(), 0};
  listeners[0].socket = *std::move(listener);
  reached.inside = url_of(false, reachable(now.address));
  if (plan->advertise) {
    Address outside = *plan->advertise;
    if (outside.port == 0) outside.port = now.address.port;
    reached.outside = url_of(plan->advertise_tls, outside);
  }
  // A certificate is for the name that others use: programs of this machine need none.
  if (plan->tls) {
    auto inside = listen({kInside, 0}, Address{kInside, kept ? kept->inside_port : 0},
                         options.sweep_id, started.note);
    if (!inside) return inside.error();
    now.inside_port = port_of(*inside);
    reached.inside = url_of(false, {kInside, now.inside_port});
    listeners.push_back({*std::move(inside), nullptr});
  }
  if (!kept || *kept != now)
    if (auto done = keep_address(options.directory, now); !done) return done.error();
  HttpLimits limits;
  limits.connections = most_connections();
  auto http = HttpServer::start(std::move(listeners),
                                std::make_shared<SweepHandler>(options, now.token), limits);
  if (!http) return http.error();
  started.server =
      std::make_shared<Server>(options, now.token, std::move(reached), *std::move(http));
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
  return !spec.command.empty() &&
         (spec.mlflow != MlflowServer::never || !spec.server_advertise.empty());
}

ServerOptions options_of(const SweepSpec& spec) {
  ServerOptions options;
  options.address = spec.server_address;
  options.advertise = spec.server_advertise;
  options.certificate = spec.server_certificate;
  options.key = spec.server_key;
  options.mlflow = spec.mlflow != MlflowServer::never;
  return options;
}

}  // namespace

Result<void> check_server_address(const SweepSpec& spec) {
  const ServerOptions options = options_of(spec);
  const auto plan = server::plan_server(options);
  if (!plan) return plan.error();
  if (plan->tls)
    if (auto tls = server::make_tls(options.certificate, options.key, plan->told_host()); !tls)
      return tls.error();
  if (!wants_server(spec) || plan->listen.port == 0) return {};
  const auto listener = server::listen_at(plan->listen);
  if (listener) return {};
  const char* key = plan->listen_given ? "server_address" : "server_advertise";
  if (listener.error().kind == Error::Kind::busy)
    return Error{key, "another program listens at " + server::to_string(plan->listen) +
                          "; give another port, or the host alone, and a free port is taken"};
  return Error{key, listener.error().message() +
                        "; 127.0.0.1 is this machine alone, 0.0.0.0 all of its addresses"};
}

Result<StartedServer> start_server_for(const SweepSpec& spec, const std::string& sweep_id,
                                       const std::filesystem::path& directory,
                                       const std::optional<std::string>& exported_uri) {
  StartedServer none;
  if (!wants_server(spec)) return none;
  ServerOptions options = options_of(spec);
  options.directory = directory;
  options.sweep_id = sweep_id;
  options.experiment = experiment_of(spec, sweep_id);
  const auto given = spec.environment_variables.find("MLFLOW_TRACKING_URI");
  const std::string own =
      given != spec.environment_variables.end() ? given->second : exported_uri.value_or("");
  if (spec.mlflow == MlflowServer::automatic && !own.empty()) {
    options.mlflow = false;
    none.note = "MLflow in the runs logs to " + own +
                ", as MLFLOW_TRACKING_URI says, and not into this sweep; `mlflow: always` logs "
                "into the sweep";
    if (options.advertise.empty()) return none;
  }
  auto started = start_server(options);
  if (started && started->note.empty()) started->note = none.note;
  if (started || spec.mlflow == MlflowServer::always || !spec.server_address.empty() ||
      !spec.server_advertise.empty())
    return started;
  none.note =
      "there is no server for MLflow in the runs, which log nothing by it into this sweep: " +
      started.error().message();
  return none;
}

}  // namespace hdrive
