// SPDX-License-Identifier: Apache-2.0
//
// Comma-separated values (RFC 4180). Pure functions.
#pragma once

#include <string>

namespace hdrive::base {

/// `text` as a field of a row: in quotes where it needs them.
std::string csv_field(const std::string& text);

}  // namespace hdrive::base
