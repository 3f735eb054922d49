// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hdrive::server {

/// Behind the server's address, before a run's number: the part of it that the run may use.
inline constexpr std::string_view kScope = "/runs/";
/// Behind that number, before an attempt's: of a run on another machine, where an attempt may live on, and speak, after
/// the next one has begun.
inline constexpr std::string_view kAttemptScope = "/attempts/";

}  // namespace hdrive::server
