// SPDX-License-Identifier: Apache-2.0
#include "cli/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>

#include "base/text.h"
#include "base/unicode.h"

namespace hdrive::cli {
namespace {

struct Range {
  char32_t first, last;
};

// Characters that take no column: combining marks, joiners, variation selectors.
constexpr std::array<Range, 9> kZeroWidth{{{0x0300, 0x036F},
                                           {0x0483, 0x0489},
                                           {0x0591, 0x05BD},
                                           {0x064B, 0x065F},
                                           {0x1AB0, 0x1AFF},
                                           {0x1DC0, 0x1DFF},
                                           {0x200B, 0x200F},
                                           {0x20D0, 0x20FF},
                                           {0xFE00, 0xFE0F}}};

// Characters that take two columns (Unicode's East Asian Width W and F, in broad ranges).
constexpr std::array<Range, 12> kWide{{{0x1100, 0x115F},
                                       {0x231A, 0x231B},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0x33FF},
                                       {0x3400, 0x4DBF},
                                       {0x4E00, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0x1F300, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};

template <std::size_t N>
bool is_in(char32_t c, const std::array<Range, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

int width_of(char32_t c) { return is_in(c, kZeroWidth) ? 0 : is_in(c, kWide) ? 2 : 1; }

// As it is written in most languages: one of Latin-1 as \x9b, others as \u202e or \U000e0001.
std::string escape(char32_t c) {
  if (c == U'\n') return "\\n";
  if (c == U'\t') return "\\t";
  if (c == U'\r') return "\\r";
  const auto number = static_cast<std::uint32_t>(c);
  if (number <= 0xFF) return fmt::format("\\x{:02x}", number);
  return number <= 0xFFFF ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
}

// With all control characters escaped but those of `kept`.
std::string escaped(std::string_view text, std::string_view kept) {
  const std::string utf8 = base::to_utf8(text);
  std::string result;
  result.reserve(utf8.size());
  for (std::string_view rest = utf8; !rest.empty();) {
    char32_t code = 0;
    const std::string_view character = base::take_character(rest, code);
    if (base::is_control(code) && kept.find(character) == std::string_view::npos)
      result += escape(code);
    else
      result += character;
  }
  return result;
}

std::tm local_time(Time time) {
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

std::string strftime_text(const char* format, const std::tm& parts) {
  std::array<char, 64> buffer{};
  const std::size_t length = std::strftime(buffer.data(), buffer.size(), format, &parts);
  return std::string(buffer.data(), length);
}

}  // namespace

std::string printable(std::string_view text) { return escaped(text, ""); }

std::string printable_text(std::string_view text) { return escaped(text, "\n\t"); }

std::vector<std::string> printable_lines(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  std::vector<std::string> lines;
  for (const std::string_view line : base::split(text, '\n')) lines.push_back(printable(line));
  return lines;
}

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    char32_t code = 0;
    base::take_character(text, code);
    width += width_of(code);
  }
  return width;
}

std::string cut(std::string_view text, int width, std::string_view ellipsis) {
  if (width <= 0) return "";
  if (display_width(text) <= width) return std::string(text);
  const int room = width - display_width(ellipsis);
  if (room < 0) return cut(ellipsis, width, "");
  std::string result;
  int used = 0;
  while (!text.empty()) {
    char32_t code = 0;
    const std::string_view character = base::take_character(text, code);
    used += width_of(code);
    if (used > room) break;
    result += character;
  }
  return result.append(ellipsis);
}

std::string pad(std::string_view text, int width, Align align) {
  const int missing = std::max(0, width - display_width(text));
  const std::string blanks(static_cast<std::size_t>(missing), ' ');
  return align == Align::left ? std::string(text) + blanks : blanks + std::string(text);
}

std::vector<std::string> wrap(std::string_view text, int width) {
  std::vector<std::string> lines;
  std::string line;
  for (const std::string_view word : base::split(text, ' ')) {
    if (!line.empty() && display_width(line) + 1 + display_width(word) > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  lines.push_back(std::move(line));
  return lines;
}

std::string duration_text(Duration duration) {
  const std::int64_t micros = std::max<std::int64_t>(0, duration.count());
  if (micros < 9'950'000) return fmt::format("{:.1f}s", static_cast<double>(micros) / 1e6);
  const std::int64_t seconds = (micros + 500'000) / 1'000'000;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h {:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d {:02}h", seconds / 86400, seconds / 3600 % 24);
}

std::string number_text(double number) {
  const std::string six = fmt::format("{:.6g}", number);
  // Where six digits are all it has, as everywhere else: 1000000 and not 1e+06.
  return base::parse_number(six) == number ? base::shortest(number) : six;
}

std::string time_text(Time time) {
  return time == Time{} ? "" : strftime_text("%Y-%m-%d %H:%M:%S", local_time(time));
}

std::string clock_text(Time time) {
  return time == Time{} ? "" : strftime_text("%H:%M:%S", local_time(time));
}

std::string utc_text(Time time) {
  if (time == Time{}) return "";
  const auto micros = time.time_since_epoch().count();
  const std::time_t seconds = micros / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{}.{:06}Z", strftime_text("%Y-%m-%dT%H:%M:%S", parts), micros % 1'000'000);
}

std::string parameters_text(const Assignment& parameters) {
  std::vector<std::string> parts;
  for (const Binding& binding : parameters) {
    const auto* number = std::get_if<double>(&binding.value);
    parts.push_back(fmt::format("{}={}", printable(bare_name(binding.name)),
                                number ? number_text(*number) : printable(to_text(binding.value))));
  }
  return base::join(parts, " ");
}

std::string_view outcome_text(RunStatus status, EndCause cause) {
  if (status == RunStatus::canceled && cause == EndCause::policy) return "Stopped";
  return to_string(status);
}

std::string short_id(const std::string& sweep_id) {
  constexpr std::size_t kLength = 11;  // "HD_" and eight digits
  return sweep_id.substr(0, kLength);
}

}  // namespace hdrive::cli
