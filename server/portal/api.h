// SPDX-License-Identifier: Apache-2.0
//
// The API behind the page: one table of routes, from which requests are answered and the OpenAPI document is made.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hdrive/portal.h"
#include "server/http.h"
#include "server/portal/catalogue.h"
#include "server/portal/live_sweeps.h"
#include "server/portal/model.h"
#include "server/portal/sweeps.h"

namespace hdrive::server::portal {

/// What all answers are made from.
struct World {
  const PortalOptions& options;
  Sweeps& sweeps;
  Catalogue& catalogue;
  LiveSweeps& live;
  Models& models;
};

/// A request as a route takes it: the words of its path that are not fixed, and its query.
class Question {
 public:
  Question(const Request& request, std::vector<std::string> words,
           std::vector<std::pair<std::string, std::string>> query)
      : request_(request), words_(std::move(words)), query_(std::move(query)) {}

  const Request& request() const { return request_; }
  const std::string& sweep() const { return words_.front(); }
  /// An Error where the word is no number of a run.
  Result<RunId> run() const;
  /// Empty: it was not given.
  std::string text(std::string_view name) const;
  bool is_given(std::string_view name) const;
  /// An Error where what was given is no whole number of at least `least`.
  Result<std::int64_t> integer(std::string_view name, std::int64_t usual,
                               std::int64_t least = 0) const;

 private:
  const Request& request_;
  std::vector<std::string> words_;
  std::vector<std::pair<std::string, std::string>> query_;
};

using Answer = Result<Response> (*)(const World&, const Question&);

struct Route {
  std::string_view method;
  std::string_view path;     ///< "sweeps/{sweep}/runs/{run}", below /api/v1/
  std::string_view summary;  ///< a sentence
  /// A schema of schemas.h, with the other forms it is told in; or "bytes", "file", "any": "Runs, csv, arrow".
  std::string_view answers;
  /// "metric: text: the name of a metric; points: integer: ..."
  std::string_view parameters;
  Answer answer;
  /// command: it runs one, which may take minutes; model: it fits one.
  enum class Takes { reading, model, command } takes = Takes::reading;
};

std::span<const Route> reading_routes();
std::span<const Route> doing_routes();

/// The route of a request and its words; nothing where there is none.
struct Match {
  const Route* route = nullptr;
  std::vector<std::string> words;
  bool other_method = false;  ///< the path is one of another method's
};
Match match(std::string_view method, std::string_view path);

/// A JSON answer; what went wrong as the API tells it.
Response json_response(const Json& json);
Response failure_response(const Error& error);
/// Runs the route, whatever happens in it.
Response answer(const World& world, const Route& route, const Request& request,
                std::vector<std::string> words);

/// The API as OpenAPI 3.1.
std::string openapi();
/// The sweeps as Prometheus reads them.
std::string prometheus(const Json& list);

}  // namespace hdrive::server::portal
