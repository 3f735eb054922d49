// SPDX-License-Identifier: Apache-2.0
//
// A file that grows, read line by line. Used by a run's intake, on the sweep's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace hdrive::compute {

class LineFile {
 public:
  struct Rules {
    std::size_t longest_line = 1 << 20;      ///< of a longer one only this much is told
    bool carriage_return_ends_line = false;  ///< progress bars
  };
  /// A line without its end, and where in the file it begins. `cut`: it goes on, but that is left
  /// out.
  struct Line {
    std::string_view text;
    std::uint64_t offset = 0;
    std::uint64_t newlines = 0;  ///< before it, since where this reader began
    bool cut = false;
  };
  using Sink = std::function<void(const Line&)>;

  LineFile() = default;
  /// Goes on at `position`, which may lie within a line too long to be told.
  LineFile(base::UniqueFd fd, std::uint64_t position, Rules rules);

  /// What a call of `read` came to.
  struct Progress {
    std::size_t bytes = 0;  ///< read
    bool at_end = true;     ///< of what is there now
    bool began_anew =
        false;  ///< what was read before is not there any more: cut short or overwritten
  };
  /// Tells the complete lines up to the end of the file, or until about `budget` bytes were read:
  /// always at least one line where there is one. With `last`, also the rest after the last
  /// newline. Holes of a sparse file cost nothing within a line that is left out. `buffer` is
  /// scratch memory to share among files.
  Progress read(std::string& buffer, std::size_t budget, bool last, const Sink& sink);

  /// The end of the last line told; the next read begins here.
  std::uint64_t position() const { return position_; }
  /// The number of a line that was just told, from 1; nothing where it would take long to find out.
  /// Reads the file up to where this reader began, once.
  std::optional<std::uint64_t> line_number(const Line& line);
  /// Whether it is the file that is open there.
  bool is(const base::UniqueFd& file) const;
  explicit operator bool() const { return static_cast<bool>(fd_); }
  void close() { fd_.reset(); }

 private:
  std::optional<std::string_view> next_text(std::string& buffer, std::size_t size, bool& full);
  std::size_t find_end(std::string_view text, std::size_t from) const;
  std::size_t take_lines(std::string_view text, bool final, bool full, const Sink& sink);
  void count(char line_end);
  void advance(std::string_view text, std::size_t taken);
  void skip_hole();
  void remember_tail();
  void begin_anew();

  base::UniqueFd fd_;
  std::uint64_t position_ = 0;
  Rules rules_;
  bool skipping_ = false;  // within a line that was too long
  std::string tail_;       // the bytes before position_: by them one sees that they are still there
  std::uint64_t began_ = 0,
                newlines_ = 0;  // where this reader began, and how many it has met since
  std::optional<std::uint64_t> newlines_before_;  // it began; nothing: not counted yet
};

}  // namespace hdrive::compute
