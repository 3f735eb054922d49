// SPDX-License-Identifier: Apache-2.0
//
// The metrics.jsonl of a run (docs/metric-protocol.md) as MLflow sees it. The server writes to it as any other program
// of the run does, and reads what others wrote: one stream. Called from the server's thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/result.h"
#include "server/mlflow/open_files.h"

namespace hdrive::server::mlflow {

/// One logged value, in MLflow's units.
struct Point {
  std::string name;
  double value = 0;
  std::int64_t timestamp = 0;  ///< milliseconds since 1970
  std::int64_t step = 0;
};

/// Remembers the latest few thousand things by their hashes, in constant memory.
class RecentHashes {
 public:
  /// False: it was there already.
  bool insert(std::uint64_t hash);
  bool contains(std::uint64_t hash) const;
  void clear();

 private:
  // Two generations: when the younger is full, the older is forgotten and they change places.
  static constexpr std::size_t kMost = 4096, kSlots = 2 * kMost;
  using Table = std::vector<std::uint64_t>;  // open addressing; 0: free
  static bool find(const Table& table, std::uint64_t hash);
  Table young_, old_;
  std::size_t count_ = 0;  // in the younger
};

class MetricsFile {
 public:
  /// `made_here`: it is created at need; otherwise the engine makes it, and where it is missing the run takes no
  /// metrics. `files` has it open between the requests, and must outlive it.
  MetricsFile(OpenFiles& files, std::filesystem::path path, bool made_here)
      : files_(files), path_(std::move(path)), made_here_(made_here) {}

  /// Appends them in their order with one call. A point that is in every way like one of the latest few thousand is
  /// left out, as MLflow's own stores do (metric, timestamp, step and value are its key): so a request that a client
  /// sends again, since the answer was lost, counts once, also when another engine answers. After an Error the points
  /// that were written are known as such, and the request can be sent again.
  Result<void> append(const std::vector<Point>& points);

  /// The latest of each metric: the one with the highest step, then time, then value.
  const std::map<std::string, Point>& latest();

  /// The points of one metric in their order, from the byte `position` on, at most `most`. `next`: where to go on;
  /// nothing: these were the last.
  struct Page {
    std::vector<Point> points;
    std::optional<std::uint64_t> next;
  };
  Page history(const std::string& name, std::uint64_t position, std::size_t most) const;

 private:
  Result<int> open();
  void look_at_tail(int fd, std::uint64_t size);

  OpenFiles& files_;
  std::filesystem::path path_;
  bool made_here_;
  ino_t inode_ = 0;  // of the file that `recent_` speaks of
  RecentHashes recent_;
  bool line_is_open_ = false;  // what was written last lacks its end
  ino_t latest_inode_ = 0;
  std::uint64_t latest_position_ = 0;
  std::map<std::string, Point> latest_;
};

}  // namespace hdrive::server::mlflow
