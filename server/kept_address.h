// SPDX-License-Identifier: Apache-2.0
//
// server.json in a sweep's directory: where its server listens and the token that its clients show, so that both stay
// what they are when another engine goes on with the sweep.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "hdrive/result.h"
#include "server/listener.h"

namespace hdrive::server {

struct KeptAddress {
  Address address;
  std::string token;
  int inside_port =
      0;  ///< of the loopback address, for programs of this machine, beside a server with TLS

  bool operator==(const KeptAddress&) const = default;
};

/// Nothing: there is none, or what is there is no such file.
std::optional<KeptAddress> read_kept_address(const std::filesystem::path& sweep_directory);
/// For its owner alone (0600), in one step, and safe from a crash of the machine.
Result<void> keep_address(const std::filesystem::path& sweep_directory, const KeptAddress& kept);

}  // namespace hdrive::server
