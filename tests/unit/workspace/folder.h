// SPDX-License-Identifier: Apache-2.0
//
// A source folder and a store of snapshots for one test.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "hdrive/workspace.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::test {

namespace fs = std::filesystem;

inline void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

inline std::string read(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class Project {
 public:
  Project() {
    fs::create_directories(source());
    fs::create_directories(home() / "HD_1" / "runs" / "0");
  }
  fs::path source() const { return directory_.path() / "source"; }
  fs::path home() const { return directory_.path() / "home"; }
  fs::path store() const { return snapshot_store(home()); }
  fs::path run() const { return home() / "HD_1" / "runs" / "0"; }

  void write(const std::string& path, const std::string& text) const {
    test::write(source() / path, text);
  }

  // Long after everything in the source folder was written.
  CaptureOptions options() const {
    CaptureOptions result;
    result.source = source();
    result.store = store();
    result.leave_out = {home()};
    result.now = std::chrono::time_point_cast<Time::duration>(
                     std::chrono::file_clock::to_sys(fs::last_write_time(source()))) +
                 std::chrono::hours{1};
    return result;
  }
  Capture capture() const { return *capture_source(options()); }

  Workspace workspace(const std::string& snapshot) const {
    return {source(), snapshot, store(), KeepWork::never};
  }

 private:
  TemporaryDirectory directory_;
};

// The paths of a snapshot, in order, with an arrow to what a link leads to.
inline std::string paths(const Project& project, const Capture& capture) {
  const auto entries = read_snapshot(project.store(), capture.id);
  if (!entries) return entries.error().message();
  std::string text;
  for (const SnapshotEntry& entry : *entries)
    text +=
        (text.empty() ? "" : " ") + entry.path + (entry.target.empty() ? "" : "->" + entry.target);
  return text;
}

}  // namespace hdrive::test
