// SPDX-License-Identifier: Apache-2.0
//
// The holder: what hdrive keeps on each node of an allocation as long as that lasts, in a step of the
// job. It starts an agent (node_agent.h) for who connects, one at a time, and is the parent of all
// that agents leave, so that runs belong to its step and live on when a connection or an engine ends.
// It gives signs of life, passes on Slurm's warning, ends all when the allocation is over, and ends
// itself when nobody has needed the allocation for a while. A process with one thread.
//
// The bridge: what runs on a node for a connection, in a step of its own. It passes bytes between its
// standard input and output and the holder.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "compute/pilot/node_agent.h"
#include "hdrive/clock.h"

namespace hdrive::compute::pilot {

class Holder {
 public:
  Holder(std::filesystem::path folder, NodeShare share, Duration idle, Duration beat);
  /// Returns when it has ended, with the status of the process.
  int hold();

 private:
  enum class Phase {
    open,
    ending,  // all is asked to end
    killing  // or told to
  };

  bool prepare();
  void take_signals();
  void accept_engine();
  void end_agent();
  void start_agent(int socket);
  bool reap();
  void look(Time now, bool used);
  bool nobody_needs_it() const;
  std::vector<pid_t> supervisors() const;
  void signal_supervisors(int number) const;

  std::filesystem::path folder_;
  NodeShare share_;
  Duration idle_, beat_;
  std::shared_ptr<Clock> clock_ = make_steady_clock();
  base::UniqueFd listener_, signals_;
  pid_t agent_ = 0;
  Phase phase_ = Phase::open;
  bool warned_ = false;
  Time next_beat_{}, next_busy_{}, used_{};
};

/// The status of the process.
int bridge(const std::filesystem::path& folder, const std::string& node, std::uint64_t connection);

/// What the bridge tells the agent first: the number of its connection (compute/remote/wire.h). Nothing: it has gone
/// before.
std::optional<std::uint64_t> connection_from(int socket);

}  // namespace hdrive::compute::pilot
