// SPDX-License-Identifier: Apache-2.0
#include "server/portal/api.h"

#include <charconv>
#include <exception>

#include "base/json.h"
#include "base/text.h"
#include "server/portal/gate.h"
#include "server/url.h"

namespace hdrive::server::portal {

Result<RunId> Question::run() const {
  RunId number = 0;
  const std::string& word = words_.at(1);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size() || number < 0)
    return Error{"", base::json_string(word) + " is no number of a run", Error::Kind::not_found};
  return number;
}

std::string Question::text(std::string_view name) const {
  for (const auto& [each, value] : query_)
    if (each == name) return value;
  return "";
}

bool Question::is_given(std::string_view name) const {
  for (const auto& [each, value] : query_)
    if (each == name) return true;
  return false;
}

Result<std::int64_t> Question::integer(std::string_view name, std::int64_t usual,
                                       std::int64_t least) const {
  if (!is_given(name)) return usual;
  const std::string given = text(name);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
  if (error != std::errc{} || end != given.data() + given.size() || number < least)
    return Error{
        std::string(name),
        base::json_string(given) + " is no whole number of at least " + std::to_string(least),
        Error::Kind::invalid};
  return number;
}

Response json_response(const Json& json) {
  Response response;
  response.body = base::json_text(json);
  response.headers = std::string(safety_headers());
  return response;
}

Response failure_response(const Error& error) {
  const auto status = [&] {
    switch (error.kind) {
      case Error::Kind::invalid:
        return 400;
      case Error::Kind::not_allowed:
        return 403;
      case Error::Kind::not_found:
        return 404;
      case Error::Kind::damaged:
        return 409;
      case Error::Kind::busy:
      case Error::Kind::no_room:
      case Error::Kind::no_resources:
        return 503;
      case Error::Kind::other:
        break;
    }
    return 409;
  };
  return error_response(status(), base::to_utf8(error.message()));
}

namespace {

// The words of `pattern` in braces, where the path is one of it.
std::optional<std::vector<std::string>> words_of(std::string_view pattern, std::string_view path) {
  const auto parts = base::split(pattern, '/'), given = base::split(path, '/');
  if (parts.size() != given.size()) return std::nullopt;
  std::vector<std::string> words;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].starts_with('{')) {
      if (parts[i] != given[i]) return std::nullopt;
      continue;
    }
    auto word = percent_decoded(given[i]);
    if (!word || word->empty()) return std::nullopt;
    words.push_back(*std::move(word));
  }
  return words;
}

}  // namespace

Match match(std::string_view method, std::string_view path) {
  Match found;
  for (const auto routes : {reading_routes(), doing_routes()})
    for (const Route& route : routes) {
      auto words = words_of(route.path, path);
      if (!words) continue;
      if (route.method != method) {
        found.other_method = true;
        continue;
      }
      return {&route, *std::move(words), false};
    }
  return found;
}

Response answer(const World& world, const Route& route, const Request& request,
                std::vector<std::string> words) {
  auto query = parse_query(request.query);
  if (!query)
    return error_response(400, "the query of the address is none: an escape in it is cut short");
  try {
    auto response = route.answer(world, Question(request, std::move(words), *std::move(query)));
    if (!response) return failure_response(response.error());
    if (response->headers.empty()) response->headers = std::string(safety_headers());
    return *std::move(response);
  } catch (const std::exception& exception) {
    return error_response(500, exception.what());
  }
}

}  // namespace hdrive::server::portal
