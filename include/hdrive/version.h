// SPDX-License-Identifier: Apache-2.0
//
// The version of this library.
#pragma once

#include <string_view>

namespace hdrive {

/// "0.1.0", the version of this library.
std::string_view version();

}  // namespace hdrive
