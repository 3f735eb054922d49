// SPDX-License-Identifier: Apache-2.0
#include "config/quantity.h"

#include <cmath>
#include <string>
#include <string_view>

#include "base/text.h"
#include "config/load.h"

namespace hdrive::config {
namespace {

struct ByteUnit {
  std::string_view name;  // lower case
  double bytes;
};
constexpr ByteUnit kByteUnits[] = {{"", 1},         {"b", 1},           {"kb", 1e3},
                                   {"mb", 1e6},     {"gb", 1e9},        {"tb", 1e12},
                                   {"kib", 1024.0}, {"mib", 1048576.0}, {"gib", 1073741824.0}};

}  // namespace

std::optional<std::uint64_t> bytes_of(const Node& node) {
  std::string text = base::lower(node.text);
  if (!node.is_scalar()) return std::nullopt;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = base::parse_number(text.substr(0, digits));
  const std::string_view unit = base::trim(std::string_view(text).substr(digits));
  for (const ByteUnit& each : kByteUnits)
    if (number && each.name == unit && *number * each.bytes < 1e18)
      return static_cast<std::uint64_t>(std::llround(*number * each.bytes));
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> duration_of(const Node& node) {
  std::optional<double> seconds = seconds_of(node);
  if (!seconds && node.is(Node::Kind::text) && !node.text.empty()) {
    const double unit = node.text.back() == 's'   ? 1
                        : node.text.back() == 'm' ? 60
                        : node.text.back() == 'h' ? 3'600
                        : node.text.back() == 'd' ? 86'400
                                                  : 0;
    const auto number = base::parse_number(node.text.substr(0, node.text.size() - 1));
    if (number && unit > 0 && *number > 0) seconds = *number * unit;
  }
  if (!seconds || *seconds > 1e9) return std::nullopt;
  return std::chrono::milliseconds(round_to_count(*seconds * 1'000));
}

}  // namespace hdrive::config
