// SPDX-License-Identifier: Apache-2.0
//
// The files of a run on its machine, as the agent sends them to the engine: what the program
// appends while it runs, and all of the run directory when it has ended. Owned by the agent, one
// for each run; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "compute/remote/wire.h"

namespace hdrive::compute::remote {

class HostFiles {
 public:
  /// `have`: how much of each file the engine has, by path.
  HostFiles(std::filesystem::path directory, RunId run, int attempt,
            const std::map<std::string, std::uint64_t>& have);

  using Send = std::function<void(const Message&)>;

  /// Sends what was appended to the run's output, metrics and logs since, some megabytes at most.
  void send_appended(const Send& send);

  /// From now on `send_rest` sends all files, exit.json last.
  void list_all();
  /// Sends some of them. False: there are none left.
  bool send_rest(const Send& send);

 private:
  struct Sent {
    std::uint64_t size = 0;
    std::uint64_t inode = 0;    // 0: an earlier agent sent it
    std::int64_t modified = 0;  // ns
    bool there = false;         // the engine has a file of that name
  };
  struct Entry {
    std::string path;
    bool folder = false, link = false;
  };

  void list(const std::filesystem::path& folder, int depth);
  bool send_file(const std::string& path, bool complete, std::size_t& budget, const Send& send);
  Message about(const char* is, const std::string& path) const;

  std::filesystem::path directory_;
  RunId run_ = 0;
  int attempt_ = 1;
  std::map<std::string, Sent> sent_;
  std::deque<Entry> rest_;
};

}  // namespace hdrive::compute::remote
