// SPDX-License-Identifier: Apache-2.0
#include "store/exact.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "base/json.h"
#include "base/text.h"

namespace hdrive::store {
namespace {

// [[place, "name" | "real" | "text" | "json", bytes in hexadecimal or the number], ...]
using Entries = nlohmann::json;

std::string to_hex(std::string_view bytes) {
  std::string result;
  for (const char c : bytes) result += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return result;
}

std::string from_hex(std::string_view hex) {
  std::string result;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    result += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return result;
}

bool survives(std::string_view text) { return base::to_utf8(text) == text; }

void add_lost_value(Entries& lost, std::size_t place, const Value& value) {
  if (const auto* number = std::get_if<double>(&value); number && !std::isfinite(*number))
    lost.push_back({place, "real", base::shortest(*number)});
  if (const auto* text = std::get_if<std::string>(&value); text && !survives(*text))
    lost.push_back({place, "text", to_hex(*text)});
  if (const auto* json = std::get_if<Json>(&value); json && !survives(json->text))
    lost.push_back({place, "json", to_hex(json->text)});
}

void put_back(Binding& binding, const std::string& kind, const std::string& payload) {
  if (kind == "name") binding.name = from_hex(payload);
  if (kind == "real") binding.value = base::parse_number(payload).value_or(std::nan(""));
  if (kind == "text") binding.value = from_hex(payload);
  if (kind == "json") binding.value = Json{from_hex(payload)};
}

}  // namespace

std::string properties_to_json(const std::map<std::string, std::string>& properties) {
  std::string json = "{";
  for (const auto& [name, text] : properties) {
    if (json.size() > 1) json += ',';
    json += base::json_string(name) + ':' + base::json_string(text);
  }
  return json + '}';
}

std::map<std::string, std::string> properties_from_json(std::string_view json) {
  std::map<std::string, std::string> properties;
  const auto object = base::parse_json(json);
  if (!object.is_object()) return properties;
  for (const auto& [name, text] : object.items())
    if (text.is_string()) properties[name] = text.get<std::string>();
  return properties;
}

std::optional<std::string> lost_in_json(const Assignment& assignment) {
  Entries lost = Entries::array();
  for (std::size_t place = 0; place < assignment.size(); ++place) {
    const Binding& binding = assignment[place];
    if (!survives(binding.name)) lost.push_back({place, "name", to_hex(binding.name)});
    add_lost_value(lost, place, binding.value);
  }
  if (lost.empty()) return std::nullopt;
  return base::json_text(lost);
}

Result<Assignment> restore(std::string_view json, std::string_view lost) {
  Result<Assignment> assignment = assignment_from_json(json);
  if (!assignment || lost.empty()) return assignment;
  const Error damaged{"", "hyperparameters_exact does not fit the hyperparameters"};
  const Entries entries = base::parse_json(lost);
  if (!entries.is_array()) return damaged;
  for (const Entries& entry : entries) {
    const bool sound = entry.is_array() && entry.size() == 3 && entry[0].is_number_unsigned() &&
                       entry[1].is_string() && entry[2].is_string() &&
                       entry[0].get<std::size_t>() < assignment->size();
    if (!sound) return damaged;
    put_back((*assignment)[entry[0].get<std::size_t>()], entry[1], entry[2]);
  }
  return assignment;
}

}  // namespace hdrive::store
