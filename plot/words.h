// SPDX-License-Identifier: Apache-2.0
//
// Numbers and durations as they stand on charts, the same as on the page (web/src/data/format.ts).
#pragma once

#include <string>

namespace hdrive::plot {

/// To so many significant digits, without trailing zeros; "1e-5" where plain digits would mislead.
std::string number_text(double value, int digits = 4);
/// "12,345" with thin spaces.
std::string count_text(long long count);
std::string percent_text(double share);
/// Two units at most: "2 h 14 min".
std::string duration_text(double seconds);

}  // namespace hdrive::plot
