// SPDX-License-Identifier: Apache-2.0
//
// Value: what a parameter can be set to. Assignment: one drawn parameter set, in file order.
//
// Plain values without identity; copy them freely, compare them exactly (a NaN equals itself here).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hdrive/result.h"

namespace hdrive {

/// A list or an object among a choice's options, kept as compact JSON ("[64,64]").
struct Json {
  std::string text;
  bool operator==(const Json&) const = default;
};

/// null, boolean, integer, real number, text, or a JSON list or object.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Json>;

/// Whether two values are of one kind and equal, a NaN and a NaN included: `==` of doubles would
/// find no parameter set with one in it a second time.
bool same_value(const Value& a, const Value& b);

/// The text a training script sees on its command line (reference, section 10.6), which is what
/// Python prints: integers as they are, other numbers as repr() has them (0.0001, 1e-05,
/// 1000000.0), `True` / `False` / `None`, text unchanged, lists and objects as compact JSON.
std::string to_text(const Value& value);

/// The value as JSON. Numbers keep their kind (`3` and `3.0` differ); NaN and infinities, which
/// JSON lacks, become the strings "NaN", "Infinity", "-Infinity". Bytes that are not UTF-8 become
/// U+FFFD.
std::string to_json(const Value& value);

/// The number a boolean, integer or real stands for; nothing for the other kinds.
std::optional<double> as_number(const Value& value);

/// One parameter's name and the value it was given.
struct Binding {
  std::string name;  ///< as written in the configuration, leading dashes included
  Value value;
  bool operator==(const Binding& other) const {
    return name == other.name && same_value(value, other.value);
  }
};

/// A parameter set: one binding for each parameter of the search space that exists in it, in its
/// order.
using Assignment = std::vector<Binding>;

/// `{"lr":0.01,"layers":2}`; the order of the assignment is kept.
std::string to_json(const Assignment& assignment);

/// Reads back what `to_json` wrote. Fails on text that is not a JSON object.
Result<Assignment> assignment_from_json(std::string_view json);

/// The value bound to `name`, or nullptr. Leading dashes count on neither side ("lr" finds "--lr").
const Value* find(const Assignment& assignment, std::string_view name);

/// Without the dashes in front: "--learning_rate" -> "learning_rate".
std::string_view bare_name(std::string_view parameter_name);

}  // namespace hdrive
