// SPDX-License-Identifier: Apache-2.0
//
// The processes that one program has started and waits for (processes.h). One thread; signals are blocked and waited for.
#pragma once

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "compute/supervisor/rank.h"

namespace hdrive::supervisor {

/// The exit status where something cannot be started, as a shell has it.
inline constexpr int kCannotStart = 127;

/// Into stderr.log, where who looks for the reason of a failure reads.
void say(const char* format, const char* first, const char* second = "");

class Members {
 public:
  /// `argv` is that of the role (protocol.h).
  Members(const Plan& plan, char** argv, int node = 0) : plan_(plan), argv_(argv), node_(node) {}
  ~Members();
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  bool make_room(int count);
  /// Starts one: `words` is executed, with the variables of `rank` where it has one. False: it could not, which is said.
  bool start(char** words, const Rank* rank);
  /// Tells the other nodes that nothing can be started on this one.
  void fail(int status) const { write_note("failed", status); }

  /// How what has been started is told to end, and warned.
  struct Signals {
    bool ends = false;  ///< whether it is told from here
    int end = SIGTERM, warn = SIGUSR1, warn_to_end = SIGTERM;
    /// Of a run on several nodes: whether this is one of them, or what has started them.
    bool is_node = false, starts_nodes = false;
  };
  /// Waits until all that count have ended, or one has failed; ends the others. The status to end with.
  int wait_for_all(const sigset_t& signals, const Signals& told, long long grace_ms);

 private:
  struct Member {
    pid_t pid = 0;  // 0 once it is gone
    Rank rank;
  };

  [[noreturn]] void become(char** words, const Rank* rank, pid_t parent, int pipe) const;
  bool cannot_start(const char* program, int error) const;
  bool is_server(const Member& member) const {
    return plan_.type == 't' && member.rank.rank >= plan_.workers;
  }
  bool all_done();
  bool reap();
  void ended(Member& member, int status);
  void tell_who_failed(const Member& member, int status) const;
  void repeat_stderr(int rank) const;
  void signal_all(int signal) const;
  void end();
  void take(int signal);
  long long left_ms() const;

  // Small numbers for the other nodes, beside the files of the processes.
  void name_note(char* path, size_t size, const char* name) const;
  bool read_note(const char* name, int* number) const;
  void write_note(const char* name, int number) const;

  const Plan& plan_;
  char** argv_;
  int node_;
  Member* members_ = nullptr;
  int count_ = 0, alive_ = 0;
  int status_ = 0;
  bool failed_ = false, ending_ = false;
  bool told_to_end_ = false;
  bool said_done_ = false;  // to the other nodes
  Signals told_;
  long long ending_since_ = 0, grace_ms_ = 0;
};

}  // namespace hdrive::supervisor
