// SPDX-License-Identifier: Apache-2.0
//
// Text for terminals: how wide it is, cut to a width, durations, times, numbers. Pure functions,
// used by every verb, safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "hdrive/changes.h"
#include "hdrive/clock.h"
#include "hdrive/history.h"
#include "hdrive/value.h"

namespace hdrive::cli {

/// The text on one line and harmless to a terminal: what that would obey (base/unicode.h) as `\n`,
/// `\t`, `\x1b`, `\u202e`; bytes that are not UTF-8 as U+FFFD.
std::string printable(std::string_view text);

/// The same of a text of several lines: line breaks and tabs stay. What the doors to the terminal
/// apply (cli/terminal.h), so that no caller can forget it.
std::string printable_text(std::string_view text);

/// The lines of a text of several, each printable; without the empty one behind a last line break.
std::vector<std::string> printable_lines(std::string_view text);

/// How many columns printable text takes: none for combining characters, two for East Asian wide
/// characters and emoji.
int display_width(std::string_view text);

/// The text if it fits into `width` columns, else its beginning and as much of `ellipsis` as fits.
std::string cut(std::string_view text, int width, std::string_view ellipsis = "...");

enum class Align { left, right };
/// The text with blanks up to `width` columns.
std::string pad(std::string_view text, int width, Align align);

/// The text in lines of at most `width` columns, broken at blanks.
std::vector<std::string> wrap(std::string_view text, int width);

/// "0.3s", "59s", "2m 03s", "1h 05m", "3d 04h"; negative durations count as none.
std::string duration_text(Duration duration);

using base::size_text;

/// Six significant digits: "0.971234", "1e-05", "nan".
std::string number_text(double number);

/// Local time, "2024-05-17 09:30:05"; "" for the epoch, which stands for "not yet".
std::string time_text(Time time);
/// The same without the date.
std::string clock_text(Time time);
/// UTC, "2024-05-17T09:30:05.123456Z"; "" for the epoch.
std::string utc_text(Time time);

/// "lr=0.01 layers=2", real numbers with six digits: to recognise a run by, not to repeat it.
std::string parameters_text(const Assignment& parameters);

/// "Completed", and for cancelled runs by whom: "Stopped" by a policy, "Canceled" else.
std::string_view outcome_text(RunStatus status, EndCause cause);

/// What a person types for a sweep: "HD_1a2b3c4d", the beginning of its id.
std::string short_id(const std::string& sweep_id);

}  // namespace hdrive::cli
