// SPDX-License-Identifier: Apache-2.0
//
// What a YAML scalar is: the core schema of YAML 1.2, section 10.3.
#pragma once

#include <string>

#include "config/yaml_reader.h"

namespace hdrive::config {

/// Sets the node's kind and value from its text. `tag` is yaml-cpp's: "?" plain, "!" quoted, or a
/// full one. False for a tag outside the core schema, or a text that its tag cannot be given to.
bool resolve_scalar(const std::string& tag, Node& node);

}  // namespace hdrive::config
