// SPDX-License-Identifier: Apache-2.0
#include "server/portal/page.h"

#include <algorithm>

#include "base/text.h"
#include "server/portal/gate.h"

namespace hdrive::server::portal {
namespace {

std::string_view type_of(std::string_view path) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".json", "application/json"},
      {".webmanifest", "application/manifest+json"}};
  for (const auto& [ending, type] : kTypes)
    if (path.ends_with(ending)) return type;
  return "application/octet-stream";
}

Response missing() {
  Response response;
  response.status = 501;
  response.type = "text/html; charset=utf-8";
  response.headers = std::string(safety_headers());
  response.body =
      "<!doctype html><html lang=\"en\"><title>hdrive</title><h1>This build has no "
      "page</h1><p>hdrive was built without Node.js, "
      "which builds the page. The API is there: /openapi.json tells of it. To have the page, build "
      "hdrive with Node 20 or later "
      "(scripts/quickstart sees to that).</p></html>\n";
  return response;
}

}  // namespace

Response page_response(const Request& request) {
  if (request.method != "GET") return error_response(405, "the page is only read");
  const auto files = page_files();
  if (files.empty()) return missing();
  const std::string_view path = std::string_view(request.path).substr(1);
  const auto named = [&](std::string_view name) {
    return std::find_if(files.begin(), files.end(),
                        [&](const PageFile& file) { return file.path == name; });
  };
  const auto found = named(path.empty() ? "index.html" : path);
  if (found == files.end()) return error_response(404, "the page has no such file");
  Response response;
  response.type = std::string(type_of(found->path));
  response.headers = std::string(safety_headers());
  // Names of assets change with what is in them.
  if (found->path.starts_with("assets/"))
    response.headers.replace(response.headers.find("no-store"), 8,
                             "private, max-age=31536000, immutable");
  response.headers += "ETag: \"" + std::string(found->etag) + "\"\r\nVary: Accept-Encoding\r\n";
  if (request.if_none_match == "\"" + std::string(found->etag) + "\"") {
    response.status = 304;
    return response;
  }
  if (base::lower(request.accept_encoding).find("gzip") == std::string::npos)
    return error_response(406,
                          "the page's files are sent compressed; ask with Accept-Encoding: gzip");
  response.headers += "Content-Encoding: gzip\r\n";
  response.body = std::string(found->gzip);
  return response;
}

}  // namespace hdrive::server::portal
