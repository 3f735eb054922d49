// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/lookback.h"

#include <algorithm>
#include <utility>

namespace hdrive::sampling::gp {

std::optional<Option> neglected_option(const Encoding& encoding,
                                       const std::vector<Observation>& observations,
                                       RandomStream& random) {
  std::optional<Option> result;
  std::pair<RunId, double> longest_ago;
  for (std::size_t j = 0; j < encoding.size(); ++j) {
    const Dimension& dimension = encoding.dimensions()[j];
    if (dimension.kind != Dimension::Kind::category) continue;
    std::vector<RunId> last(dimension.positions.size(), -1);
    for (const Observation& each : observations)
      if (each.point && (*each.point)[j] != kAbsent)
        last[dimension.nearest((*each.point)[j])] = each.run;
    for (std::size_t position = 0; position < last.size(); ++position) {
      const std::pair key(last[position], random.uniform());
      if (result && longest_ago <= key) continue;
      longest_ago = key;
      result = {j, position};
    }
  }
  return result;
}

bool repeats_agree(const std::vector<Observation>& observations) {
  std::vector<const Observation*> values;
  for (const Observation& each : observations)
    if (each.kind == Observation::Kind::value) values.push_back(&each);
  const auto key = [](const Observation* each) {
    return std::pair<const Coordinates&, double>(*each->point, each->value);
  };
  std::sort(values.begin(), values.end(),
            [&](const auto* a, const auto* b) { return key(a) < key(b); });
  return std::adjacent_find(values.begin(), values.end(), [&](const auto* a, const auto* b) {
           return key(a) == key(b);
         }) != values.end();
}

}  // namespace hdrive::sampling::gp
