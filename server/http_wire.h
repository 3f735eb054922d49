// SPDX-License-Identifier: Apache-2.0
//
// What the connections of the server have in common: heads of requests and answers, and what threads that answer later
// share with the server's own. For http_session.h alone, since Beast takes long to compile.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "server/http.h"

namespace hdrive::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using beast::error_code;

// `length`: nothing for an answer that ends with its connection.
inline std::string head_of(const Response& response, std::optional<std::uint64_t> length,
                           bool keep_alive) {
  const auto status = static_cast<http::status>(response.status);
  const beast::string_view reason = http::obsolete_reason(status);
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(reason.data(), reason.size());
  head += "\r\nServer: hdrive\r\nContent-Type: " + response.type + "\r\n";
  if (length) head += "Content-Length: " + std::to_string(*length) + "\r\n";
  head += response.headers;
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

template <class Fields, class Name>
std::string header_of(const Fields& fields, Name name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : std::string(found->value());
}

template <class Fields>
Request request_of(const http::request_header<Fields>& head) {
  Request request;
  const auto method = head.method_string();
  request.method = std::string(head.method() == http::verb::head ? "GET" : method);
  const auto target = head.target();
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = std::string(target.substr(0, mark));
  if (mark < target.size()) request.query = std::string(target.substr(mark + 1));
  request.authorization = header_of(head, http::field::authorization);
  request.host = header_of(head, http::field::host);
  request.origin = header_of(head, http::field::origin);
  request.cookie = header_of(head, http::field::cookie);
  request.accept = header_of(head, http::field::accept);
  request.accept_encoding = header_of(head, http::field::accept_encoding);
  request.if_none_match = header_of(head, http::field::if_none_match);
  request.intent = header_of(head, "X-Hdrive");
  return request;
}

// What the threads that answer later share with the server's own: the context, as long as there is one, and the sessions
// that wait for such an answer, which nothing else keeps alive.
struct Exchange {
  std::mutex mutex;
  asio::io_context* context = nullptr;      // under the mutex; null: the server is at its end
  std::set<std::shared_ptr<void>> waiting;  // of the server's thread
  std::size_t answering = 0;                // sessions that owe a client something; of that thread
  std::function<void()> idle;               // called when none does any more

  template <class Function>
  void post(Function function) {
    const std::lock_guard lock(mutex);
    if (context) asio::post(*context, std::move(function));
  }
};

}  // namespace hdrive::server
