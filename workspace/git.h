// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace hdrive::workspace {

/// A repository's address as it may be kept and shown: without user and password, and without the
/// query of a web address.
std::string without_credentials(const std::string& url);

}  // namespace hdrive::workspace
