// SPDX-License-Identifier: Apache-2.0
//
// Runs the commands of a batch system without waiting for them: a controller that is down keeps each for seconds. What
// they print goes to files in memory, so that only their end is to be waited for. Owned by the batch target; one thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "hdrive/clock.h"
#include "hdrive/result.h"

namespace hdrive::compute {

/// What a command left.
struct CommandOutput {
  int status = 0;  ///< its exit status; 128 and the signal where it was killed
  std::string out, err;
  bool too_late = false;  ///< it was ended, since it took longer than it may

  /// One line for the user: what it said, or else its status.
  std::string words() const;
};

/// The environment of commands: that of this process, which may itself be a job, without what describes that job.
std::vector<std::string> environment_of_commands();

class Commands {
 public:
  using Done = std::function<void(const CommandOutput&)>;

  static Result<Commands> make();
  Commands(Commands&&) noexcept = default;
  Commands& operator=(Commands&&) noexcept = default;
  /// What runs goes on: a submission is not to be torn in two.
  ~Commands() = default;

  /// Starts it; the first word is looked for in PATH. `done` is called in `take_ended`. After
  /// `limit` it is killed.
  Result<void> start(const std::vector<std::string>& words, Time limit, Done done);

  /// Calls what waits for those that have ended; kills those beyond their time.
  void take_ended(Time now);

  /// The earliest time at which one is to be killed.
  Time next_moment() const;
  /// Readable when a command has ended.
  int descriptor() const { return epoll_.get(); }
  std::size_t running() const { return running_.size(); }

 private:
  struct Running {
    pid_t pid = 0;
    base::UniqueFd process, out, err;
    Time limit{};
    bool too_late = false;
    Done done;
  };

  Commands() = default;

  base::UniqueFd epoll_;
  std::unordered_map<int, Running> running_;  // by the process's descriptor
};

}  // namespace hdrive::compute
