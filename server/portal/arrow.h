// SPDX-License-Identifier: Apache-2.0
//
// Columns as an Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html, version 5 of the metadata): a
// schema and one batch of all rows. No library: what is needed of Flatbuffers, in which the metadata are written, is a
// page. Types are those of sweep.to_arrow() in Python. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hdrive/clock.h"
#include "hdrive/value.h"

namespace hdrive::server::portal {

inline constexpr std::string_view kArrowType = "application/vnd.apache.arrow.stream";

class ArrowColumn {
 public:
  enum class Kind { nothing, boolean, integer, real, text, time };
  /// Of `nothing` the first value decides: numbers of both kinds are reals, other mixtures JSON as text.
  explicit ArrowColumn(std::string name, Kind kind = Kind::nothing)
      : name_(std::move(name)), kind_(kind) {}

  void add(const Value& value);
  void add_text(std::string_view text);
  /// In UTC; the epoch is nothing.
  void add_time(Time time);
  void add_nothing() { valid_.push_back(false); }

  const std::string& name() const { return name_; }
  Kind kind() const { return kind_; }
  std::size_t rows() const { return valid_.size(); }
  std::int64_t nulls() const;
  /// Validity, and what belongs to the kind: offsets before texts.
  std::vector<std::string> buffers() const;

 private:
  void turn_into_text();

  std::string name_;
  Kind kind_;
  bool is_json_ = false;
  std::vector<bool> valid_;
  // By kind, without what is not there.
  std::vector<std::int64_t> integers_;
  std::vector<double> reals_;
  std::vector<std::string> texts_;
};

/// All columns have the same number of rows.
std::string arrow_stream(const std::vector<ArrowColumn>& columns);

}  // namespace hdrive::server::portal
