// SPDX-License-Identifier: Apache-2.0
//
// Series: what one run reported of the primary metric, and the best and the mean of its beginnings.
//
// A report takes 12 bytes: its value, and the place of the best one so far. The means of beginnings
// shorter than the whole take another 8, for the runs where somebody asks (a sweep that judges each
// report as it comes never does). One thread at a time: `average` memoises.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace hdrive::scheduler {

class Series {
 public:
  Series() = default;
  Series(Series&&) noexcept = default;
  Series& operator=(Series&&) noexcept = default;
  /// A copy computes its means anew.
  Series(const Series& other)
      : values_(other.values_), best_at_(other.best_at_), best_(other.best_), mean_(other.mean_) {}
  Series& operator=(const Series& other) { return *this = Series(other); }

  /// One more report. `sign` is +1 where more is better, -1 where less is.
  void append(double value, double sign);

  std::span<const double> values() const { return values_; }
  std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }

  /// The best finite one of the first `count` reports (of all, where there are fewer).
  std::optional<double> best(std::int64_t count) const;
  /// The mean of the finite ones among them.
  std::optional<double> average(std::int64_t count) const;

 private:
  /// In extended precision: no sum overflows, and equal values have exactly that value as their
  /// mean, so that a tie with it is a tie.
  struct Mean {
    long double sum = 0;
    std::int64_t count = 0;

    void add(double value);
    double get() const;  ///< NaN: of nothing
  };
  struct Memo {
    std::vector<double> means;  ///< of the first 1, 2, ... reports
    Mean mean;                  ///< after the last of them
  };

  std::vector<double> values_;
  std::vector<std::uint32_t> best_at_;  ///< where the best of the first 1, 2, ... reports is
  double best_ = std::numeric_limits<double>::quiet_NaN();  ///< of all; the one most asked for
  Mean mean_;
  mutable std::unique_ptr<Memo> memo_;
};

}  // namespace hdrive::scheduler
