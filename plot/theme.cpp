// SPDX-License-Identifier: Apache-2.0
#include "plot/theme.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace hdrive::plot {
namespace {

int channel(std::string_view color, std::size_t place) {
  int value = 0;
  const char* const at = color.data() + 1 + 2 * place;
  std::from_chars(at, at + 2, value, 16);
  return value;
}

Theme with_shades(Theme theme) {
  for (std::size_t i = 0; i < kShades; ++i) {
    const double at = static_cast<double>(i) / (kShades - 1) * (std::size(theme.ramp) - 1.0);
    const auto below = std::min(static_cast<std::size_t>(at), theme.ramp.size() - 2);
    theme.shades[i] =
        mix(theme.ramp[below], theme.ramp[below + 1], at - static_cast<double>(below));
  }
  return theme;
}

}  // namespace

std::string mix(std::string_view a, std::string_view b, double share) {
  std::string color = "#";
  for (std::size_t i = 0; i < 3; ++i) {
    const int from = channel(a, i), to = channel(b, i);
    color += fmt::format("{:02x}", static_cast<int>(std::lround(from + (to - from) * share)));
  }
  return color;
}

const Theme& theme_of(PlotTheme theme) {
  static const Theme light = with_shades(
      {.surface = "#ffffff",
       .ink = "#12191f",
       .ink_2 = "#46525c",
       .ink_3 = "#586570",
       .line = "#dfe4e6",
       .line_2 = "#c3cbd0",
       .best = "#b93c06",
       .faded = "#d5dcdf",
       .queued = "#c9d1d5",
       .running = "#1f6fc4",
       .completed = "#3a8190",
       .failed = "#b5123f",
       .canceled = "#bcc5ca",
       .stopped = "#98a5ad",
       .ramp = {"#c9e8da", "#86d2b8", "#45b4ae", "#3489a6", "#3a5f9b", "#403a75", "#2a1b36"},
       .shades = {}});
  static const Theme dark = with_shades(
      {.surface = "#12191e",
       .ink = "#e9eff1",
       .ink_2 = "#aebac2",
       .ink_3 = "#8695a0",
       .line = "#222c33",
       .line_2 = "#394650",
       .best = "#ff8a4c",
       .faded = "#27323a",
       .queued = "#313c44",
       .running = "#62a8f5",
       .completed = "#4fa9b3",
       .failed = "#f4688f",
       .canceled = "#444f58",
       .stopped = "#5d6b75",
       .ramp = {"#2f2b50", "#3a4b8a", "#3679a3", "#37a0ab", "#4cc3ad", "#93dcba", "#e4f8ea"},
       .shades = {}});
  return theme == PlotTheme::dark ? dark : light;
}

}  // namespace hdrive::plot
