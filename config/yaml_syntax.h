// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with text that is no YAML, in words and at a place that help.
//
// Internal to config/yaml_reader.cpp, which sees yaml-cpp; here are only its messages. Pure
// functions.
#pragma once

#include <string>

#include "config/yaml_reader.h"

namespace hdrive::config {

/// Reports yaml-cpp's `message` for what it found at `place`. `unfinished` is the innermost list or
/// mapping that had begun and not ended, or nullptr.
void report_syntax(const std::string& message, Place place, const Node* unfinished,
                   Problems& problems);

/// Whether the bytes are text at all, which is reported if not; yaml-cpp would silently replace
/// what is not.
bool check_text(int source, Problems& problems);

}  // namespace hdrive::config
