// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <nlohmann/json.hpp>

namespace hdrive::base {
namespace {

template <class Tree>
Tree parse(std::string_view text) {
  return Tree::parse(text, nullptr, /*allow_exceptions=*/false);
}

template <class Tree>
std::string write(const Tree& tree, int indent) {
  return tree.dump(indent, ' ', false, Tree::error_handler_t::replace);
}

}  // namespace

bool is_json(std::string_view text) { return nlohmann::json::accept(text); }

nlohmann::json parse_json(std::string_view text) { return parse<nlohmann::json>(text); }
nlohmann::ordered_json parse_ordered_json(std::string_view text) {
  return parse<nlohmann::ordered_json>(text);
}

std::string string_of_json(std::string_view literal) {
  return parse_json(literal).get<std::string>();
}

std::string json_text(const nlohmann::json& tree) { return write(tree, -1); }
std::string json_text(const nlohmann::ordered_json& tree, int indent) {
  return write(tree, indent);
}

}  // namespace hdrive::base
