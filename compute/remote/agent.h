// SPDX-License-Identifier: Apache-2.0
//
// The agent: what runs on a machine that hdrive reaches by SSH. It is a LocalTarget that is told by
// messages on its standard input what to start, and tells by messages on its standard output what
// happened (compute/remote/wire.h). It ends with the connection; the runs and their supervisors live
// on, and the next agent finds them again.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "compute/local.h"
#include "compute/remote/host_files.h"
#include "compute/remote/host_lease.h"
#include "compute/remote/wire.h"

namespace hdrive::compute::remote {

/// The messages that arrive on a descriptor, read by a thread of its own, which wakes who waits.
class Inbox {
 public:
  /// Reads what belongs to this connection, until the other end is gone.
  void read_all(int fd, std::uint64_t connection);
  /// What has arrived; `stop` is then a token that is stopped as soon as there is more.
  std::vector<Message> take(std::stop_token& stop, bool& ended);
  /// Waits for more.
  void wait();

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::stop_source source_;
  std::vector<Message> messages_;
  bool ended_ = false;
};

/// The messages to the engine, on standard output.
class Outbox {
 public:
  explicit Outbox(std::uint64_t connection) : frames_(connection) {}
  void send(const Message& message);
  /// Whether nobody listens any more.
  bool cut() const { return cut_; }

 private:
  FrameWriter frames_;
  bool cut_ = false;
};

class Agent {
 public:
  /// `reached`: SSH_CONNECTION, which says at which address this machine was reached; may be empty.
  Agent(std::filesystem::path directory, std::uint64_t connection, std::string_view reached);
  /// Serves the engine until it is gone.
  void serve(Inbox& inbox);

 private:
  struct Run {
    int attempt = 1;
    HostFiles files;
    Message end;             // null: it has not ended
    bool abandoned = false;  // the engine counts it as lost: it is ended, and nothing of it told
  };

  void take(const Message& message);
  void open(const Message& message);
  Result<void> lock(const std::string& name);
  void take_snapshot(const Message& message);
  void take_content(const Message& message);
  void take_file(const Message& message);
  void start(const Message& message);
  void adopt(const Message& message);
  void abandon(const Message& message);
  void gather(const Message& message);
  void discard(RunId run);
  void ask_for_lease();
  void take_lease(const Message& message);
  void remove(RunId run);
  RunRequest placed(const Message& message) const;
  std::filesystem::path directory_of(RunId run) const;
  void tell(const TargetEvent& event);
  void send_files(Time now);
  bool send_ends();
  void send(const Message& message) { out_.send(message); }

  std::filesystem::path directory_, store_, runs_directory_;
  std::shared_ptr<Clock> clock_ = make_steady_clock();
  std::shared_ptr<LocalTarget> target_;
  base::UniqueFd lock_;
  std::map<RunId, Run> runs_;
  std::map<std::string, std::string> texts_;  // of the snapshots that are arriving
  std::string first_in_path_;
  Time next_files_{};
  HostLease lease_;
  Duration lost_after_{};  // how long the lease lasts; zero: runs hold to none
  Time next_lease_{};
  Outbox out_;
  std::string address_;
  std::set<int> ports_;  // that were given to runs
};

}  // namespace hdrive::compute::remote
