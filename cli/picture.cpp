// SPDX-License-Identifier: Apache-2.0
#include "cli/picture.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text.h"

namespace hdrive::cli {
namespace {

constexpr const char* kClearRestOfLine = "\x1b[K";
constexpr const char* kClearBelow = "\x1b[J";

int rows_of(int width, int columns) { return std::max(1, (width + columns - 1) / columns); }

}  // namespace

int Picture::rows(int columns) const {
  int result = 0;
  for (const int width : widths_) result += rows_of(width, columns);
  return result;
}

// Line by line: clearing from the top of the screen downwards makes tmux keep what was there in its
// history, picture after picture, until what mattered has left it.
std::string Picture::redraw(const std::vector<std::string>& messages,
                            const std::vector<std::string>& lines, TerminalSize size) {
  // One write a picture, the cursor hidden only within it: nothing to restore, however we end.
  std::string bytes = "\x1b[?25l\r";
  const int before = std::min(rows(size.columns), size.rows);
  if (before > 1) bytes += fmt::format("\x1b[{}A", before - 1);
  int now = 0;
  for (const std::string& message : messages) {
    const std::string text = printable(message);
    const int width = display_width(text);
    bytes += text;
    // A full row has no rest, and the cursor still stands on its last column.
    if (width == 0 || width % size.columns != 0) bytes += kClearRestOfLine;
    bytes += "\n";
    now += rows_of(width, size.columns);
  }
  widths_.clear();
  for (const std::string& line : lines) {
    if (static_cast<int>(widths_.size()) == std::max(1, size.rows)) break;
    const std::string text = printable(line);
    if (!widths_.empty()) bytes += "\n";
    bytes += text + kClearRestOfLine;
    widths_.push_back(display_width(text));
    ++now;
  }
  if (now < before) bytes += kClearBelow;
  return bytes + "\x1b[?25h";
}

}  // namespace hdrive::cli
