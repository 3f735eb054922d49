// SPDX-License-Identifier: Apache-2.0
#include "plot/axes.h"

#include <algorithm>
#include <cmath>

namespace hdrive::plot {
namespace {

constexpr double kTickSize = 11;
constexpr std::size_t kLongestTick = 12;

Range padded(const AxisSpec& axis) {
  if (axis.kind == ScaleKind::log && axis.range.low > 0) {
    const double reach = std::log(axis.range.high / axis.range.low) * axis.pad;
    return {axis.range.low * std::exp(-reach), axis.range.high * std::exp(reach)};
  }
  const double reach = (axis.range.high - axis.range.low) * axis.pad;
  return {axis.range.low - reach, axis.range.high + reach};
}

double widest_tick(const Scale& scale, int count) {
  double widest = 0;
  for (const Tick& tick : scale.ticks(count))
    widest = std::max(widest, text_width(cut(tick.label, kLongestTick), kTickSize));
  return widest + 14;
}

int y_ticks(double height, bool compact) {
  return std::max(2, static_cast<int>(height / (compact ? 36 : 44)));
}

}  // namespace

Frame lay_out(const Box& box, const AxisSpec& x, const AxisSpec& y, bool compact) {
  const double top = compact ? 22 : 26, bottom = compact ? 20 : 38, right = compact ? 10 : 16;
  Box inner;
  inner.y = box.y + top;
  inner.height = std::max(10.0, box.height - top - bottom);
  const Scale ys(y.kind, padded(y), inner.bottom(), inner.y, y.categories);
  const double left =
      std::max(compact ? 26.0 : 34.0, widest_tick(ys, y_ticks(inner.height, compact)));
  inner.x = box.x + left;
  inner.width = std::max(10.0, box.width - left - right);
  const Scale xs(x.kind, padded(x), inner.x, inner.right(), x.categories);
  return {inner, xs, ys, x.label, y.label, compact};
}

void draw_axes(SvgPainter& p, const Frame& frame, const Theme& theme, AxisTicks ticks) {
  const Box& box = frame.box;
  if (ticks.y)
    for (const Tick& tick : frame.y.ticks(y_ticks(box.height, frame.compact))) {
      const double at = frame.y(tick.value);
      if (at < box.y - 1 || at > box.bottom() + 1) continue;
      const double row = std::floor(at) + 0.5;
      p.line({box.x, row}, {box.right(), row}, {theme.line});
      p.text(box.x - 7, at, cut(tick.label, kLongestTick),
             {.color = theme.ink_3, .size = kTickSize, .anchor = Anchor::end});
    }
  const double floor = std::floor(box.bottom()) + 0.5;
  p.line({box.x, floor}, {box.right(), floor}, {theme.line_2});
  const bool words = frame.x.kind() == ScaleKind::category;
  const auto shown =
      frame.x.ticks(std::max(2, static_cast<int>(box.width / (words           ? 64
                                                              : frame.compact ? 42
                                                                              : 76))));
  const double each = box.width / std::max<double>(1, static_cast<double>(shown.size()));
  const auto room = words ? static_cast<std::size_t>(std::max(3.0, each / 6.6)) : std::size_t{20};
  if (ticks.x)
    for (const Tick& tick : shown) {
      const double at = frame.x(tick.value);
      if (at < box.x - 1 || at > box.right() + 1) continue;
      p.line({at, box.bottom()}, {at, box.bottom() + 4}, {theme.line_2});
      const std::string label = cut(tick.label, room);
      // What would stand beyond the end of the axis is drawn back to it.
      const double half = text_width(label, kTickSize) / 2;
      const double middle = std::min(at, box.right() + 12 - half);
      p.text(words ? at : middle, box.bottom() + 13, label,
             {.color = theme.ink_3, .size = kTickSize, .anchor = Anchor::middle});
    }
  const auto most = static_cast<std::size_t>(std::max(4.0, box.width / 6.2));
  const TextStyle name{.color = theme.ink_2, .size = kTickSize, .weight = 500};
  if (frame.compact) {
    p.text(box.x, box.y - 12, cut(frame.x_label, most), name);
    return;
  }
  p.text(box.x, box.y - 14, cut(frame.y_label, most), name);
  TextStyle at_end = name;
  at_end.anchor = Anchor::end;
  p.text(box.right(), box.bottom() + 30, cut(frame.x_label, most), at_end);
}

}  // namespace hdrive::plot
