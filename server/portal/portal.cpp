// SPDX-License-Identifier: Apache-2.0
//
// The portal's server: who may come in, which answer is made where, and what outlives what.
#include "hdrive/portal.h"

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "hdrive/ids.h"
#include "server/advertised.h"
#include "server/http_server.h"
#include "server/listener.h"
#include "server/portal/api.h"
#include "server/portal/gate.h"
#include "server/portal/page.h"
#include "server/portal/watch.h"
#include "server/portal/workers.h"
#include "server/url.h"

namespace hdrive {
namespace server::portal {
namespace {

constexpr int kUsualPort = 4747;
// Readers of large sweeps keep one busy for a tenth of a second; commands wait, for an engine's answer say.
constexpr int kReaders = 4, kDoers = 4;
// A model takes a processor for a second: one after the other, and nobody else waits for them.
constexpr int kModellers = 1;
// So long a client may take for what it is owed when the server ends.
constexpr std::chrono::seconds kLastAnswers{5};
constexpr std::string_view kApi = "/api/v1/";

class PortalHandler final : public Handler {
 public:
  PortalHandler(const PortalOptions& options, std::string token, std::vector<std::string> hosts)
      : options_(options),
        gate_(std::move(token), std::move(hosts), options.read_only),
        sweeps_(options.home),
        catalogue_(options.home, make_steady_clock()),
        live_(sweeps_, new_token().substr(0, 12)),
        watch_(catalogue_, live_, make_steady_clock()) {}

  Intake begin(const Request& head) override {
    // Refused before its body is read.
    if (auto refused = gate_.refuse(head)) return *std::move(refused);
    return std::monostate();
  }

  Response handle(const Request& request) override {
    if (!request.path.starts_with('/')) return error_response(400, "this is no address of a page");
    if (request.path == "/openapi.json") return as("application/json", openapi());
    if (request.path == "/metrics")
      return later(readers_, [this] {
        return as("text/plain; version=0.0.4; charset=utf-8", prometheus(catalogue_.list()));
      });
    if (!request.path.starts_with("/api/")) return page_response(request);
    if (!request.path.starts_with(kApi))
      return error_response(404, "this server has version 1 of the API: /api/v1/");
    const std::string_view path = std::string_view(request.path).substr(kApi.size());
    if (path == "events") return events(request);
    Match found = match(request.method, path);
    if (!found.route)
      return found.other_method
                 ? error_response(405,
                                  "this address is asked in another way; /openapi.json tells how")
                 : error_response(404,
                                  "the API has no such address; /openapi.json tells of all it has");
    return later(workers_of(*found.route), [this, request, route = found.route,
                                            words = std::move(found.words)] {
      return answer({options_, sweeps_, catalogue_, live_, models_}, *route, request, words);
    });
  }

  Response refuse(int status, std::string_view why) override { return error_response(status, why); }

  /// What is being done is done and answered, and pages are told of the end.
  void finish() {
    for (Workers* workers : {&readers_, &doers_, &modellers_}) workers->finish();
    watch_.finish();
  }

 private:
  Workers& workers_of(const Route& route) {
    switch (route.takes) {
      case Route::Takes::command:
        return doers_;
      case Route::Takes::model:
        return modellers_;
      case Route::Takes::reading:
        break;
    }
    return readers_;
  }

  static Response as(std::string_view type, std::string body) {
    Response response;
    response.type = std::string(type);
    response.body = std::move(body);
    response.headers = std::string(safety_headers());
    return response;
  }

  template <class Make>
  static Response later(Workers& workers, Make make) {
    Response response;
    response.later = [&workers, make = std::move(make)](std::shared_ptr<Reply> reply) {
      workers.run([make, reply = std::move(reply)] { reply->answer(make()); });
    };
    return response;
  }

  Response events(const Request& request) {
    const auto query = parse_query(request.query);
    std::string sweep;
    if (query)
      for (const auto& [name, value] : *query)
        if (name == "sweep") sweep = value;
    Response response;
    response.later = [this, sweep](std::shared_ptr<Reply> reply) {
      reply->begin(as("text/event-stream", ""));
      watch_.add(std::move(reply), sweep);
    };
    return response;
  }

  const PortalOptions options_;
  const Gate gate_;
  Sweeps sweeps_;
  Catalogue catalogue_;
  LiveSweeps live_;
  Models models_;
  Watch watch_;
  // Last: what they do uses all of the above.
  Workers readers_{kReaders}, doers_{kDoers}, modellers_{kModellers};
};

class PortalServer final : public Portal {
 public:
  PortalServer(std::string address, std::string token, std::shared_ptr<PortalHandler> handler,
               std::unique_ptr<HttpServer> http)
      : address_(std::move(address)),
        token_(std::move(token)),
        handler_(std::move(handler)),
        http_(std::move(http)) {}
  // Whoever stopped a sweep from its own page hears that it has stopped.
  ~PortalServer() override {
    handler_->finish();
    http_->finish(kLastAnswers);
  }
  std::string url() const override { return "http://" + address_ + "/?token=" + token_; }
  std::string url_of(std::string_view sweep_id) const override {
    return url() + "#/sweeps/" + std::string(sweep_id);
  }
  bool has_page() const override { return !page_files().empty(); }

 private:
  const std::string address_, token_;
  // Its server ends first.
  const std::shared_ptr<PortalHandler> handler_;
  const std::unique_ptr<HttpServer> http_;
};

Result<base::UniqueFd> listen(const PortalOptions& options) {
  if (options.port != 0) return listen_at({options.host, options.port});
  auto listener = listen_at({options.host, kUsualPort});
  if (listener || listener.error().kind != Error::Kind::busy) return listener;
  return listen_at({options.host, 0});
}

}  // namespace
}  // namespace server::portal

Result<std::unique_ptr<Portal>> start_portal(const PortalOptions& options) {
  using namespace server;
  using namespace server::portal;
  auto listener = portal::listen(options);
  if (!listener) return listener.error();
  Address address{options.host, port_of(*listener)};
  std::vector<std::string> hosts{base::lower(options.host)};
  if (is_any(address)) {
    if (auto name = own_name()) {
      hosts.push_back(base::lower(name->substr(0, name->find('.'))));
      hosts.push_back(base::lower(*std::move(name)));
    }
    if (auto own = own_address()) address.host = *std::move(own);
    address = reachable(address);
  }
  const std::string token = new_token();
  auto handler = std::make_shared<PortalHandler>(options, token, std::move(hosts));
  auto http = HttpServer::start(*std::move(listener), handler);
  if (!http) return http.error();
  return std::unique_ptr<Portal>(std::make_unique<PortalServer>(
      server::to_string(address), token, std::move(handler), *std::move(http)));
}

}  // namespace hdrive
