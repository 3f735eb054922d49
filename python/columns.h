// SPDX-License-Identifier: Apache-2.0
//
// Columns: the runs of a sweep as a table, for data frames and Arrow.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "hdrive/reader.h"
#include "hdrive/result.h"
#include "python/view.h"

namespace hdrive::python {

/// One column; `valid[i]` says whether row i has a value.
struct Column {
  using Numbers = std::vector<double>;
  using Integers = std::vector<std::int64_t>;
  using Texts = std::vector<std::string>;
  using Mixed = std::vector<Value>;  ///< parameters whose values are of several kinds

  std::string name;
  std::variant<Integers, Numbers, Texts, Mixed> values;
  std::vector<bool> valid;
  bool is_time = false;  ///< integers that count microseconds since the Unix epoch
};

/// number, status, value (the best of the primary metric), params_NAME, metrics_NAME (the last value
/// of each other metric and of the primary one), attempt, cause, created, started, ended, seconds.
struct Columns {
  std::int64_t rows = 0;
  std::vector<Column> columns;
};

Result<Columns> columns_of(View& view, const std::string& primary_metric, Goal goal);

}  // namespace hdrive::python
