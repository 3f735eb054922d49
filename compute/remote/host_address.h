// SPDX-License-Identifier: Apache-2.0
//
// Where a host is reached by the others of its target, and which ports are free on it. Called by the agent; any thread.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace hdrive::compute::remote {

/// By which address the other hosts reach this one: that at which ssh did, as SSH_CONNECTION has it, or where that is
/// missing or the loopback's, its name.
std::string address_by(std::string_view connection);

/// The first of `count` ports in a row that are free at all addresses and none of `taken`, where they are put; 0: there
/// are none.
int free_ports(int count, std::set<int>& taken);

}  // namespace hdrive::compute::remote
