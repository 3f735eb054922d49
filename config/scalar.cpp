// SPDX-License-Identifier: Apache-2.0
#include "config/scalar.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "base/text.h"

namespace hdrive::config {
namespace {

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";
constexpr std::string_view kDigits = "0123456789";

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words)
    if (text == word) return true;
  return false;
}

bool only(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

// [-+]? [0-9]+ | 0o [0-7]+ | 0x [0-9a-fA-F]+
bool resolve_integer(Node& node) {
  std::string_view digits = node.text;
  int base = 10;
  bool negative = false;
  if (digits.starts_with("0o")) {
    base = 8;
  } else if (digits.starts_with("0x")) {
    base = 16;
  } else if (digits.starts_with('-') || digits.starts_with('+')) {
    negative = digits.front() == '-';
    digits.remove_prefix(1);
  }
  if (base != 10) digits.remove_prefix(2);
  const std::string_view allowed = base == 8    ? kDigits.substr(0, 8)
                                   : base == 16 ? std::string_view("0123456789abcdefABCDEF")
                                                : kDigits;
  if (!only(digits, allowed)) return false;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), node.magnitude, base);
  node.kind = Node::Kind::integer;
  node.negative = negative && node.magnitude != 0;
  node.overflow = error != std::errc{};
  node.number = node.overflow
                    ? base::parse_number(digits).value_or(std::numeric_limits<double>::infinity())
                    : static_cast<double>(node.magnitude);
  if (negative) node.number = -node.number;
  return true;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_real(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    std::string_view power = text.substr(exponent + 1);
    if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
    if (!only(power, kDigits)) return false;
    text = text.substr(0, exponent);
  }
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view part =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty()) return only(part, kDigits);
  return only(whole, kDigits) && (part.empty() || only(part, kDigits));
}

bool resolve_real(Node& node) {
  std::string_view text = node.text;
  if (one_of(text, {".nan", ".NaN", ".NAN"})) {
    node.number = std::numeric_limits<double>::quiet_NaN();
  } else {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (one_of(text, {".inf", ".Inf", ".INF"})) {
      node.number = std::numeric_limits<double>::infinity();
    } else if (is_real(node.text)) {
      // "1." and ".5" are numbers of YAML; from_chars takes both.
      node.number = base::parse_number(text).value_or(0);
      node.overflow = std::isinf(node.number);
    } else {
      return false;
    }
    if (negative) node.number = -node.number;
  }
  node.kind = Node::Kind::real;
  return true;
}

bool resolve_null(Node& node) {
  if (!one_of(node.text, {"", "~", "null", "Null", "NULL"})) return false;
  node.kind = Node::Kind::null;
  return true;
}

bool resolve_boolean(Node& node) {
  const bool yes = one_of(node.text, {"true", "True", "TRUE"});
  if (!yes && !one_of(node.text, {"false", "False", "FALSE"})) return false;
  node.kind = Node::Kind::boolean;
  node.boolean = yes;
  return true;
}

bool resolve_text(Node& node) {
  node.kind = Node::Kind::text;
  return true;
}

}  // namespace

bool resolve_scalar(const std::string& tag, Node& node) {
  if (tag == "!") return resolve_text(node);
  if (tag.empty() || tag == "?")
    return resolve_null(node) || resolve_boolean(node) || resolve_integer(node) ||
           resolve_real(node) || resolve_text(node);
  if (!tag.starts_with(kCoreTag)) return false;
  const std::string_view type = std::string_view(tag).substr(kCoreTag.size());
  if (type == "str") return resolve_text(node);
  if (type == "null") return resolve_null(node);
  if (type == "bool") return resolve_boolean(node);
  if (type == "int") return resolve_integer(node);
  if (type == "float") return resolve_real(node) || (resolve_integer(node) && resolve_real(node));
  return false;
}

std::optional<std::int64_t> Node::integer() const {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (kind != Kind::integer || overflow || magnitude > kMost + (negative ? 1 : 0))
    return std::nullopt;
  if (!negative) return static_cast<std::int64_t>(magnitude);
  return -static_cast<std::int64_t>(magnitude - 1) - 1;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "empty";
    case Node::Kind::boolean:
      return node.boolean ? "the boolean true" : "the boolean false";
    case Node::Kind::integer:
      return "the integer " + (node.text.size() < 40 ? node.text : in_quotes(node.text));
    case Node::Kind::real:
      return "the number " + (node.text.size() < 40 ? node.text : in_quotes(node.text));
    case Node::Kind::text:
      return "the text " + in_quotes(node.text);
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a mapping";
  }
  return "";
}

namespace {

Error too_large(const Node& node) {
  return {"",
          describe(node) + " does not fit a 64-bit number; put it in quotes to keep it as text"};
}

// Compact JSON; the tree's depth and size were limited when it was read.
Result<void> append_json(const Node& node, std::string& out) {
  if (node.is(Node::Kind::list) || node.is(Node::Kind::map)) {
    const bool list = node.is(Node::Kind::list);
    out += list ? '[' : '{';
    for (std::size_t i = 0; i < (list ? node.items.size() : node.entries.size()); ++i) {
      if (i > 0) out += ',';
      if (!list) out += base::json_string(node.entries[i].key) + ":";
      auto result = append_json(list ? *node.items[i] : *node.entries[i].value, out);
      if (!result) return result;
    }
    out += list ? ']' : '}';
    return {};
  }
  auto value = to_value(node);
  if (!value) return value.error();
  out += to_json(*value);
  return {};
}

}  // namespace

Result<Value> to_value(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return Value();
    case Node::Kind::boolean:
      return Value(node.boolean);
    case Node::Kind::integer: {
      const auto integer = node.integer();
      if (!integer) return too_large(node);
      return Value(*integer);
    }
    case Node::Kind::real:
      if (node.overflow) return too_large(node);
      return Value(node.number);
    case Node::Kind::text:
      return Value(node.text);
    case Node::Kind::list:
    case Node::Kind::map: {
      Json json;
      if (auto result = append_json(node, json.text); !result) return result.error();
      return Value(std::move(json));
    }
  }
  return Value();
}

}  // namespace hdrive::config
