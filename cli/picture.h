// SPDX-License-Identifier: Apache-2.0
//
// Picture: the lines at the bottom of a terminal that are redrawn in place, as the bytes which do
// that. Used by the live display; touches no terminal itself.
#pragma once

#include <string>
#include <vector>

namespace hdrive::cli {

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};

class Picture {
 public:
  /// The bytes that put `messages`, which then scroll away, and `lines` in the place of the last
  /// picture. Lines are narrower than the terminal; those beyond its height are left out.
  /// Everything is made printable.
  std::string redraw(const std::vector<std::string>& messages,
                     const std::vector<std::string>& lines, TerminalSize size);
  /// The bytes that end it: what is there stays, the cursor below it.
  static std::string end() { return "\n"; }

 private:
  // The rows the last picture takes now: a terminal that became narrower has wrapped its lines.
  int rows(int columns) const;

  std::vector<int> widths_;  // of the last picture's lines
};

}  // namespace hdrive::cli
