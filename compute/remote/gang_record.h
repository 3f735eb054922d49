// SPDX-License-Identifier: Apache-2.0
//
// What is written of a run over several hosts: where its parts are, and up to where each has been read.
// Called by GangTarget; one thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/result.h"

namespace hdrive::compute::remote {

/// nodes/hosts in the run directory: which hosts an attempt was sent to, by node. An engine that died
/// before it had stored the run's handle finds its parts by it.
struct GangRecord {
  int attempt = 0;
  std::vector<std::string> hosts;
};
/// Survives a crash of the machine once it returns.
Result<void> write_gang_record(const std::filesystem::path& directory, const GangRecord& record);
/// Nothing: there is none. An Error: it cannot be read.
Result<std::optional<GangRecord>> read_gang_record(const std::filesystem::path& directory);
/// Takes it away, and the folders of nodes that hold nothing.
void remove_gang_record(const std::filesystem::path& directory, std::size_t nodes);

/// A run's handle: "h1+h2", its hosts by node.
std::string gang_handle(const std::vector<std::string>& hosts);
std::vector<std::string> hosts_in(std::string_view handle);

/// A run's cursor: those of its nodes, with bars between them.
std::string gang_cursor(const std::vector<std::string>& cursors);
std::string cursor_of_node(std::string_view cursor, std::size_t node);

/// Puts what the node that decided how the run ended has left where the run's own is looked for: its
/// exit.json, and behind stderr.log what it wrote there last.
void take_end_of_node(const std::filesystem::path& directory, std::size_t node,
                      const std::string& host);
/// Puts the files of its processes among those of the first node.
void gather_processes(const std::filesystem::path& directory, std::size_t node);

}  // namespace hdrive::compute::remote
