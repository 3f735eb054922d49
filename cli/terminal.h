// SPDX-License-Identifier: Apache-2.0
//
// What the process is connected to: terminals and their width, output that says when it fails.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace hdrive::cli {

/// The columns of the terminal behind `fd`; nothing if it is none.
std::optional<int> terminal_width(int fd);

/// How wide tables on stdout may be: COLUMNS, the terminal's width, or 0 (no limit) where stdout is no
/// terminal.
int output_width();

/// Whether escape codes may be written to `fd`: a terminal, TERM set and not "dumb", NO_COLOR unset.
bool can_redraw(int fd);

/// Whether the locale's character set is UTF-8.
bool utf8_locale();

/// An environment variable; nothing if it is unset or empty.
std::optional<std::string> environment(const char* name);

/// Where this program lies, so that a run's script finds `hdrive log`; empty if the system does not tell.
std::filesystem::path own_directory();

/// Writes to stdout. A Failure (code 1) if that fails; a reader that went away is no failure.
void print(std::string_view text);

/// Writes a line "hdrive: text" to stderr.
void complain(std::string_view text);

/// Writes text to stderr as it is.
void tell(std::string_view text);

/// Writes all of the text to `fd`; false if that fails.
bool write_all(int fd, std::string_view text);

}  // namespace hdrive::cli
