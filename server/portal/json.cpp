// SPDX-License-Identifier: Apache-2.0
#include "server/portal/json.h"

#include <cmath>
#include <limits>

#include "base/json.h"
#include "base/text.h"

namespace hdrive::server::portal {

Json number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

Json moment(Time time) { return time == Time{} ? Json(nullptr) : Json(iso_time(time)); }

Json moment(const std::optional<Time>& time) { return time ? moment(*time) : Json(nullptr); }

Json seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

Json seconds(const std::optional<Duration>& duration) {
  return duration ? seconds(*duration) : Json(nullptr);
}

Json text(std::string_view bytes) { return base::to_utf8(bytes); }

Json value_json(const Value& value) { return base::parse_ordered_json(to_json(value)); }

Json parameters_json(const Assignment& parameters) {
  Json json = Json::object();
  for (const Binding& binding : parameters)
    json[base::to_utf8(bare_name(binding.name))] = value_json(binding.value);
  return json;
}

double epoch_seconds(Time time) {
  if (time == Time{}) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(time.time_since_epoch().count()) / 1e6;
}

}  // namespace hdrive::server::portal
