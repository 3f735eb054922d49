// SPDX-License-Identifier: Apache-2.0
#include "plot/scale.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "plot/words.h"

namespace hdrive::plot {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
constexpr double kSlack = 1e-9;

double nice_step(double span, int count) {
  const double raw = span / std::max(1, count);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double rest = raw / power;
  return (rest > 5 ? 10 : rest > 2 ? 5 : rest > 1 ? 2 : 1) * power;
}

std::vector<Tick> linear_ticks(Range range, int count, bool whole) {
  const double span = range.high - range.low;
  if (!(span > 0)) return {{range.low, number_text(range.low)}};
  const double step = whole ? std::max(1.0, nice_step(span, count)) : nice_step(span, count);
  // A number to as many digits as the step has, so that 0.30000000000000004 is 0.3.
  const double unit = std::pow(10, std::min(15.0, std::max(0.0, -std::floor(std::log10(step)))));
  std::vector<Tick> ticks;
  for (double k = std::ceil(range.low / step - kSlack); k * step <= range.high + step * kSlack;
       ++k) {
    const double value = k * step;
    const double tidy = std::abs(value) < step * 1e-6 ? 0 : std::round(value * unit) / unit;
    ticks.push_back({value, number_text(tidy, 6)});
  }
  return ticks;
}

std::vector<Tick> log_ticks(Range range, int count) {
  // The powers of ten within the range, as many as there is room for.
  const double first = std::ceil(std::log10(range.low) - kSlack);
  const double last = std::floor(std::log10(range.high) + kSlack);
  const double span = std::log10(range.high / range.low);
  const std::vector<double> factors = span <= 1.05  ? std::vector<double>{1, 2, 3, 5}
                                      : span <= 2.2 ? std::vector<double>{1, 3}
                                                    : std::vector<double>{1};
  const double stride = std::max(1.0, std::ceil((last - first + 1) / std::max(1, count)));
  std::vector<Tick> ticks;
  // Of a narrow range also what lies between them, from the power below it on.
  const double from = factors.size() > 1 ? first - 1 : first;
  for (double exponent = from; exponent <= last; exponent += factors.size() > 1 ? 1 : stride)
    for (const double factor : factors) {
      const double value = factor * std::pow(10, exponent);
      if (value >= range.low * (1 - kSlack) && value <= range.high * (1 + kSlack))
        ticks.push_back({value, number_text(value)});
    }
  if (ticks.size() >= 2) return ticks;
  ticks = linear_ticks(range, count, false);
  std::erase_if(ticks, [](const Tick& tick) { return tick.value <= 0; });
  return ticks;
}

std::vector<Tick> duration_ticks(Range range, int count) {
  constexpr double kSteps[] = {1,     2,     5,     10,    15,     30,     60,
                               120,   300,   600,   900,   1800,   3600,   7200,
                               10800, 21600, 43200, 86400, 172800, 604800, 2592000};
  const double span = range.high - range.low;
  if (!(span > 0)) return {{range.low, duration_text(range.low)}};
  const auto* const fits = std::find_if(std::begin(kSteps), std::end(kSteps),
                                        [&](double s) { return span / s <= count; });
  const double step = span < 4 || fits == std::end(kSteps) ? nice_step(span, count) : *fits;
  std::vector<Tick> ticks;
  for (double k = std::ceil(range.low / step - kSlack); k * step <= range.high; ++k)
    ticks.push_back({k * step, k == 0 ? "0" : duration_text(k * step)});
  return ticks;
}

}  // namespace

Scale::Scale(ScaleKind kind, Range range, double from, double to,
             std::vector<std::string> categories)
    : kind_(kind), range_(range), from_(from), categories_(std::move(categories)) {
  auto& [low, high] = range_;
  const bool log = kind == ScaleKind::log;
  if (kind == ScaleKind::category) {
    low = -0.5;
    high = std::max<double>(1, static_cast<double>(categories_.size())) - 0.5;
  } else if (!std::isfinite(low) || !std::isfinite(high)) {
    range_ = log ? Range{0.1, 1} : Range{0, 1};
  } else if (low == high) {
    // One value alone stands in the middle.
    const double reach = std::max(0.5, std::abs(low) * 0.1);
    range_ = log ? Range{low / 2, high * 2} : Range{low - reach, high + reach};
  }
  if (log && low <= 0) kind_ = ScaleKind::linear;
  const bool by_logarithm = kind_ == ScaleKind::log;
  a_ = by_logarithm ? std::log(low) : low;
  slope_ = (to - from) / ((by_logarithm ? std::log(high) : high) - a_);
}

double Scale::operator()(double value) const {
  if (kind_ != ScaleKind::log) return from_ + (value - a_) * slope_;
  return value > 0 ? from_ + (std::log(value) - a_) * slope_ : kNoValue;
}

std::vector<Tick> Scale::ticks(int count) const {
  switch (kind_) {
    case ScaleKind::duration:
      return duration_ticks(range_, count);
    case ScaleKind::log:
      return log_ticks(range_, count);
    case ScaleKind::category: {
      std::vector<Tick> ticks;
      const std::size_t most = static_cast<std::size_t>(std::max(1, count));
      const std::size_t stride = std::max<std::size_t>(1, (categories_.size() + most - 1) / most);
      for (std::size_t i = 0; i < categories_.size(); i += stride)
        ticks.push_back({static_cast<double>(i), categories_[i]});
      return ticks;
    }
    default:
      return linear_ticks(range_, count, kind_ == ScaleKind::integer);
  }
}

Range extent(std::span<const double> values, bool positive) {
  Range range{kNoValue, kNoValue};
  for (const double value : values) {
    if (!std::isfinite(value) || (positive && value <= 0)) continue;
    if (!(value >= range.low)) range.low = value;
    if (!(value <= range.high)) range.high = value;
  }
  return range;
}

double quantile(std::span<const double> sorted, double share) {
  if (sorted.empty()) return kNoValue;
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double rest = at - static_cast<double>(below);
  return rest > 0 ? sorted[below] + (sorted[below + 1] - sorted[below]) * rest : sorted[below];
}

std::vector<double> sorted_finite(std::span<const double> values) {
  std::vector<double> kept;
  std::copy_if(values.begin(), values.end(), std::back_inserter(kept),
               [](double value) { return std::isfinite(value); });
  std::sort(kept.begin(), kept.end());
  return kept;
}

Range robust_extent(std::span<const double> values) {
  const std::vector<double> sorted = sorted_finite(values);
  if (sorted.empty()) return {kNoValue, kNoValue};
  const double q1 = quantile(sorted, 0.05), q3 = quantile(sorted, 0.95);
  const double reach = (q3 - q1) * 1.5;
  if (!(reach > 0)) return {sorted.front(), sorted.back()};
  return {std::max(sorted.front(), q1 - reach), std::min(sorted.back(), q3 + reach)};
}

}  // namespace hdrive::plot
