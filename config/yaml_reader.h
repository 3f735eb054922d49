// SPDX-License-Identifier: Apache-2.0
//
// YAML text as a tree of typed nodes that know where they were written.
//
// Types are YAML 1.2's core schema: `true`/`false` are booleans (`yes` is text), quoted scalars are
// text, `0o17`, `0x1f`, `.inf` and `.nan` are numbers. The merge key of YAML 1.1 (`<<: *defaults`)
// is taken as PyYAML does, since the files of other tools have it. The tree is immutable and shares
// what an alias names, so an edit (`replaced`) makes a new root. The only file that sees yaml-cpp
// is yaml_reader.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"
#include "hdrive/value.h"

namespace hdrive::config {

struct Node;
using NodePtr = std::shared_ptr<const Node>;

/// One key of a mapping and its value.
struct Entry {
  std::string key;
  Place place;  ///< of the key
  NodePtr value;
};

struct Node {
  enum class Kind { null, boolean, integer, real, text, list, map };
  Kind kind = Kind::null;
  Place place;
  std::string text;    ///< a scalar as written, without its quotes
  bool plain = false;  ///< a scalar without quotes and tag
  bool boolean = false;
  std::uint64_t magnitude = 0;  ///< of an integer; `negative` is its sign
  bool negative = false;
  bool overflow = false;  ///< a number too large for its type
  double number = 0;      ///< of an integer or real
  std::vector<NodePtr> items;
  std::vector<Entry>
      entries;             ///< in the order of the file, each key once; what is merged stands first
  std::size_t weight = 1;  ///< bytes and nodes, aliases written out
  int depth = 1;           ///< levels, aliases written out

  bool is(Kind wanted) const { return kind == wanted; }
  bool is_number() const { return kind == Kind::integer || kind == Kind::real; }
  bool is_scalar() const { return kind != Kind::list && kind != Kind::map; }
  /// The integer, where it fits.
  std::optional<std::int64_t> integer() const;
  const Entry* find(std::string_view key) const;
};

/// Reads one document. Nothing on a syntax error, which is then among the problems; duplicate keys
/// are problems too, but keep the first value and go on. An empty document is null.
NodePtr read_yaml(int source, Problems& problems);

/// A node of text that no file has.
NodePtr text_node(std::string text, Place place);

/// The tree with the value at `path` (dotted keys; items of a list by number, `name` or `value`)
/// put in place, mappings created on the way. Fails where the path leads into a scalar or an
/// unknown item.
Result<NodePtr> replaced(const NodePtr& root, const std::vector<std::string_view>& path,
                         const NodePtr& value, Place place);

/// `the integer 5`, `the text "ten"`, `a list`, `empty`: for messages.
std::string describe(const Node& node);

/// The node as a Value; lists and mappings become compact JSON. Fails on an integer beyond 64 bits.
Result<Value> to_value(const Node& node);

}  // namespace hdrive::config
