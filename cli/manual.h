// SPDX-License-Identifier: Apache-2.0
//
// The manual page, made from the table of verbs and their arguments.
#pragma once

#include <string>

namespace hdrive::cli {

/// hdrive(1) in roff.
std::string manual_page();

}  // namespace hdrive::cli
