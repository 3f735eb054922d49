// SPDX-License-Identifier: Apache-2.0
#include "cli/json.h"

#include "base/json.h"
#include "base/text.h"
#include "cli/text.h"

namespace hdrive::cli {

OrderedJson json_number(double number) {
  return base::parse_ordered_json(base::json_number(number));
}

OrderedJson json_time(Time time) {
  return time == Time{} ? OrderedJson(nullptr) : OrderedJson(utc_text(time));
}

std::string compact(const OrderedJson& json) { return base::json_text(json); }

std::string pretty(const OrderedJson& json) { return base::json_text(json, 2) + "\n"; }

}  // namespace hdrive::cli
