// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hdrive::server {

/// Behind the server's address, before a run's number: the part of it that the run may use.
inline constexpr std::string_view kScope = "/runs/";

}  // namespace hdrive::server
