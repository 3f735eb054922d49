// SPDX-License-Identifier: Apache-2.0
#include "policies/sentence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace hdrive::policies {

std::string ordinal(std::int64_t number) {
  const std::int64_t tens = number / 10 % 10, ones = number % 10;
  const char* suffix = "th";
  if (tens != 1 && ones == 1) suffix = "st";
  if (tens != 1 && ones == 2) suffix = "nd";
  if (tens != 1 && ones == 3) suffix = "rd";
  return fmt::format("{}{}", number, suffix);
}

std::string number(double number, double other, double rounding) {
  constexpr int kEnough = 17;  // digits that tell any two doubles apart
  if (std::abs(number - other) <= rounding) number = other = std::min(number, other);
  for (int digits = 4; digits < kEnough; ++digits) {
    std::string text = fmt::format("{:.{}g}", number, digits);
    if (number == other || std::isnan(other) || text != fmt::format("{:.{}g}", other, digits))
      return text;
  }
  return fmt::format("{:.{}g}", number, kEnough);
}

std::string judged_value(const Verdict& verdict, double rounding) {
  const std::string reports = base::plural(verdict.interval, "report");
  if (std::isnan(verdict.value)) return fmt::format("no finite value in {}", reports);
  return fmt::format("best value {} after {}", number(verdict.value, verdict.threshold, rounding),
                     reports);
}

std::string no_peers(const Verdict& verdict) {
  const std::string reports = base::plural(verdict.interval, "report");
  if (verdict.peers == 0)
    return fmt::format("nothing to compare with: no other run has {} yet", reports);
  return fmt::format("nothing to compare with: {} with {} reported no finite value",
                     base::plural(verdict.peers, "other run"), reports);
}

}  // namespace hdrive::policies
