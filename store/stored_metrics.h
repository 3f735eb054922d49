// SPDX-License-Identifier: Apache-2.0
//
// StoredMetrics: the values that runs logged, compared with the digests of their attempts while they are read. Used
// within read transactions; one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "hdrive/reader.h"
#include "store/database.h"
#include "store/parts.h"

namespace hdrive::store {

class StoredMetrics {
 public:
  StoredMetrics(Database& database, Parts& parts) : database_(database), parts_(parts) {}

  /// As SweepReader::each_metric. What was told is to be believed only if it succeeds.
  Result<void> each(std::optional<RunId> run,
                    const std::function<void(const StoredMetric&)>& tell) const;
  /// The values of this metric in the run's current attempt, from the place `from` on.
  Result<Series> series(const StoredRun& run, const std::string& metric, std::int64_t from) const;
  /// Whether the run's values, and what is kept of them in short, are what was written.
  Result<void> check(const StoredRun& run) const;

 private:
  Database& database_;
  Parts& parts_;
};

}  // namespace hdrive::store
