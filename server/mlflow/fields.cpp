// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/json_words.h"
#include "base/text.h"
#include "server/mlflow/fault.h"
#include "server/url.h"

namespace hdrive::server::mlflow {
namespace {

using nlohmann::json;

// A model's description (log-model, tags of autologging) is text within JSON and nests no deeper.
constexpr int kMostLevelsOfRequest = 64;

std::string quoted_name(const char* name) { return std::string("'") + name + "'"; }

[[noreturn]] void refuse_type(const char* name, std::string_view expected, const json& value) {
  std::string shown = base::json_text(value);
  if (shown.size() > 100) shown = shown.substr(0, 100) + "...";
  refuse("Invalid value " + base::to_utf8(shown) + " for parameter " + quoted_name(name) +
         " supplied: expected " + std::string(expected));
}

const json* given(const json& fields, const char* name) {
  const auto found = fields.find(name);
  if (found == fields.end() || found->is_null()) return nullptr;
  if (found->is_string() && found->get_ref<const std::string&>().empty()) return nullptr;
  return &*found;
}

[[noreturn]] void refuse_missing_field(const char* name) {
  refuse("Missing value for required parameter " + quoted_name(name) +
         ". See the API docs for more information about request parameters.");
}

}  // namespace

json fields_of_body(const std::string& body) {
  if (base::trim(body).empty()) return json::object();
  if (base::nests_deeper(body, kMostLevelsOfRequest))
    throw Fault{400, "BAD_REQUEST", "the body of the request nests too deep"};
  json fields = base::parse_json(body);
  // Python's json writes bare NaN and Infinity.
  if (fields.is_discarded()) fields = base::parse_json(base::quote_bare_words(body));
  if (!fields.is_object())
    throw Fault{400, "BAD_REQUEST", "the body of the request is not a JSON object"};
  return fields;
}

json fields_of_query(std::string_view query) {
  const auto pairs = parse_query(query);
  if (!pairs) throw Fault{400, "BAD_REQUEST", "the query of the request cannot be decoded"};
  json fields = json::object();
  for (const auto& [name, value] : *pairs) {
    const auto found = fields.find(name);
    if (found == fields.end())
      fields[name] = value;
    else if (found->is_array())
      found->push_back(value);
    else
      *found = json::array({*found, value});
  }
  return fields;
}

std::optional<std::string> optional_text(const json& fields, const char* name) {
  const json* value = given(fields, name);
  if (!value) return std::nullopt;
  if (!value->is_string()) refuse_type(name, "a string", *value);
  return value->get<std::string>();
}

std::string required_text(const json& fields, const char* name) {
  auto text = optional_text(fields, name);
  if (!text) refuse_missing_field(name);
  return *std::move(text);
}

std::optional<std::int64_t> optional_integer(const json& fields, const char* name) {
  const json* value = given(fields, name);
  if (!value) return std::nullopt;
  if (value->is_number_integer() &&
      (!value->is_number_unsigned() || value->get<std::uint64_t>() <= INT64_MAX))
    return value->get<std::int64_t>();
  constexpr double kLimit = 9.2e18;
  if (value->is_number_float()) {
    const double number = value->get<double>();
    if (std::trunc(number) == number && std::abs(number) < kLimit)
      return static_cast<std::int64_t>(number);
  }
  if (value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size()) return number;
  }
  refuse_type(name, "an integer", *value);
}

double required_number(const json& fields, const char* name) {
  const json* value = given(fields, name);
  if (!value) refuse_missing_field(name);
  if (value->is_number()) return value->get<double>();
  const auto number =
      value->is_string() ? base::parse_number(value->get_ref<const std::string&>()) : std::nullopt;
  if (!number) refuse_type(name, "a number", *value);
  return *number;
}

std::vector<std::string> text_list(const json& fields, const char* name) {
  const json* value = given(fields, name);
  std::vector<std::string> texts;
  if (!value) return texts;
  const auto add = [&](const json& item) {
    // Ids of experiments are numbers in some clients.
    if (!item.is_string() && !item.is_number_integer())
      refuse_type(name, "a list of strings", *value);
    texts.push_back(item.is_string() ? item.get<std::string>() : base::json_text(item));
  };
  if (value->is_array())
    for (const json& item : *value) add(item);
  else
    add(*value);
  return texts;
}

const json& object_list(const json& fields, const char* name) {
  static const json none = json::array();
  const json* value = given(fields, name);
  if (!value) return none;
  if (!value->is_array() ||
      !std::all_of(value->begin(), value->end(), [](const json& item) { return item.is_object(); }))
    refuse_type(name, "a list of objects", *value);
  return *value;
}

std::string run_id_of(const json& fields) {
  if (auto id = optional_text(fields, "run_id")) return *std::move(id);
  if (auto id = optional_text(fields, "run_uuid")) return *std::move(id);
  return required_text(fields, "run_id");
}

std::size_t max_results(const json& fields, std::size_t by_default, std::size_t most) {
  const auto wanted = optional_integer(fields, "max_results");
  if (!wanted || *wanted == 0) return by_default;
  if (*wanted < 0 || static_cast<std::uint64_t>(*wanted) > most)
    refuse("Invalid value " + std::to_string(*wanted) +
           " for parameter 'max_results' supplied: it must be at least 1 and at most " +
           std::to_string(most));
  return static_cast<std::size_t>(*wanted);
}

std::uint64_t page_token(const json& fields) {
  const auto token = optional_integer(fields, "page_token");
  if (token && *token < 0) refuse("Invalid page token");
  return token ? static_cast<std::uint64_t>(*token) : 0;
}

bool is_in_view(const json& fields, const char* name, bool deleted) {
  const json* view = given(fields, name);
  const auto is = [&](const char* word, int number) {
    return *view == word || *view == number || *view == std::to_string(number);
  };
  if (!view || is("ACTIVE_ONLY", 1)) return !deleted;
  if (is("DELETED_ONLY", 2)) return deleted;
  if (is("ALL", 3)) return true;
  refuse_type(name, "ACTIVE_ONLY, DELETED_ONLY or ALL", *view);
}

json json_of(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  return number;
}

std::string text_in(const json& record, const char* name) {
  const auto found = record.find(name);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json json_of_pairs(const std::map<std::string, std::string>& map) {
  json list = json::array();
  for (const auto& [key, value] : map) list.push_back({{"key", key}, {"value", value}});
  return list;
}

std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace hdrive::server::mlflow
