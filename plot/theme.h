// SPDX-License-Identifier: Apache-2.0
//
// The colours of charts: those of the page (web/src/style/tokens.css), with the same meaning. A test
// compares them.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "hdrive/plot.h"

namespace hdrive::plot {

inline constexpr std::size_t kShades = 64;

struct Theme {
  std::string_view surface, ink, ink_2, ink_3, line, line_2, best, faded;
  std::string_view queued, running, completed, failed, canceled, stopped;
  std::array<std::string_view, 7> ramp;     ///< from the worst value to the best
  std::array<std::string, kShades> shades;  ///< steps of it
};

const Theme& theme_of(PlotTheme theme);

/// Between two colours "#rrggbb".
std::string mix(std::string_view a, std::string_view b, double share);

}  // namespace hdrive::plot
