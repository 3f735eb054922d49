// SPDX-License-Identifier: Apache-2.0
//
// What the process is connected to: terminals and their width, output that says when it fails.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "cli/picture.h"

namespace hdrive::cli {

/// The size of the terminal behind `fd`; nothing if it is none.
std::optional<TerminalSize> terminal_size(int fd);

/// How wide tables on stdout may be: COLUMNS, the terminal's width, or 0 (no limit) where stdout is
/// no terminal.
int output_width();

/// Whether escape codes may be written to `fd`: a terminal, TERM set and not "dumb", NO_COLOR
/// unset.
bool can_redraw(int fd);

/// Whether the locale's character set is UTF-8.
bool utf8_locale();

/// An environment variable; nothing if it is unset or empty.
std::optional<std::string> environment(const char* name);

/// Where this program lies, so that a run's script finds `hdrive log`; empty if the system does not
/// tell.
std::filesystem::path own_directory();
/// The PATH of the runs: that of this process, behind it the directory of hdrive itself. Nothing
/// without a PATH.
std::optional<std::string> search_path_of_runs();

// The doors to the outside. Names, paths, messages and what scripts wrote may hold anything, so
// each of them makes its text harmless to a terminal (`printable_text`); what is made so already
// stays as it is.

/// While it lives, each line of text that its thread writes for people begins with `label` and a
/// bar: what belongs to which of several sweeps that run at once. One at a time for a thread.
class LineLabel {
 public:
  explicit LineLabel(std::string label);
  ~LineLabel();
  LineLabel(const LineLabel&) = delete;
  LineLabel& operator=(const LineLabel&) = delete;
};
/// The lines as they are to be written: each with this thread's label, where it has one.
std::string labelled(std::string_view lines);

/// Writes text for people to stdout. A Failure (code 1) if that fails; a reader that went away is
/// no failure.
void print(std::string_view text);

/// Writes data to stdout: as it is for a file or a pipe, harmless for a terminal.
void print_data(std::string_view data);

/// Writes bytes to stdout as they are, also where a terminal obeys them. Only where its user asked
/// for that.
void print_bytes(std::string_view bytes);

/// Writes a line "hdrive: text" to stderr.
void complain(std::string_view text);

/// Writes text to stderr.
void tell(std::string_view text);

/// Writes text to `fd`; false if that fails.
bool write_text(int fd, std::string_view text);

/// Writes all of the bytes to `fd` as they are; false if that fails. Only what hdrive itself made,
/// such as the escape codes of the live display, may go this way.
bool write_all(int fd, std::string_view bytes);

}  // namespace hdrive::cli
