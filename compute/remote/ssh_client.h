// SPDX-License-Identifier: Apache-2.0
//
// The words of the system's ssh client, and of what is done on a host before hdrive's agent speaks
// there. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compute/remote/connection.h"
#include "hdrive/targets.h"

namespace hdrive::compute::remote {

/// A host's name among those of its target, also in runs' handles: "node1", "node1:2201".
std::string label_of(const SshHost& host);

/// The command that begins an agent there; its shell's $1 is the connection's number, which follows. What comes back
/// before it speaks is lines for `meaning_of`.
std::vector<std::string> ssh_command(const SshOptions& options, const SshHost& host);

/// The same with all else that a connection needs to know.
Way ssh_way(const SshOptions& options, const SshHost& host);

/// What a line of the host's shell says.
struct ShellLine {
  enum class Kind {
    noise,   ///< a greeting, or what a shell's start-up file prints
    wanted,  ///< the agent's program is to be sent
    begins,  ///< what follows is the agent's
    refused  ///< `why`: hdrive cannot work there
  };
  Kind kind = Kind::noise;
  std::string why;
};
ShellLine meaning_of(std::string_view line);

/// Why there is no connection, from what ssh printed, and what to do about it; one sentence.
std::string explain_ssh(std::string_view printed, int status);

}  // namespace hdrive::compute::remote
