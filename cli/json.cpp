// SPDX-License-Identifier: Apache-2.0
#include "cli/json.h"

#include "base/text.h"
#include "cli/text.h"

namespace hdrive::cli {

OrderedJson json_number(double number) { return OrderedJson::parse(base::json_number(number)); }

OrderedJson json_time(Time time) {
  return time == Time{} ? OrderedJson(nullptr) : OrderedJson(utc_text(time));
}

std::string compact(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string pretty(const OrderedJson& json) {
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace hdrive::cli
