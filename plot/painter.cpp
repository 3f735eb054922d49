// SPDX-License-Identifier: Apache-2.0
#include "plot/painter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/unicode.h"

namespace hdrive::plot {
namespace {

constexpr std::string_view kFonts =
    "Inter, system-ui, &quot;Segoe UI&quot;, Roboto, &quot;Helvetica Neue&quot;, "
    "&quot;Liberation Sans&quot;, Arial, sans-serif";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

std::string decimal(double value, int digits) {
  std::string text = fmt::format("{:.{}f}", value, digits);
  if (text.find('.') != text.npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

bool is_finite(double x, double y) { return std::isfinite(x) && std::isfinite(y); }

std::string look(const Stroke& stroke) {
  std::string text = fmt::format(" fill=\"none\" stroke=\"{}\"", stroke.color);
  if (stroke.width != 1) text += fmt::format(" stroke-width=\"{}\"", decimal(stroke.width, 2));
  if (stroke.alpha != 1) text += fmt::format(" stroke-opacity=\"{}\"", decimal(stroke.alpha, 2));
  if (!stroke.dash.empty()) text += fmt::format(" stroke-dasharray=\"{}\"", stroke.dash);
  return text;
}

std::string look(const Fill& fill) {
  std::string text = fmt::format(" fill=\"{}\"", fill.color.empty() ? "none" : fill.color);
  if (!fill.stroke.empty())
    text += fmt::format(" stroke=\"{}\" stroke-width=\"{}\"", fill.stroke,
                        decimal(fill.stroke_width, 2));
  if (fill.alpha != 1) text += fmt::format(" opacity=\"{}\"", decimal(fill.alpha, 2));
  return text;
}

}  // namespace

std::string coordinate(double value) { return decimal(value, 1); }

std::string xml_text(std::string_view text) {
  const std::string valid = base::to_utf8(text);
  std::string xml;
  for (std::string_view rest = valid; !rest.empty();) {
    char32_t code = 0;
    const std::string_view character = base::take_character(rest, code);
    switch (code) {
      case U'&':
        xml += "&amp;";
        break;
      case U'<':
        xml += "&lt;";
        break;
      case U'>':
        xml += "&gt;";
        break;
      case U'"':
        xml += "&quot;";
        break;
      case U'\'':
        xml += "&#39;";
        break;
      case U'\t':
      case U'\n':
      case U'\r':
        xml += ' ';
        break;
      default:
        xml +=
            base::is_control(code) || code == 0xFFFE || code == 0xFFFF ? kReplacement : character;
    }
  }
  return xml;
}

double text_width(std::string_view text, double size) {
  const std::string valid = base::to_utf8(text);
  double width = 0;
  for (std::string_view rest = valid; !rest.empty();) {
    char32_t code = 0;
    base::take_character(rest, code);
    constexpr char32_t kWideFrom = 0x1100;
    const bool narrow = code == U'i' || code == U'l' || code == U'.' || code == U',' ||
                        code == U' ' || code == 0x202F || (code >= 0x2190 && code < 0x2200);
    const bool wide = code >= kWideFrom && !(code >= 0x2000 && code < 0x2E80);
    width += wide ? 1.0 : narrow ? 0.42 : 0.57;
  }
  return width * size;
}

std::string cut(std::string_view text, std::size_t most) {
  std::string valid = base::to_utf8(text);
  std::string_view rest = valid;
  std::size_t kept = 0;
  for (std::size_t count = 0; !rest.empty(); ++count) {
    if (count + 1 == std::max<std::size_t>(most, 2)) kept = valid.size() - rest.size();
    if (count == std::max<std::size_t>(most, 2)) return valid.substr(0, kept) + "\u2026";
    char32_t code = 0;
    base::take_character(rest, code);
  }
  return valid;
}

Path& Path::move(double x, double y) {
  text_ += "M" + coordinate(x) + " " + coordinate(y);
  return *this;
}

Path& Path::line(double x, double y) {
  text_ += "L" + coordinate(x) + " " + coordinate(y);
  return *this;
}

Path& Path::curve(Point first, Point second, Point end) {
  text_ += "C" + coordinate(first.x) + " " + coordinate(first.y) + " " + coordinate(second.x) +
           " " + coordinate(second.y) + " " + coordinate(end.x) + " " + coordinate(end.y);
  return *this;
}

Path& Path::across(double length) {
  text_ += "h" + coordinate(length);
  return *this;
}

Path& Path::rect(double x, double y, double width, double height) {
  move(x, y);
  text_ += "h" + coordinate(width) + "v" + coordinate(height) + "h" + coordinate(-width) + "z";
  return *this;
}

Path& Path::through(std::span<const double> x, std::span<const double> y) {
  bool pen = false;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!is_finite(x[i], y[i])) {
      pen = false;
      continue;
    }
    const bool goes_on = i + 1 < x.size() && is_finite(x[i + 1], y[i + 1]);
    if (pen)
      line(x[i], y[i]);
    else if (goes_on)
      move(x[i], y[i]);
    else
      move(x[i], y[i]).across(0.1);
    pen = true;
  }
  return *this;
}

void SvgPainter::line(Point from, Point to, const Stroke& stroke) {
  if (!is_finite(from.x, from.y) || !is_finite(to.x, to.y)) return;
  path(Path().move(from.x, from.y).line(to.x, to.y), stroke);
}

void SvgPainter::line(std::span<const double> x, std::span<const double> y, const Stroke& stroke) {
  path(Path().through(x, y), stroke);
}

void SvgPainter::path(const Path& path, const Stroke& stroke) {
  if (path.empty()) return;
  body_ += fmt::format("<path d=\"{}\"{} stroke-linejoin=\"round\" stroke-linecap=\"round\"/>\n",
                       path.text(), look(stroke));
}

void SvgPainter::area(const Path& path, const Fill& fill) {
  if (!path.empty()) body_ += fmt::format("<path d=\"{}\"{}/>\n", path.text(), look(fill));
}

void SvgPainter::rect(double x, double y, double width, double height, const Fill& fill) {
  if (!is_finite(x, y) || !is_finite(width, height)) return;
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}/>\n", coordinate(x),
                       coordinate(y), coordinate(std::max(0.0, width)),
                       coordinate(std::max(0.0, height)), look(fill));
}

