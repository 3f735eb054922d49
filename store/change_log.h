// SPDX-License-Identifier: Apache-2.0
//
// ChangeLog: changes as compact bytes, in the order they were added.
//
// A Change is a comfortable struct of 200 bytes and more; a sweep has millions. Here a metric takes about
// 14 bytes and a whole run about 200. Used by the memory store, on one thread; the log only grows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hdrive/store.h"

namespace hdrive::store {

class ChangeLog {
 public:
  void add(const Change& change);

  /// Tells all of them. Of metrics only those named `only_metric`, all if it is empty.
  void replay(const std::string& only_metric, const std::function<void(const Change&)>& tell) const;

 private:
  class Writer;
  class Reader;

  // What the records before a record say for it: times are stored as differences, and a sentence that
  // repeats the one before (most runs are "drawn at random" and "completed") as one byte.
  struct Before {
    std::int64_t time = 0;
    std::string proposal, end;
  };

  std::uint64_t intern(std::string_view name);

  // Blocks of about kBlockBytes, so that growing copies nothing; a record never crosses blocks.
  std::vector<std::string> blocks_;
  std::string record_;              // being written
  Before before_;                   // of the next record
  std::vector<std::string> names_;  // of metrics and parameters, by number
  std::unordered_map<std::string, std::uint64_t> numbers_;
};

}  // namespace hdrive::store
