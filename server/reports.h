// SPDX-License-Identifier: Apache-2.0
//
// What a run on another machine, which shares no file system with the engine, tells by HTTP (docs/http-reports.md): its
// files, piece by piece, which become those of its run directory here, so that the engine reads them as it reads all
// others. Each piece says where it belongs, and the answer how far the file has come: what is sent twice, late or in
// the wrong order does no harm. Called from the server's thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <unordered_map>

#include "hdrive/history.h"
#include "server/http.h"

namespace hdrive::server {

class Reports {
 public:
  explicit Reports(std::filesystem::path sweep_directory)
      : directory_(std::move(sweep_directory)) {}

  /// `path` is what stands behind "/runs/7/attempts/1": "/files/metrics.jsonl".
  Response handle(RunId run, int attempt, std::string_view path, const Request& request);

  /// Whether files of that attempt were moved aside, since another one has begun: what it still has to say, from a
  /// machine that was out of reach, say, is not the next one's.
  bool is_over(RunId run, int attempt) const;
  static Response attempt_is_over(RunId run, int attempt);

 private:
  std::filesystem::path folder_of(RunId run) const;
  int attempt_of(RunId run, const std::filesystem::path& folder);

  const std::filesystem::path directory_;
  // What run.json says, as long as it is the same file: it is written once an attempt.
  struct Known {
    ino_t inode = 0;
    std::int64_t changed = 0;  // ns
    int attempt = 0;
  };
  std::unordered_map<RunId, Known> known_;
};

}  // namespace hdrive::server
