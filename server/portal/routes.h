// SPDX-License-Identifier: Apache-2.0
//
// What the files of routes share, and those of tables, which the table of routes names.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "server/portal/api.h"
#include "server/portal/json.h"

namespace hdrive::server::portal {

inline Response as(std::string_view type, std::string body) {
  Response response;
  response.type = std::string(type);
  response.body = std::move(body);
  return response;
}

// A reader, the sweep as it stands, and what is made of both.
template <class Make>
Result<Response> of_sweep(const World& world, const Question& question, const Make& make) {
  auto reader = world.sweeps.reader(question.sweep());
  if (!reader) return reader.error();
  const auto entry = (*reader)->entry();
  if (!entry) {
    reader->discard();
    return entry.error();
  }
  return make(*entry, **reader);
}

inline Result<Response> told(Result<Json> json) {
  if (!json) return json.error();
  return json_response(*json);
}

// table_routes.cpp
Result<Response> columns_route(const World& world, const Question& question);
Result<Response> runs_route(const World& world, const Question& question);
Result<Response> series_route(const World& world, const Question& question);
Result<Response> curves_route(const World& world, const Question& question);

}  // namespace hdrive::server::portal
