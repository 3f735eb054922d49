// SPDX-License-Identifier: Apache-2.0
#include "server/portal/gate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "base/text.h"
#include "server/access.h"
#include "server/url.h"

namespace hdrive::server::portal {
namespace {

constexpr std::string_view kLoopbackNames[] = {"localhost", "127.0.0.1", "[::1]"};

// "127.0.0.1:4747" -> "127.0.0.1", "4747"; of "[::1]:4747" the brackets stay.
std::pair<std::string_view, std::string_view> split_host(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == host.npos || host.find(']', colon) != host.npos) return {host, "80"};
  return {host.substr(0, colon), host.substr(colon + 1)};
}

bool is_address(std::string name) {
  in6_addr address{};
  if (name.starts_with('[') && name.ends_with(']'))
    return ::inet_pton(AF_INET6, name.substr(1, name.size() - 2).c_str(), &address) == 1;
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1;
}

// Cookies know no ports: two servers of one machine would take each other's.
std::string cookie_name(std::string_view host) {
  std::string name = "hdrive_";
  for (const char c : split_host(host).second)
    if (c >= '0' && c <= '9') name += c;
  return name;
}

Response page_refused(int status, std::string_view title, std::string_view text) {
  Response response;
  response.status = status;
  response.type = "text/html; charset=utf-8";
  response.body =
      "<!doctype html><html lang=\"en\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>";
  response.body += title;
  response.body += "</title><h1>";
  response.body += title;
  response.body += "</h1><p>";
  response.body += text;
  response.body += "</p></html>\n";
  response.headers = safety_headers();
  return response;
}

Response refused(const Request& request, int status, std::string_view title,
                 std::string_view text) {
  if (request.path.starts_with("/api/")) return error_response(status, text);
  return page_refused(status, title, text);
}

// The token of a first address: "/?token=...".
std::optional<std::string> given_token(const Request& request) {
  if (request.method != "GET" || request.path.starts_with("/api/")) return std::nullopt;
  const auto query = parse_query(request.query);
  if (!query) return std::nullopt;
  for (const auto& [name, value] : *query)
    if (name == "token") return value;
  return std::nullopt;
}

}  // namespace

std::string_view safety_headers() {
  return "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
         "img-src 'self' data: blob:; "
         "connect-src 'self'; font-src 'self'; frame-src 'self'; worker-src 'self' blob:; base-uri "
         "'none'; "
         "form-action 'none'; frame-ancestors 'none'\r\n"
         "X-Content-Type-Options: nosniff\r\n"
         "Referrer-Policy: no-referrer\r\n"
         "Cross-Origin-Opener-Policy: same-origin\r\n"
         "Cross-Origin-Resource-Policy: same-origin\r\n"
         "Cache-Control: no-store\r\n";
}

Response error_response(int status, std::string_view message) {
  Response response;
  response.status = status;
  response.body = "{\"error\":{\"status\":" + std::to_string(status) +
                  ",\"message\":" + base::json_string(message) + "}}";
  response.headers = safety_headers();
  return response;
}

Gate::Gate(std::string token, std::vector<std::string> hosts, bool read_only)
    : token_(std::move(token)),
      cookie_(base::sha256("cookie of " + token_)),
      hosts_(std::move(hosts)),
      read_only_(read_only) {}

bool Gate::is_known_host(std::string_view host) const {
  const std::string name = base::lower(split_host(host).first);
  const auto known = [this](std::string_view each) {
    return std::find(hosts_.begin(), hosts_.end(), each) != hosts_.end();
  };
  return std::find(std::begin(kLoopbackNames), std::end(kLoopbackNames), name) !=
             std::end(kLoopbackNames) ||
         known(name) || ((known("0.0.0.0") || known("::")) && is_address(name));
}

bool Gate::has_cookie(const Request& request) const {
  const std::string name = cookie_name(request.host) + "=";
  for (const std::string_view each : base::split(request.cookie, ';')) {
    const std::string_view pair = base::trim(each);
    if (pair.starts_with(name) &&
        authorizes("Bearer " + std::string(pair.substr(name.size())), cookie_))
      return true;
  }
  return false;
}

std::optional<Response> Gate::refuse(const Request& request) const {
  if (!is_known_host(request.host))
    return refused(request, 421, "This is not the address",
                   "this server is reached as localhost or 127.0.0.1; a further name is given by "
                   "hdrive ui --host");
  if (const auto given = given_token(request)) {
    if (!authorizes("Bearer " + *given, token_))
      return page_refused(401, "This address is out of date",
                          "Its token is not that of this server. The address that hdrive ui "
                          "printed when it started is the one "
                          "to open.");
    Response response;
    response.status = 303;
    response.type = "text/plain";
    // "//name" would be another machine's.
    const std::string path = request.path.starts_with("//") ? "/" : request.path;
    response.headers = "Location: " + path + "\r\nSet-Cookie: " + cookie_name(request.host) + "=" +
                       cookie_ + "; Path=/; HttpOnly; SameSite=Strict\r\n";
    response.headers += safety_headers();
    return response;
  }
  if (!has_cookie(request) && !authorizes(request.authorization, token_))
    return refused(request, 401, "Not let in",
                   "This page belongs to whoever started hdrive ui. Open the address that it "
                   "printed, with its token; "
                   "programs send it as Authorization: Bearer TOKEN.");
  if (!request.origin.empty() && request.origin != "http://" + request.host &&
      request.origin != "https://" + request.host)
    return refused(request, 403, "A foreign page",
                   "a page from elsewhere may ask nothing of this server");
  if (request.method == "GET") return std::nullopt;
  if (request.intent != "1")
    return refused(request, 403, "Not allowed",
                   "what changes anything needs the header X-Hdrive: 1");
  // These two only look at a configuration.
  if (read_only_ && request.path != "/api/v1/validate" && request.path != "/api/v1/preview")
    return refused(request, 403, "Not allowed",
                   "this server only shows: hdrive ui was started with --read-only");
  return std::nullopt;
}

}  // namespace hdrive::server::portal
