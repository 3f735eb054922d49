// SPDX-License-Identifier: Apache-2.0
//
// One sweep as pages follow it: what changed since they last looked, and its runs as columns. Any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/clock.h"
#include "hdrive/reader.h"
#include "server/portal/columns.h"
#include "server/portal/json.h"

namespace hdrive::server::portal {

class LiveSweep {
 public:
  /// `epoch`: what versions of this server begin with.
  LiveSweep(std::filesystem::path directory, std::string epoch);

  /// The runs changed since `version` as a binary table; all of them where it is empty or means nothing here.
  Result<std::string> columns(const std::string& version);
  /// In short, as of now.
  Result<Json> summary(Time now);

  /// What came since `seen`, which is moved on. Empty: nothing did, or somebody looks at it right now.
  struct News {
    bool anything = false;
    bool all = false;  ///< more than are named, or everything is another one now
    std::vector<RunId> runs;
    std::vector<Noted> notes;
    bool status = false;  ///< the sweep itself changed
    std::string version;
  };
  Result<News> news(std::uint64_t& seen);
  const std::filesystem::path& directory() const { return directory_; }

 private:
  Result<void> open();
  Result<void> look();
  Result<void> read_all();
  std::string version() const;

  const std::filesystem::path directory_;
  const std::string epoch_;
  std::mutex mutex_;
  std::unique_ptr<SweepReader> reader_;
  std::optional<std::int64_t> engine_;
  std::uint64_t change_ = 1;
  // What the latest changes were; of those before only their number is known.
  struct Change {
    std::uint64_t number = 0;
    Increment what;
    bool engine = false;
  };
  std::vector<Change> recent_;
  std::uint64_t forgotten_ = 1;  // changes up to this one are not in `recent_`
  std::optional<RunTable> table_;
  std::uint64_t replaced_at_ = 0;  // nothing from before this change holds
};

}  // namespace hdrive::server::portal
