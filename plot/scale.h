// SPDX-License-Identifier: Apache-2.0
//
// From values to pixels, with ticks where people expect them (web/src/charts/scale.ts), and the range of values that an
// axis shows.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace hdrive::plot {

enum class ScaleKind { linear, log, category, duration, integer };

struct Tick {
  double value = 0;
  std::string label;
};

struct Range {
  double low = 0, high = 0;  ///< NaN: there is no value
};

class Scale {
 public:
  /// `to` may be less than `from`. Of categories the range does not count. A log scale of values that are not above 0 is
  /// linear.
  Scale(ScaleKind kind, Range range, double from, double to,
        std::vector<std::string> categories = {});

  /// NaN where it has no place.
  double operator()(double value) const;
  std::vector<Tick> ticks(int count) const;
  ScaleKind kind() const { return kind_; }
  Range range() const { return range_; }
  const std::vector<std::string>& categories() const { return categories_; }

 private:
  ScaleKind kind_;
  Range range_;
  double from_ = 0, a_ = 0, slope_ = 0;
  std::vector<std::string> categories_;
};

/// Of the finite values; with `positive` of those above 0.
Range extent(std::span<const double> values, bool positive = false);
/// A range that outliers do not stretch: training that diverged must not flatten all that did not.
Range robust_extent(std::span<const double> values);
/// The value below which a share of the values lies; NaN of none.
double quantile(std::span<const double> sorted, double share);
/// The finite ones in order.
std::vector<double> sorted_finite(std::span<const double> values);

}  // namespace hdrive::plot
