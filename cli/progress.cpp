// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace hdrive::cli {
namespace {

std::string repeat(std::string_view glyph, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += glyph;
  return result;
}

std::string bar(const Progress& progress, int cells, const Glyphs& glyphs) {
  const double share = progress.total <= 0 ? 0
                                           : static_cast<double>(progress.ended()) /
                                                 static_cast<double>(progress.total);
  const int full = std::clamp(static_cast<int>(share * cells), 0, cells);
  return "[" + repeat(glyphs.full, full) + repeat(glyphs.empty, cells - full) + "]";
}

std::string counts_line(const Progress& progress, int width, const Glyphs& glyphs) {
  const std::string done = fmt::format("{}/{}", progress.ended(), progress.total);
  std::vector<std::string> parts{
      fmt::format("{} running", progress.running), fmt::format("{} finished", progress.finished),
      fmt::format("{} stopped", progress.stopped), fmt::format("{} failed", progress.failed)};
  if (progress.canceled > 0) parts.push_back(fmt::format("{} canceled", progress.canceled));
  std::string counts = done + "  " + base::join(parts, ", ");
  constexpr int kShortestBar = 10, kLongestBar = 40, kAround = 3;  // brackets and a blank
  if (width - display_width(counts) - kAround < kShortestBar)
    // Too narrow for words: the same numbers, in the same order.
    counts = fmt::format("{} run {} ok {} stop {} fail {}", done, progress.running,
                         progress.finished, progress.stopped, progress.failed);
  const int cells = std::min(kLongestBar, width - display_width(counts) - kAround);
  if (cells < 4) return cut(counts, width, glyphs.ellipsis);
  return bar(progress, cells, glyphs) + " " + counts;
}

// "accuracy 0.9712" in `room` columns: the name is cut, the number never, since what is left of it
// would be another one.
std::string named_number(const std::string& metric, const std::string& number, int room,
                         const Glyphs& glyphs) {
  const int left = room - display_width(number);
  if (left < 0) return cut(glyphs.ellipsis, room, "");
  const std::string name = cut(metric, left - 1, glyphs.ellipsis);
  return name.empty() ? number : name + " " + number;
}

// What stands behind the number, as far as there is room.
std::string with_rest(const std::string& head, const std::string& rest, int width,
                      const Glyphs& glyphs) {
  const std::string shown = cut(rest, width - display_width(head) - 2, glyphs.ellipsis);
  return cut(shown.empty() ? head : head + "  " + shown, width, glyphs.ellipsis);
}

std::string best_line(const Progress& progress, int width, const Glyphs& glyphs) {
  if (!progress.best)
    return cut(fmt::format("best  no {} reported yet", progress.metric), width, glyphs.ellipsis);
  const Progress::Best& best = *progress.best;
  const std::string label = "best  ";
  const int room = width - display_width(label);
  std::string value = fmt::format("{}  run {}", number_text(best.value), best.run);
  if (display_width(value) > room) value = number_text(best.value);
  return with_rest(label + named_number(progress.metric, value, room, glyphs), best.parameters,
                   width, glyphs);
}

std::string time_line(const Progress& progress, int width, const Glyphs& glyphs) {
  std::string line = "time  " + duration_text(progress.elapsed);
  if (progress.stopping)
    line += fmt::format(", cancelling {}", base::plural(progress.running, "run"));
  else if (progress.paused)
    line += progress.running > 0
                ? fmt::format(", paused; {} to end", base::plural(progress.running, "run"))
                : ", paused; nothing runs";
  else if (progress.left) {
    line += fmt::format(", about {} left", duration_text(*progress.left));
    if (const std::string end = ", until " + progress.end;
        display_width(line) + display_width(end) <= width)
      line += end;
  }
  return cut(line, width, glyphs.ellipsis);
}

}  // namespace

Glyphs Glyphs::of(bool utf8) { return utf8 ? Glyphs{"\u2588", "\u2591", "\u2026"} : Glyphs{}; }

std::vector<std::string> progress_lines(const Progress& progress, int width, const Glyphs& glyphs) {
  return {counts_line(progress, width, glyphs), best_line(progress, width, glyphs),
          time_line(progress, width, glyphs)};
}

std::vector<std::string> live_lines(const Progress& progress, int width, int most,
                                    const Glyphs& glyphs) {
  const auto& live = progress.live;
  const std::size_t room = static_cast<std::size_t>(std::max(0, most));
  const std::size_t shown =
      live.size() <= room ? live.size() : room - std::min<std::size_t>(1, room);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < shown; ++i) {
    const std::string label = fmt::format("run {}  {}  ", live[i].run, duration_text(live[i].age));
    const std::string value =
        named_number(progress.metric, live[i].last ? number_text(*live[i].last) : "-",
                     width - display_width(label), glyphs);
    lines.push_back(with_rest(label + value, live[i].parameters, width, glyphs));
  }
  if (shown < live.size() && room > 0)
    lines.push_back(
        cut(fmt::format("and {}",
                        base::plural(static_cast<long long>(live.size() - shown), "more run")),
            width, glyphs.ellipsis));
  return lines;
}

}  // namespace hdrive::cli
