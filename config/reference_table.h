// SPDX-License-Identifier: Apache-2.0
//
// Tables of keys in the generated reference pages.
#pragma once

#include <string>
#include <vector>

#include "config/schema.h"

namespace hdrive::config {

/// Appends the rows as a table: key, value, default, meaning.
void append_rows(std::string& page, const std::vector<KeyInfo>& rows);

}  // namespace hdrive::config
