// SPDX-License-Identifier: Apache-2.0
//
// The numbers of a running sweep as the lines of its live display. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/text.h"

namespace hdrive::cli {

/// What the bar is drawn with.
struct Glyphs {
  std::string_view full = "#", empty = "-", ellipsis = "...";
  /// Block characters where the terminal's character set is UTF-8.
  static Glyphs of(bool utf8);
};

struct Progress {
  std::int64_t total = 0;  ///< runs the sweep will have at most
  std::int64_t running = 0;
  std::int64_t finished = 0;  ///< completed
  std::int64_t stopped = 0;   ///< by the policy
  std::int64_t failed = 0;
  std::int64_t canceled = 0;  ///< by anybody else
  bool stopping = false;      ///< it was interrupted: no further runs start
  bool paused = false;        ///< no further runs start until it is resumed
  std::string metric;
  struct Best {
    RunId run = 0;
    double value = 0;
    std::string parameters;
  };
  std::optional<Best> best;
  Duration elapsed{};
  std::optional<Duration> left;  ///< expected
  std::string end;               ///< the clock time of the expected end
  struct Live {
    RunId run = 0;
    Duration age{};
    std::optional<double> last;  ///< its newest report of the metric
    std::string parameters;
  };
  std::vector<Live> live;  ///< the runs that go on, as they were started

  std::int64_t ended() const { return finished + stopped + failed + canceled; }
};

/// Three lines: bar and counts, best so far, times; none wider than `width`.
std::vector<std::string> progress_lines(const Progress& progress, int width, const Glyphs& glyphs);

/// A line for each run that goes on, `most` at most: the last tells how many more there are.
std::vector<std::string> live_lines(const Progress& progress, int width, int most,
                                    const Glyphs& glyphs);

}  // namespace hdrive::cli
