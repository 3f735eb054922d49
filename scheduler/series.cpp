// SPDX-License-Identifier: Apache-2.0
#include "scheduler/series.h"

#include <cmath>
#include <limits>

namespace hdrive::scheduler {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// Grows by a quarter rather than to the double: most of a sweep's memory are its reports.
template <class T>
void append_to(std::vector<T>& items, T item) {
  if (items.size() == items.capacity()) items.reserve(items.size() + items.size() / 4 + 4);
  items.push_back(item);
}

std::optional<double> unless_nan(double value) {
  if (std::isnan(value)) return std::nullopt;
  return value;
}

}  // namespace

void Series::Mean::add(double value) {
  if (!std::isfinite(value)) return;
  sum += value;
  ++count;
}

double Series::Mean::get() const {
  if (count == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(sum / static_cast<long double>(count));
}

void Series::append(double value, double sign) {
  std::uint32_t best = best_at_.empty() ? kNone : best_at_.back();
  if (std::isfinite(value) && (best == kNone || sign * value > sign * best_)) {
    best = static_cast<std::uint32_t>(values_.size());
    best_ = value;
  }
  append_to(values_, value);
  append_to(best_at_, best);
  mean_.add(value);
}

std::optional<double> Series::best(std::int64_t count) const {
  if (count < 1) return std::nullopt;
  if (count >= size()) return unless_nan(best_);
  const std::uint32_t at = best_at_[static_cast<std::size_t>(count - 1)];
  if (at == kNone) return std::nullopt;
  return values_[at];
}

std::optional<double> Series::average(std::int64_t count) const {
  if (count < 1) return std::nullopt;
  if (count >= size()) return unless_nan(mean_.get());
  if (!memo_) memo_ = std::make_unique<Memo>();
  // All that is missing at once, so that each report is added once.
  for (std::size_t next = memo_->means.size();
       static_cast<std::int64_t>(memo_->means.size()) < count && next < values_.size(); ++next) {
    memo_->mean.add(values_[next]);
    memo_->means.push_back(memo_->mean.get());
  }
  return unless_nan(memo_->means[static_cast<std::size_t>(count - 1)]);
}

}  // namespace hdrive::scheduler
