// SPDX-License-Identifier: Apache-2.0
//
// All runs of a sweep as columns of numbers, kept up to date run by run: what charts of a hundred thousand runs are drawn
// from. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/reader.h"
#include "server/portal/json.h"

namespace hdrive::server::portal {

/// "HDC1", or another mark, the length of the head, the head, and columns behind it: see docs/portal-api.md.
class BinaryTable {
 public:
  explicit BinaryTable(std::string_view mark) : mark_(mark) {}

  template <class T>
  void add(Json description, const std::vector<T>& values) {
    add_bytes(std::move(description), type_name(T{}),
              {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  }
  /// `head` gets the list of columns.
  std::string bytes(Json head) const;

 private:
  static const char* type_name(double) { return "f64"; }
  static const char* type_name(std::int32_t) { return "i32"; }
  static const char* type_name(std::uint8_t) { return "u8"; }
  void add_bytes(Json description, const char* type, std::string_view bytes);

  const std::string mark_;
  Json columns_ = Json::array();
  std::string data_;
};

class RunTable {
 public:
  RunTable(std::string metric, Goal goal) : metric_(std::move(metric)), goal_(goal) {}

  /// Adds the run or takes over what changed of it, as change number `change`; numbers rise.
  void take(const StoredRun& run, std::uint64_t change);
  /// The runs that a change after `since` touched.
  std::string encode(std::uint64_t since, Json head) const;
  std::size_t rows() const { return changed_.size(); }

 private:
  // A parameter whose values are all numbers is a column of them; of others each value is a category.
  struct ParameterColumn {
    std::string name;
    bool numbers = true;
    std::vector<double> values;  // NaN: absent; of categories their places
    std::vector<std::string> categories;
    std::map<std::string, double> places;
  };
  struct MetricColumns {
    std::string name;
    std::vector<double> last, least, greatest, count;
  };
  enum Field {
    status,
    ended_by,
    attempt,
    created,
    started,
    ended,
    best,
    last,
    reports,
    slot,
    memory,
    cpu,
    fields
  };

  void grow(std::size_t rows);
  ParameterColumn& parameter(std::string_view name);
  static double category(ParameterColumn& column, const std::string& value);
  static void turn_into_categories(ParameterColumn& column);
  // Whether values of other runs are written in another way now.
  static bool set(ParameterColumn& column, std::size_t row, const Value& value);
  MetricColumns* metric(const std::string& name);

  std::string metric_;
  Goal goal_;
  std::vector<std::uint64_t> changed_;  // by run number: the change that last touched it
  std::vector<double> values_[fields];
  std::vector<ParameterColumn> parameters_;
  std::vector<MetricColumns> metrics_;
};

}  // namespace hdrive::server::portal
