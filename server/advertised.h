// SPDX-License-Identifier: Apache-2.0
//
// Where a sweep's server listens and by which address other machines reach it, worked out from what its specification
// says. Called where a server is started, and before.
#pragma once

#include <optional>
#include <string>

#include "hdrive/server.h"
#include "server/listener.h"

namespace hdrive::server {

/// What of an address stands in front of it.
enum class Scheme { none, http, https };

struct ServerPlan {
  Address listen;             ///< port 0: any, or the one it had
  bool listen_given = false;  ///< by server_address; else the port of an earlier engine may change
  bool tls =
      false;  ///< the server's own, at `listen`; at the loopback address it is plain HTTP beside that
  /// How other machines reach it; port 0: the one that it listens at. Nothing: they don't.
  std::optional<Address> advertise;
  bool advertise_tls = false;  ///< https://, its own or of a proxy in front of it

  /// What those who are told of the server call it; empty: nobody is.
  std::string told_host() const { return advertise ? advertise->host : ""; }
};

/// An Error names the key of hdconfig.yml, what is wrong, and what to do. Finds the machine's own address or name
/// where `auto` asks for one.
Result<ServerPlan> plan_server(const ServerOptions& options);

/// The address that this machine has in the network by which it reaches others; nothing: it is alone.
std::optional<std::string> own_address();

/// What this machine is called, in full where that is known.
std::optional<std::string> own_name();

/// Whether it means every address of the machine.
bool is_any(const Address& address);

/// Whether it is an address of the machine itself alone.
bool is_loopback(const Address& address);

}  // namespace hdrive::server
