// SPDX-License-Identifier: Apache-2.0
//
// Base64 (RFC 4648, section 4). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hdrive::base {

std::string base64(std::string_view bytes);

/// The bytes, with or without "=" at the end of the text; nothing where it is no base64.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace hdrive::base
