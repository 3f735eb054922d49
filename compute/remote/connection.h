// SPDX-License-Identifier: Apache-2.0
//
// The connection to one host: a process that leads there (ssh, srun), what is said before the agent
// speaks, and then messages to and from the agent. Everything goes over this one session. Owned by a
// target; one thread, nothing in it waits.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "compute/remote/wire.h"

namespace hdrive::compute::remote {

/// The process that leads to a host.
struct Way {
  /// Its words. The agent is to be given the connection's number, which messages carry (wire.h).
  std::function<std::vector<std::string>(std::uint64_t connection)> command;
  /// Ctrl-C at the engine's terminal does not reach it; but it cannot ask for a password there.
  bool own_session = true;
  /// Its environment; empty: that of this process.
  std::function<std::vector<std::string>()> environment;
  std::string missing;  ///< what to say where there is no such program
  /// Why there is no connection, from what it printed and its exit status; one sentence.
  std::function<std::string(std::string_view, int)> explain;
};

class Connection {
 public:
  /// Its descriptors are put into `epoll` with this mark.
  Connection(Way way, int epoll, std::uint64_t mark);
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Starts the process. Connections are numbered by the time, so that no other one of the host ever
  /// had this number: those of earlier engines are older.
  Result<void> open(Time now);
  /// Ends it; the agent there ends with it.
  void close();
  bool is_open() const { return pid_ > 0; }

  void send(const Message& message);
  /// Before all that waits to be sent.
  void send_first(Message message);
  /// A message that is made when its turn comes, since it is large.
  void send_later(std::function<Message()> make);

  /// Writes and reads what goes without waiting, and appends what has arrived. An Error: the
  /// connection is gone, and this says why.
  Result<void> exchange(std::vector<Message>& arrived);

 private:
  void watch_for_room(bool wanted);
  bool write_some();
  Result<void> take(std::string_view bytes, std::vector<Message>& arrived);
  Result<void> take_messages(std::vector<Message>& arrived);
  Error broken();

  Way way_;
  int epoll_;
  std::uint64_t mark_;
  pid_t pid_ = 0;
  base::UniqueFd socket_, errors_;
  std::uint64_t number_ = 0;  // of the latest connection
  bool begun_ = false;        // the agent speaks
  std::string lines_;         // before that
  std::string printed_;
  FrameReader frames_;
  FrameWriter writer_;
  std::string out_;
  std::size_t written_ = 0;
  std::deque<std::function<Message()>> later_;
  bool watches_room_ = false;
};

}  // namespace hdrive::compute::remote
