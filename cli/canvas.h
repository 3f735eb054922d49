// SPDX-License-Identifier: Apache-2.0
//
// Charts made of characters: braille dots where the terminal's character set has them, else plain ASCII. Pure.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace hdrive::cli {

/// So many columns and rows of characters, each of which has 2 x 4 dots in braille, one dot in ASCII.
class Canvas {
 public:
  Canvas(int columns, int rows, bool utf8);
  /// In dots, from the upper left; what lies outside is left out.
  int width() const { return columns_ * (utf8_ ? 2 : 1); }
  int height() const { return rows_ * (utf8_ ? 4 : 1); }
  void dot(int x, int y);
  void line(int x0, int y0, int x1, int y1);
  std::vector<std::string> lines() const;

 private:
  int columns_, rows_;
  bool utf8_;
  std::vector<unsigned char> cells_;
};

/// The values as bars of eight heights in at most `width` columns, of more values the last of each stretch; what is not
/// finite is a blank. `low` and `high` are the ends of the scale; beyond them bars are as high as can be.
std::string sparkline(std::span<const double> values, int width, double low, double high,
                      bool utf8);

/// Curves and dots with their scales, as lines of text.
struct TextChart {
  struct Series {
    std::vector<double> x, y;  ///< in pairs; what is not finite breaks a line
    bool dots = false;
  };
  std::string title;
  std::vector<Series> series;
  std::string x_low, x_high;  ///< what stands below the ends
  /// What is drawn of y, so that one that diverged does not flatten the others. The same: all of it.
  double low = 0, high = 0;
};
/// `height` lines, title and labels among them; none where that leaves no room.
std::vector<std::string> chart_lines(const TextChart& chart, int width, int height, bool utf8);

/// "name  #####  45 %" for each, as wide as `width`; shares of 1.
std::vector<std::string> bar_lines(const std::vector<std::pair<std::string, double>>& shares,
                                   int width, bool utf8);

/// The range in which all but a tenth of the finite values lie, those on the good side all.
std::pair<double, double> main_range(std::vector<double> values, bool low_is_good);

}  // namespace hdrive::cli