void SvgPainter::circle(Point center, double radius, const Fill& fill) {
  if (!is_finite(center.x, center.y)) return;
  body_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}/>\n", coordinate(center.x),
                       coordinate(center.y), coordinate(radius), look(fill));
}

void SvgPainter::dots(std::span<const Point> points, double radius, std::string_view color,
                      double alpha) {
  Path all;
  for (const Point& point : points)
    if (is_finite(point.x, point.y)) all.move(point.x, point.y).across(0.1);
  path(all, {color, 2 * radius, alpha});
}

void SvgPainter::text(double x, double y, std::string_view text, const TextStyle& style) {
  if (!is_finite(x, y) || text.empty()) return;
  // The middle of the letters, also for programs that know no dominant-baseline.
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"", coordinate(x),
                       coordinate(y + 0.35 * style.size), coordinate(style.size), style.color);
  if (style.weight != 400) body_ += fmt::format(" font-weight=\"{}\"", style.weight);
  if (style.anchor != Anchor::start)
    body_ += style.anchor == Anchor::middle ? " text-anchor=\"middle\"" : " text-anchor=\"end\"";
  if (!style.halo.empty())
    body_ += fmt::format(
        " stroke=\"{}\" stroke-width=\"3\" stroke-linejoin=\"round\" "
        "paint-order=\"stroke\"",
        style.halo);
  body_ += ">" + xml_text(text) + "</text>\n";
}

void SvgPainter::clip(double x, double y, double width, double height,
                      const std::function<void()>& draw) {
  const std::string id = fmt::format("clip{}", clips_++);
  body_ += fmt::format(
      "<clipPath id=\"{0}\"><rect x=\"{1}\" y=\"{2}\" width=\"{3}\" height=\"{4}\"/></clipPath>\n"
      "<g clip-path=\"url(#{0})\">\n",
      id, coordinate(x), coordinate(y), coordinate(width), coordinate(height));
  draw();
  body_ += "</g>\n";
}

std::string SvgPainter::document(int width, int height, std::string_view background,
                                 std::string_view title, std::string_view about) const {
  return fmt::format(
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
             "viewBox=\"0 0 {0} {1}\" role=\"img\" font-family=\"{2}\">\n"
             "<title>{3}</title>\n<desc>{4}</desc>\n"
             "<rect width=\"{0}\" height=\"{1}\" fill=\"{5}\"/>\n",
             width, height, kFonts, xml_text(title), xml_text(about), background) +
         body_ + "</svg>\n";
}

}  // namespace hdrive::plot
