// SPDX-License-Identifier: Apache-2.0
//
// One metric of one attempt in short, as the table `run_metrics` has it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "store/database.h"

namespace hdrive::store {

struct MetricSummary {
  std::int64_t count = 0;
  std::int64_t finite = 0;  ///< of them
  double last = std::numeric_limits<double>::quiet_NaN();
  std::optional<std::int64_t> last_step;
  double least =
      std::numeric_limits<double>::quiet_NaN();  ///< of the finite ones; NaN: there are none
  double greatest = std::numeric_limits<double>::quiet_NaN();

  void add(double value, const std::optional<std::int64_t>& step) {
    ++count;
    last = value;
    last_step = step;
    if (!std::isfinite(value)) return;
    ++finite;
    // Their NaN gives way to any number.
    least = std::fmin(least, value);
    greatest = std::fmax(greatest, value);
  }
};

/// From the columns count, finite, last, last_step, least, greatest of `run_metrics`, of which the first is `first`.
inline MetricSummary read_summary(const Row& row, int first) {
  return {row.integer(first),           row.integer(first + 1), row.real(first + 2),
          row.maybe_integer(first + 3), row.real(first + 4),    row.real(first + 5)};
}

}  // namespace hdrive::store
