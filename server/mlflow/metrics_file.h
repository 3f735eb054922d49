// SPDX-License-Identifier: Apache-2.0
//
// The metrics of a run (docs/metric-protocol.md) as MLflow sees them. The server writes to metrics.jsonl as any other
// program of the run does, and reads what others wrote: one stream. Of a run on another machine, where somebody else
// brings that file, it writes to mlflow-metrics.jsonl and reads both. Called from the server's thread.
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
  /// metrics, and a mlflow-metrics.jsonl beside it is what is written to. `files` has it open between the requests,
  /// and must outlive it.
  MetricsFile(OpenFiles& files, const std::filesystem::path& path, bool made_here)
      : files_(files), made_here_(made_here), places_{{path}} {
    if (!made_here) places_.push_back({path.parent_path() / "mlflow-metrics.jsonl"});
  }

  /// Appends them in their order with one call. A point that is in every way like one of the latest few thousand is
  /// left out, as MLflow's own stores do (metric, timestamp, step and value are its key): so a request that a client
  /// sends again, since the answer was lost, counts once, also when another engine answers. After an Error the points
  /// that were written are known as such, and the request can be sent again.
  Result<void> append(const std::vector<Point>& points);

  /// The latest of each metric: the one with the highest step, then time, then value.
  const std::map<std::string, Point>& latest();

  /// The points of one metric in their order, file by file, from the byte `position` on, at most `most`. `next`: where to go on;
  /// nothing: these were the last.
  struct Page {
    std::vector<Point> points;
    std::optional<std::uint64_t> next;
  };
  Page history(const std::string& name, std::uint64_t position, std::size_t most) const;

 private:
  // One of the files that its metrics are in.
  struct Place {
    std::filesystem::path path;
    ino_t inode = 0;  // of the file that `latest_` has read so far
    std::uint64_t position = 0;
  };
  Result<int> open();
  std::uint64_t read_latest(int fd, std::uint64_t position);
  void look_at_tail(int fd, std::uint64_t size);

  OpenFiles& files_;
  bool made_here_;
  std::vector<Place> places_;   // metrics.jsonl first
  std::filesystem::path path_;  // the one that is written to
  ino_t inode_ = 0;             // of the file that `recent_` speaks of
  RecentHashes recent_;
  bool line_is_open_ = false;  // what was written last lacks its end
  std::map<std::string, Point> latest_;
};

}  // namespace hdrive::server::mlflow
