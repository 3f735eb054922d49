// SPDX-License-Identifier: Apache-2.0
//
// JSON trees read from text and written to it.
//
// nlohmann_json's parser and writer are templates that take seconds to compile, so they are compiled in json.cpp
// alone; who looks into a tree includes <nlohmann/json.hpp> beside this. Pure functions, safe from any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace hdrive::base {

bool is_json(std::string_view text);

/// The tree of a text; `is_discarded()` where that is no JSON. The ordered one keeps the order of members.
nlohmann::json parse_json(std::string_view text);
nlohmann::ordered_json parse_ordered_json(std::string_view text);

/// The string that a JSON string literal stands for.
std::string string_of_json(std::string_view literal);

/// On one line, or with each level indented by `indent` blanks; bytes that are no UTF-8 replaced.
std::string json_text(const nlohmann::json& tree);
std::string json_text(const nlohmann::ordered_json& tree, int indent = -1);

}  // namespace hdrive::base
