// SPDX-License-Identifier: Apache-2.0
//
// The list of sweeps as pages follow it: each is read again only where its files have changed, so that watching a folder
// of many old sweeps costs next to nothing. Any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "hdrive/clock.h"
#include "server/portal/json.h"
#include "server/portal/sizes.h"

namespace hdrive::server::portal {

class Catalogue {
 public:
  Catalogue(std::filesystem::path home, std::shared_ptr<Clock> clock);

  /// `{sweeps: [newest first], problems: [...]}`
  Json list();

  /// What came since `seen`, which is moved on.
  struct News {
    std::vector<Json> sweeps;       ///< new or changed
    std::vector<std::string> gone;  ///< ids
  };
  News news(std::uint64_t& seen);

 private:
  struct Known;
  void read(const std::filesystem::path& directory, Known& known, Time now);
  void add_size(const std::filesystem::path& directory, Known& known);
  /// Not again where the last look is younger than this.
  void look(Duration fresh);

  const std::filesystem::path home_;
  const std::shared_ptr<Clock> clock_;
  std::mutex mutex_;
  struct Known {
    std::string files;  // of what its database was when it was read
    bool live = false;
    std::uint64_t change = 0;
    Json json;            // null: it cannot be read
    std::string problem;  // why
    std::string id;       // as far as it was ever read
    Time created{};
    Time looked{};
    Duration rest{};  // until it is looked at again
  };
  std::map<std::filesystem::path, Known> known_;
  std::map<std::string, std::uint64_t> gone_;  // ids, and the change that took them away
  std::uint64_t change_ = 1;
  Time looked_{};
  Sizes sizes_{clock_};
};

}  // namespace hdrive::server::portal
