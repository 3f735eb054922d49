// SPDX-License-Identifier: Apache-2.0
//
// targets.yml as it was read: for those who look targets up, and those who change the file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"
#include "config/yaml_reader.h"
#include "hdrive/targets.h"

namespace hdrive::config {

struct TargetFile {
  NodePtr root;
  NodePtr targets;  ///< the mapping; null or a null node where there is none
  std::vector<NamedTarget> read = {};
  std::vector<std::string> faulty = {};  ///< those with errors, by name
};

/// Nothing where the file as a whole cannot be read, which is told, as all problems are.
std::optional<TargetFile> read_target_file(int source, const std::filesystem::path& file,
                                           Problems& problems);

/// Tells what is wrong with a target's name, if anything is.
void report_name(Problems& problems, Place place, std::string_view name);

}  // namespace hdrive::config
