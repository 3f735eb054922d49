// SPDX-License-Identifier: Apache-2.0
//
// SvgPainter: a small set of strokes as the text of an SVG document, the same as the page's
// (web/src/charts/painter.ts). Coordinates are pixels with y downwards, written with one decimal; what
// is not finite is not drawn. Everything that is written is valid XML, whatever the text is.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hdrive::plot {

struct Stroke {
  std::string_view color;
  double width = 1;
  double alpha = 1;
  std::string_view dash = "";  ///< "5 4"
};

struct Fill {
  std::string_view color = "";  ///< empty: not filled
  double alpha = 1;
  std::string_view stroke = "";  ///< empty: no outline
  double stroke_width = 1;
};

enum class Anchor { start, middle, end };

struct TextStyle {
  std::string_view color;
  double size = 11;
  Anchor anchor = Anchor::start;
  int weight = 400;
  std::string_view halo = "";  ///< a margin of this colour, so that it can be read above lines
};

struct Point {
  double x = 0, y = 0;
};

/// A path that is put together piece by piece: where many pieces share a stroke the document stays small.
class Path {
 public:
  Path& move(double x, double y);
  Path& line(double x, double y);
  Path& curve(Point first, Point second, Point end);
  Path& across(double length);  ///< a line to the right
  Path& rect(double x, double y, double width, double height);
  /// A line through the points, broken where one is not finite; a point alone is a dot.
  Path& through(std::span<const double> x, std::span<const double> y);
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

class SvgPainter {
 public:
  void line(Point from, Point to, const Stroke& stroke);
  void line(std::span<const double> x, std::span<const double> y, const Stroke& stroke);
  void path(const Path& path, const Stroke& stroke);
  void area(const Path& path, const Fill& fill);
  void rect(double x, double y, double width, double height, const Fill& fill);
  void circle(Point center, double radius, const Fill& fill);
  /// Round dots of one look as one path.
  void dots(std::span<const Point> points, double radius, std::string_view color, double alpha);
  /// `y` is the middle of the line.
  void text(double x, double y, std::string_view text, const TextStyle& style);
  /// What `draw` paints is seen within the rectangle only.
  void clip(double x, double y, double width, double height, const std::function<void()>& draw);

  /// The document; `title` and `about` are what programs that read aloud tell of it.
  std::string document(int width, int height, std::string_view background, std::string_view title,
                       std::string_view about) const;

 private:
  std::string body_;
  int clips_ = 0;
};

/// Text as XML has it: bytes that are not UTF-8, and characters that XML lacks or that turn the text around them, become
/// U+FFFD.
std::string xml_text(std::string_view text);
/// A coordinate: one decimal, none where it is zero.
std::string coordinate(double value);
/// How wide it is about, in pixels.
double text_width(std::string_view text, double size);
/// At most so many characters of it, the last one an ellipsis where there are more.
std::string cut(std::string_view text, std::size_t most);

}  // namespace hdrive::plot
