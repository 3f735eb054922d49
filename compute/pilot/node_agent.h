// SPDX-License-Identifier: Apache-2.0
//
// The agent on a node of an allocation: a LocalTarget that is told by messages on its standard input what to start, and
// tells by messages on its standard output what happened (compute/remote/wire.h). Run directories are the sweep's own,
// on the file system that the nodes share, so that no file travels. It ends with its connection; the runs live on, as
// children of the holder (holder.h), which lets one agent at a time be there.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compute/local.h"
#include "compute/remote/agent.h"
#include "compute/remote/wire.h"

namespace hdrive::compute::pilot {

/// What the allocation has on a node, as Slurm says.
struct NodeShare {
  std::string node;          ///< its name
  int cpus = 1;              ///< processors
  std::uint64_t memory = 0;  ///< bytes; 0: it does not say
  std::vector<std::string> gpus;
};

class NodeAgent {
 public:
  NodeAgent(std::filesystem::path folder, NodeShare share, std::uint64_t connection);
  /// Serves the engine until it is gone.
  void serve(remote::Inbox& inbox);

 private:
  using Message = remote::Message;

  void take(const Message& message);
  void open(const Message& message);
  void start(const Message& message);
  void adopt(const Message& message);
  void tell(const TargetEvent& event);
  void tell_doubtful(Time now);
  void send(const Message& message) { out_.send(message); }

  std::filesystem::path folder_;  // the allocation's
  NodeShare share_;
  std::shared_ptr<Clock> clock_ = make_steady_clock();
  std::shared_ptr<LocalTarget> target_;
  std::map<RunId, std::filesystem::path> directories_;
  std::deque<std::pair<Time, Message>> doubtful_;  // ends, and when they are to be told
  remote::Outbox out_;
};

}  // namespace hdrive::compute::pilot
