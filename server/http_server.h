// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 on one thread of its own: a thousand idle connections cost no threads. Made and destroyed by the public
// face of the server (sweep_server.cpp), on any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/file.h"
#include "hdrive/result.h"
#include "server/http.h"

namespace hdrive::server {

struct HttpLimits {
  std::size_t head = 64 << 10;       ///< of request line and headers
  std::uint64_t body = 64ull << 20;  ///< of a body that is read whole; one in pieces has no limit
  std::chrono::seconds request{60};  ///< for a head, for a whole body, for each piece
  std::chrono::seconds idle{600};    ///< between two requests of a connection
  std::size_t connections = 1024;    ///< more wait until one is closed
};

/// A certificate with its key, read and fitting.
struct TlsContext;
/// Both are PEM files; the certificate may have the chain behind it, and has to be valid now, and for `host` where that
/// is not empty.
/// The error names the key of hdconfig.yml.
Result<std::shared_ptr<TlsContext>> make_tls(const std::filesystem::path& certificate,
                                             const std::filesystem::path& key,
                                             const std::string& host);

struct HttpListener {
  base::UniqueFd socket;            ///< that listens
  std::shared_ptr<TlsContext> tls;  ///< null: plain HTTP
};

class HttpServer {
 public:
  /// Serves what connects to the listeners until it is destroyed. Requests that are being answered then are answered;
  /// what is half sent is cut off.
  static Result<std::unique_ptr<HttpServer>> start(std::vector<HttpListener> listeners,
                                                   std::shared_ptr<Handler> handler,
                                                   const HttpLimits& limits = {});
  /// Of one listener, in plain HTTP.
  static Result<std::unique_ptr<HttpServer>> start(base::UniqueFd listener,
                                                   std::shared_ptr<Handler> handler,
                                                   const HttpLimits& limits = {});
  /// Nobody is let in any more; returns when what is owed to clients has been sent, or after `most`. To be called
  /// once, when whoever answers later has done so.
  void finish(std::chrono::seconds most);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  class Loop;

 private:
  explicit HttpServer(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace hdrive::server
