// SPDX-License-Identifier: Apache-2.0
//
// A listening socket. Called where a server is started.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "hdrive/result.h"

namespace hdrive::server {

/// Where to listen, or where somebody does.
struct Address {
  std::string host;  ///< "127.0.0.1", "0.0.0.0", "::1", a name of this machine
  int port = 0;      ///< 0: any that is free

  bool operator==(const Address&) const = default;
};

/// "host", "host:port", "[::1]:port" or ":port" (of the loopback address). Nothing: it is none of these.
std::optional<Address> parse_address(std::string_view text);
/// As a URL has it: "127.0.0.1:5000", "[::1]:5000".
std::string to_string(const Address& address);
/// By which this machine reaches what listens there: of the addresses that stand for all of its own, the loopback one.
Address reachable(const Address& address);

/// Listens there; what a program inherits from this process it does not hold. Error::Kind::busy: somebody else has the
/// port.
Result<base::UniqueFd> listen_at(const Address& address);
/// The port that was given.
int port_of(const base::UniqueFd& listener);

}  // namespace hdrive::server
