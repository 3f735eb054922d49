// SPDX-License-Identifier: Apache-2.0
//
// What a Gaussian process makes of a sweep, for the page's model view: fitting takes up to seconds, so that what was
// fitted is kept until another run ends. Any thread; who comes while a model is fitted waits for it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "server/portal/json.h"

namespace hdrive::server::portal {

/// Fails where there are so many reports that going through all of them takes long.
Result<void> check_reports(const SweepEntry& sweep, SweepReader& reader);

/// Fitted anew. Where there is no model its `why` says so.
Result<Json> model_json(const SweepEntry& sweep, SweepReader& reader);

class Models {
 public:
  Result<Json> get(const SweepEntry& sweep, SweepReader& reader);

 private:
  struct Kept {
    std::string of;  // which results it was fitted to
    Result<Json> json = Json();
    std::uint64_t used = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Kept> kept_;  // by the sweep's directory
  std::uint64_t uses_ = 0;
};

}  // namespace hdrive::server::portal
