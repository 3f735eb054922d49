// SPDX-License-Identifier: Apache-2.0
//
// Completion scripts for shells, made from the table of verbs.
#pragma once

#include <string>
#include <string_view>

namespace hdrive::cli {

/// For "bash", "zsh" or "fish".
std::string completion_script(std::string_view shell);

}  // namespace hdrive::cli
