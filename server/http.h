// SPDX-License-Identifier: Apache-2.0
//
// What an HTTP request and its answer are to everybody but the one file that knows the HTTP library (http_server.cpp):
// the MLflow routes and the page.
//
// All calls come from the server's one thread. A handler answers at once and waits for nothing, or says that the answer
// comes later, by another thread; what is large, in either direction, goes in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/file.h"
#include "hdrive/result.h"

namespace hdrive::server {

struct Request {
  std::string method;         ///< "GET"; of a HEAD request, too
  std::string path;           ///< as it came, still percent-encoded, without the query
  std::string query;          ///< behind the "?", still percent-encoded
  std::string authorization;  ///< the header of that name, as the following
  std::string host;
  std::string origin;
  std::string cookie;
  std::string accept;
  std::string accept_encoding;
  std::string if_none_match;
  std::string intent;  ///< X-Hdrive, which a page from elsewhere cannot send
  std::string body;    ///< the whole of it; empty for one that comes in pieces
};

struct Response;

/// The way back to a client whose answer is made by another thread, or goes on for as long as it listens. Any thread.
/// What is said to a client that is gone, or after the server's end, goes nowhere. Dropped without an answer, the
/// connection is closed.
class Reply {
 public:
  virtual ~Reply() = default;
  /// The whole answer.
  virtual void answer(Response response) = 0;
  /// The head of an answer without an end, as server-sent events are; pieces follow.
  virtual void begin(Response head) = 0;
  virtual void send(std::string piece) = 0;
  /// The bytes the client has yet to take; nothing: it is gone.
  virtual std::optional<std::size_t> unsent() const = 0;
};

/// A regular file that is sent in pieces, as long as it is now.
struct FileBody {
  base::UniqueFd file;
  std::uint64_t size = 0;
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  FileBody file;        ///< sent in place of `body` where there is one
  std::string headers;  ///< more of them, each with its line end
  /// Called at once, on the server's thread, in place of all above: whoever keeps the reply answers.
  std::function<void(std::shared_ptr<Reply>)> later = nullptr;
};

/// Takes a body that comes in pieces. Destroyed without `finish`, what came is thrown away.
class Upload {
 public:
  virtual ~Upload() = default;
  /// An Error: nothing more of it is wanted, and `finish` is not called.
  virtual Result<void> write(std::string_view piece) = 0;
  virtual Response finish() = 0;
  /// The answer where `write` failed.
  virtual Response failed(const Error& error) = 0;
};

/// What is to be done with the body of a request: read whole, and then `handle`; answered without reading it; taken
/// in pieces.
using Intake = std::variant<std::monostate, Response, std::unique_ptr<Upload>>;

class Handler {
 public:
  virtual ~Handler() = default;
  /// Asked when the head of a request is there, with an empty body.
  virtual Intake begin(const Request& head) = 0;
  virtual Response handle(const Request& request) = 0;
  /// The answer to what is no request: malformed, too large, too slow.
  virtual Response refuse(int status, std::string_view why) = 0;
};

}  // namespace hdrive::server
