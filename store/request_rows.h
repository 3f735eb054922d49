// SPDX-License-Identifier: Apache-2.0
//
// RequestRows: what other processes ask of the engine, as the engine reads it from the table `requests`. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "hdrive/requests.h"
#include "store/database.h"

namespace hdrive::store {

/// The latest that was asked so far; 0: nothing.
Result<std::int64_t> latest_request(Database& database);

class RequestRows {
 public:
  explicit RequestRows(Database& database) : database_(database) {}

  /// What was asked of an engine before and never heard is not meant for this one, and whoever waits for an
  /// answer is told. What came later than `latest` was asked of this engine while it was opening the sweep.
  Result<void> answer_for_the_dead(std::int64_t latest);

  /// As Store::take_requests.
  Result<std::vector<Request>> take();

 private:
  void refuse_unknown();

  Database& database_;
  std::int64_t data_version_ = 0;
  std::int64_t taken_ = 0;             // the latest request told
  std::vector<std::int64_t> unknown_;  // requests of an unknown kind that are still to be answered
};

}  // namespace hdrive::store
