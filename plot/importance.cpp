// SPDX-License-Identifier: Apache-2.0
//
// How much each parameter mattered (PED-ANOVA), as bars.
#include <algorithm>
#include <cmath>

#include "plot/chart.h"
#include "plot/words.h"

namespace hdrive::plot {
namespace {

constexpr std::size_t kLongestName = 24;
constexpr double kNameSize = 12;

}  // namespace

Result<Chart> make_importance(const Scene& scene) {
  auto importance = sweep_importance(scene.reader, scene.header, scene.spec.space);
  if (!importance) return Error{"", importance.error().message(), Error::Kind::not_found};
  Chart chart;
  chart.width = 560;
  chart.height = 60 + 30 * static_cast<int>(std::max<std::size_t>(3, importance->size()));
  chart.about =
      "How differently the best tenth of the finished runs is spread along each parameter than all "
      "of them are.";
  chart.legend.push_back({.text = "how differently the best tenth is spread than all runs are"});
  chart.draw = [all = *std::move(importance), &scene](SvgPainter& p, const Box& box) {
    double most = 0.01, widest = 0;
    for (const ParameterImportance& one : all) {
      most = std::max(most, one.share);
      widest = std::max(widest, text_width(cut(bare_name(one.name), kLongestName), kNameSize));
    }
    const double row = std::min(
        34.0, (box.height - 12) / static_cast<double>(std::max<std::size_t>(1, all.size())));
    const double left = box.x + std::min(box.width * 0.42, 22 + widest);
    const double room = box.right() - left - 58;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const double y = box.y + 6 + (static_cast<double>(i) + 0.5) * row;
      const double share = all[i].share / most;
      p.text(left - 10, y, cut(bare_name(all[i].name), kLongestName),
             {.color = scene.theme.ink, .size = kNameSize, .anchor = Anchor::end});
      p.rect(left, y - row * 0.26, std::max(1.0, room * share), row * 0.52,
             {.color = scene.theme.shades[static_cast<std::size_t>(std::lround(20 + 36 * share))]});
      p.text(left + room * share + 8, y, percent_text(all[i].share), {.color = scene.theme.ink_2});
    }
  };
  return chart;
}

}  // namespace hdrive::plot
