// SPDX-License-Identifier: Apache-2.0
//
// Parts: what of a sweep's database is small enough to be read as a whole, each part compared with its digest: so that
// neither a row that is wrong nor one that is missing goes unnoticed by whoever reads only a little. Kept until an
// append changes it. Used within read transactions; one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/database.h"
#include "store/metric_summary.h"
#include "store/seal.h"
#include "store/seal_table.h"

namespace hdrive::store {

struct MetricName {
  std::int64_t number = 0;  ///< in the tables
  std::string text;
  std::uint64_t digest = 0;  ///< of its rows in `run_metrics`
};

class Parts {
 public:
  explicit Parts(Database& database) : database_(database) {}

  /// First of all in each transaction.
  Result<void> look();

  std::int64_t steps() const { return seal_.steps; }
  const PartDigests& digests() const { return seal_.parts->of; }
  Time latest() const { return seal_.parts->latest; }
  const std::string& recent() const { return seal_.recent; }

  Result<SweepHeader> header() const;
  /// The sweep's latest change of status; none yet: status running, of no time.
  Result<SweepChanged> standing() const;
  /// In the order in which they first came.
  Result<const std::vector<MetricName>*> names();
  /// Null: nobody has logged it.
  Result<const MetricName*> name(std::string_view text);
  /// By number.
  Result<const std::vector<RunState>*> states();
  /// One metric of all runs that logged it, by number. Believe them only if it succeeds.
  Result<void> each_figure(const MetricName& metric,
                           const std::function<void(RunId, const MetricSummary&)>& tell) const;

 private:
  Database& database_;
  SealRow seal_;
  std::vector<MetricName> names_;
  std::vector<RunState> states_;
  // Of which append they are; -1: none.
  std::int64_t names_of_ = -1, states_of_ = -1;
};

}  // namespace hdrive::store
