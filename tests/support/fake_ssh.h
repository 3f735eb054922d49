// SPDX-License-Identifier: Apache-2.0
//
// An `ssh` that runs the command on this machine, so that tests need no server. The environment of
// the process has it first in PATH while this lives. What it was called with, and the processes it
// became, are noted in a folder of its own; a file named `refuse` there, or `refuse-` and the host's name,
// is what it says instead.
#pragma once

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace hdrive::test {

class FakeSsh {
 public:
  FakeSsh() : path_(::getenv("PATH")) {
    const std::filesystem::path program = folder_.path() / "ssh";
    const std::string folder = folder_.path().string();
    std::ofstream(program) << "#!/bin/sh\nfolder=" << folder << R"(
for word; do host=$last last=$word; done
for file in refuse "refuse-$host"; do
  if [ -e "$folder/$file" ]; then cat "$folder/$file" >&2; exit 255; fi
done
echo "$$ $host" >> "$folder/pids"
printf '%s\n' "$*" >> "$folder/calls"
echo 'Welcome to this machine.'
if [ -e "$folder/distort" ]; then
  read -r program mode < "$folder/distort"
  exec "$program" "$mode" "$folder/kept-$host" sh -c "$last"
fi
exec sh -c "$last"
)";
    ::chmod(program.c_str(), 0700);
    ::setenv("PATH", (folder + ":" + path_).c_str(), 1);
  }
  ~FakeSsh() { ::setenv("PATH", path_.c_str(), 1); }
  FakeSsh(const FakeSsh&) = delete;
  FakeSsh& operator=(const FakeSsh&) = delete;

  /// The folder for what hdrive keeps on the other machine.
  std::string directory() const { return (folder_.path() / "there").string(); }

  /// The connections there were to a host, or to all, oldest first: the processes of agents.
  std::vector<pid_t> agents(const std::string& host = "") const {
    std::vector<pid_t> pids;
    std::ifstream file(folder_.path() / "pids");
    std::string name;
    for (pid_t pid = 0; file >> pid >> name;)
      if (host.empty() || name == host) pids.push_back(pid);
    return pids;
  }

  /// As if the link to a host were cut, or to all: agents and connections end, runs live on.
  void cut(const std::string& host = "") {
    for (const pid_t pid : agents(host))
      if (cut_.insert(pid).second) ::kill(pid, SIGKILL);
  }

  /// From the next connection on what the other end says is distorted so (frame_repeater.cpp).
  void distort(const std::string& mode) const {
    std::ofstream(folder_.path() / "distort") << HDRIVE_FRAME_REPEATER << " " << mode << "\n";
  }

  /// From now on there is no connection to the host, or to any, and this is what ssh says; an empty text:
  /// there is again.
  void refuse(const std::string& words, const std::string& host = "") const {
    const auto file = folder_.path() / (host.empty() ? "refuse" : "refuse-" + host);
    if (words.empty())
      std::filesystem::remove(file);
    else
      std::ofstream(file) << words << "\n";
  }

 private:
  TemporaryDirectory folder_;
  std::string path_;
  std::set<pid_t> cut_;
};

}  // namespace hdrive::test
