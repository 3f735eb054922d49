// SPDX-License-Identifier: Apache-2.0
//
// The schema of targets.yml as a table: one row a key of a type of target. The checks, the reference page and the reader
// all come from these rows, so a new option is a new row, and a new type a few.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"
#include "hdrive/targets.h"

namespace hdrive::config {

/// What a row reads into.
struct TargetReader {
  Problems& problems;
  std::filesystem::path directory;  ///< of the file: relative paths count from it
  NamedTarget& target;
  SshHost* host = nullptr;  ///< of a host's rows
};

struct TargetKey {
  std::string_view type;  ///< of the target; "any": of each; "ssh host": a mapping in `hosts`
  KeyInfo row;
  /// Takes a value that `check_value` passed.
  void (*read)(TargetReader& reader, const Entry& entry) = nullptr;
};

/// Every key, type by type.
const std::vector<TargetKey>& target_schema();

/// A type of target.
struct TargetType {
  std::string_view name, summary;
  TargetOptions (*make)();  ///< with the defaults
};
const std::vector<TargetType>& target_types();

/// A node as YAML on one line.
std::string one_line(const Node& node);

/// Reads the mapping of a target; problems with it are told. The name is in the target already.
void read_target(TargetReader& reader, const Node& map, Place place);

}  // namespace hdrive::config
