// SPDX-License-Identifier: Apache-2.0
//
// The agent's part in runs over several hosts: a port that is free on this one, and the word that the
// run's processes wait for.
#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "compute/remote/agent.h"
#include "compute/remote/host_address.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute::remote {
namespace {

namespace fs = std::filesystem;

// What an earlier agent has told the processes of the run.
int port_in(const std::string& text) {
  const auto lines = base::split(std::string_view(text), '\n');
  int port = 0;
  if (lines.size() > 1) std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), port);
  return port;
}

}  // namespace

// Told twice it answers the same: the processes have read it by then.
void Agent::gather(const Message& message) {
  const RunId run = message.at("run");
  const int attempt = message.at("attempt");
  Message answer = about("gathered", run, attempt);
  const fs::path file =
      directory_of(run) / (std::string(protocol::kNodesFile) + std::to_string(attempt));
  if (const auto before = base::read_file(file)) {
    answer["port"] = port_in(*before);
    return send(answer);
  }
  const int port = message.contains("port") ? message.at("port").get<int>()
                                            : free_ports(message.at("ports").get<int>(), ports_);
  const auto addresses = message.at("addresses").get<std::vector<std::string>>();
  const auto told =
      port == 0 ? Result<void>(Error{"", "no port is free for the processes of the run",
                                     Error::Kind::no_resources})
                : base::write_file_atomically(file, fmt::format("{}\n{}\n{}\n", addresses.at(0),
                                                                port, base::join(addresses, ",")));
  if (told)
    answer["port"] = port;
  else
    answer["error"] = message_of(told.error());
  send(answer);
}

}  // namespace hdrive::compute::remote
