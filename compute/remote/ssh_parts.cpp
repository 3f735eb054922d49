// SPDX-License-Identifier: Apache-2.0
//
// The ssh target, fourth part: what a run over several hosts needs of the target of each of them.
#include <algorithm>

#include "compute/remote/ssh_target.h"

namespace hdrive::compute::remote {

SshTarget::Room SshTarget::room(RunId run) const {
  const Host& host = hosts_.front();
  Room room;
  if (host.state == Host::State::down) room.why = host.why;
  room.connecting = any_connecting();
  if (host.state == Host::State::ready && !host.abandoned.contains(run))
    room.slots = host.slots - used(0);
  return room;
}

void SshTarget::expect(const RunRequest& request) {
  note_sweep(request);
  wanted_ = true;
}

std::string SshTarget::address() const {
  const Host& host = hosts_.front();
  if (!host.options.address.empty()) return host.options.address;
  return host.address.empty() ? host.options.host : host.address;
}

void SshTarget::gather(RunId id, const std::vector<std::string>& addresses,
                       std::optional<int> port) {
  const auto found = runs_.find(id);
  if (found == runs_.end() || found->second.stage != Run::Stage::live) return;
  const RunRequest& request = found->second.request;
  Message message = about("gather", id, request.attempt);
  message["addresses"] = addresses;
  // Tasks of tensorflow take the ports behind it.
  message["ports"] = request.distribution.type == DistributionType::tensorflow
                         ? 1 + processes_on_a_node(request.resources, request.distribution)
                         : 1;
  if (port) message["port"] = *port;
  hosts_.front().link->send(message);
}

void SshTarget::take_gathered(const Message& message) {
  Gathered gathered{message.at("run"), message.at("attempt"), 0};
  if (message.contains("error"))
    gathered.port = error_in(message.at("error"));
  else
    gathered.port = message.at("port").get<int>();
  gathered_.push_back(std::move(gathered));
}

void SshTarget::pass_on(RunId id, const std::string& path) {
  const auto found = runs_.find(id);
  if (found == runs_.end() || found->second.stage != Run::Stage::live) return;
  hosts_.front().link->send(
      {{"is", "file"}, {"run", id}, {"path", path}, {"offset", 0}, {"bytes", bytes_of("0\n")}});
}

}  // namespace hdrive::compute::remote

namespace hdrive {

// Each run takes a slot of its own on so many hosts: where `runs` of them fit, no host counts for more than one
// slot of each.
std::int64_t runs_over_hosts(const std::vector<std::int64_t>& slots, std::int64_t nodes) {
  std::int64_t all = 0;
  for (const std::int64_t each : slots) all += each;
  std::int64_t fit = 0, most = nodes > 0 ? all / nodes : 0;
  while (fit < most) {
    const std::int64_t runs = fit + (most - fit + 1) / 2;
    std::int64_t places = 0;
    for (const std::int64_t each : slots) places += std::min(each, runs);
    if (places >= runs * nodes)
      fit = runs;
    else
      most = runs - 1;
  }
  return fit;
}

std::optional<std::string> fault_of_nodes(const SshOptions& options, std::int64_t nodes,
                                          DistributionType type) {
  const auto hosts = static_cast<std::int64_t>(options.hosts.size());
  if (nodes > hosts)
    return "a run has " + std::to_string(nodes) + " nodes, and there " +
           (hosts == 1 ? std::string("is 1 host") : "are " + std::to_string(hosts) + " hosts") +
           "; allowed: at most as many nodes as hosts, each of which is another machine";
  if (nodes > 1 && type == DistributionType::none)
    return "a run has " + std::to_string(nodes) +
           " nodes, but nothing says what starts its processes on them; write distribution: "
           "pytorch or tensorflow";
  if (nodes > 1 && type == DistributionType::mpi)
    return "distribution: mpi on several hosts would need mpirun to log in from one host to the "
           "others by itself; write distribution: pytorch, whose variables hdrive sets on all "
           "hosts "
           "(torch.distributed with gloo or nccl), use a target of type slurm, or let the script "
           "of a run on 1 node call mpirun with its hosts";
  return std::nullopt;
}

}  // namespace hdrive
