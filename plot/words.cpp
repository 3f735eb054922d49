// SPDX-License-Identifier: Apache-2.0
#include "plot/words.h"

#include <fmt/format.h>

#include <cmath>

namespace hdrive::plot {
namespace {

constexpr const char* kMinus = "\u2212";
constexpr const char* kThinSpace = "\u202f";

std::string without_zeros(std::string text) {
  if (text.find('.') == text.npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

// `digits` significant ones, in plain notation.
std::string plain(double value, int digits) {
  const int before = static_cast<int>(std::floor(std::log10(value))) + 1;
  const std::string text = fmt::format("{:.{}f}", value, std::max(0, digits - before));
  return without_zeros(text);
}

std::string grouped(long long number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += kThinSpace;
    text += digits[i];
  }
  return text;
}

std::string two(long long great, const char* great_unit, long long small, const char* small_unit) {
  return small == 0 ? fmt::format("{} {}", great, great_unit)
                    : fmt::format("{} {} {} {}", great, great_unit, small, small_unit);
}

}  // namespace

std::string number_text(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  const std::string sign = value < 0 ? kMinus : "";
  const double size = std::abs(value);
  if (std::isinf(value)) return sign + "\u221e";
  if (size == 0) return "0";
  if (size < 1e6 && std::floor(size) == size) {
    const auto whole = static_cast<long long>(size);
    return sign + (whole >= 10'000 ? grouped(whole) : std::to_string(whole));
  }
  if (size < 1e6 && size >= 1e-4) return sign + plain(size, digits);
  const std::string text = fmt::format("{:.{}e}", size, std::max(0, digits - 1));
  const std::size_t e = text.find('e');
  const int exponent = std::stoi(text.substr(e + 1));
  return sign + without_zeros(text.substr(0, e)) + "e" + (exponent < 0 ? kMinus : "") +
         std::to_string(std::abs(exponent));
}

std::string count_text(long long count) { return grouped(count); }

std::string percent_text(double share) {
  const double value = share * 100;
  if (!std::isfinite(value)) return "\u2013";
  return (value >= 10 || value == 0 ? std::to_string(std::lround(value)) : plain(value, 1)) +
         kThinSpace + "%";
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "\u2013";
  if (seconds < 0.995) return fmt::format("{} ms", std::lround(seconds * 1000));
  if (seconds < 9.95) return without_zeros(fmt::format("{:.1f}", seconds)) + " s";
  if (seconds < 59.5) return fmt::format("{} s", std::lround(seconds));
  if (seconds < 600) {
    const long long all = std::llround(seconds);
    return two(all / 60, "min", all % 60, "s");
  }
  const long long minutes = std::llround(seconds / 60);
  if (minutes < 60) return fmt::format("{} min", minutes);
  const long long hours = minutes / 60;
  if (hours < 24) return two(hours, "h", minutes % 60, "min");
  return two(hours / 24, "d", hours % 24, "h");
}

}  // namespace hdrive::plot
