// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace hdrive::compute::remote {

/// The agent, a static program for Linux on x86-64, which the library carries in its object code.
std::string_view agent_image();

/// Its SHA-256 in hexadecimal, by which it is known where it has travelled to.
const std::string& agent_digest();

}  // namespace hdrive::compute::remote
