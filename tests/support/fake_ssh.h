// SPDX-License-Identifier: Apache-2.0
//
// An `ssh` that runs the command on this machine, so that tests need no server. The environment of
// the process has it first in PATH while this lives. What it was called with, and the processes it
// became, are noted in a folder of its own; a file named `refuse` there is what it says instead.
#pragma once

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace hdrive::test {

class FakeSsh {
 public:
  FakeSsh() : path_(::getenv("PATH")) {
    const std::filesystem::path program = folder_.path() / "ssh";
    const std::string folder = folder_.path().string();
    std::ofstream(program) << "#!/bin/sh\n"
                              "if [ -e " +
                                  folder + "/refuse ]; then cat " + folder +
                                  "/refuse >&2; exit 255; fi\n"
                                  "echo $$ >> " +
                                  folder +
                                  "/pids\n"
                                  "printf '%s\\n' \"$*\" >> " +
                                  folder +
                                  "/calls\n"
                                  "echo 'Welcome to this machine.'\n"
                                  "for last; do :; done\n"
                                  "exec sh -c \"$last\"\n";
    ::chmod(program.c_str(), 0700);
    ::setenv("PATH", (folder + ":" + path_).c_str(), 1);
  }
  ~FakeSsh() { ::setenv("PATH", path_.c_str(), 1); }
  FakeSsh(const FakeSsh&) = delete;
  FakeSsh& operator=(const FakeSsh&) = delete;

  /// The folder for what hdrive keeps on the other machine.
  std::string directory() const { return (folder_.path() / "there").string(); }

  /// The connections there were, oldest first: the processes of agents.
  std::vector<pid_t> agents() const {
    std::vector<pid_t> pids;
    std::ifstream file(folder_.path() / "pids");
    for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
    return pids;
  }

  /// As if the link were cut: agents and connections end, runs live on.
  void cut() {
    const auto pids = agents();
    for (; cut_ < pids.size(); ++cut_) ::kill(pids[cut_], SIGKILL);
  }

  /// From now on there is no connection, and this is what ssh says; an empty text: there is again.
  void refuse(const std::string& words) const {
    const auto file = folder_.path() / "refuse";
    if (words.empty())
      std::filesystem::remove(file);
    else
      std::ofstream(file) << words << "\n";
  }

 private:
  TemporaryDirectory folder_;
  std::string path_;
  std::size_t cut_ = 0;  // so many of the agents
};

}  // namespace hdrive::test
