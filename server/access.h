// SPDX-License-Identifier: Apache-2.0
//
// Who may talk to a sweep's server: those who know its token. Pure.
#pragma once

#include <string_view>

namespace hdrive::server {

/// Whether an Authorization header carries the token: "Bearer TOKEN", or "Basic" with the token as the password of
/// whatever user, which is what a browser sends, and an MLflow client that finds a user's name in its environment.
bool authorizes(std::string_view header, std::string_view token);

}  // namespace hdrive::server
