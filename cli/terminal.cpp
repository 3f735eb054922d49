// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "cli/command.h"
#include "cli/text.h"

namespace hdrive::cli {

std::optional<TerminalSize> terminal_size(int fd) {
  winsize size{};
  if (isatty(fd) == 0) return std::nullopt;
  TerminalSize result;  // what a terminal that does not tell is taken for
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return result;
  if (size.ws_col > 0) result.columns = size.ws_col;
  if (size.ws_row > 0) result.rows = size.ws_row;
  return result;
}

int output_width() {
  if (const auto columns = environment("COLUMNS"))
    if (const auto number = base::parse_number(*columns); number && *number >= 1 && *number < 1e6)
      return static_cast<int>(*number);
  const auto terminal = terminal_size(STDOUT_FILENO);
  return terminal ? terminal->columns : 0;
}

bool can_redraw(int fd) {
  return isatty(fd) != 0 && !environment("NO_COLOR") &&
         environment("TERM").value_or("dumb") != "dumb";
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const auto value = environment(name))
      return base::fold(*value).find("utf8") != std::string::npos;
  return false;
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::filesystem::path own_directory() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

std::optional<std::string> search_path_of_runs() {
  auto path = environment("PATH");
  if (path) *path += ":" + own_directory().string();
  return path;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool write_text(int fd, std::string_view text) { return write_all(fd, printable_text(text)); }

namespace {

// After a write to stdout that failed.
void stdout_failed() {
  const int error = errno;
  struct stat status {};
  const bool device = fstat(STDOUT_FILENO, &status) == 0 && S_ISCHR(status.st_mode);
  // A reader that went away: EPIPE of a pipe, EIO of a terminal that was closed.
  if (error == EPIPE || (error == EIO && device)) return;
  fail(kCannot, std::string("cannot write to the standard output: ") + std::strerror(error));
}

thread_local std::string label_of_thread;

}  // namespace

LineLabel::LineLabel(std::string label) { label_of_thread = std::move(label) + " | "; }
LineLabel::~LineLabel() { label_of_thread.clear(); }

std::string labelled(std::string_view lines) {
  if (label_of_thread.empty()) return std::string(lines);
  std::string text;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    const bool ends = line.size() < lines.size();
    if (!line.empty()) text += label_of_thread;
    text += line;
    if (ends) text += '\n';
    lines.remove_prefix(line.size() + (ends ? 1 : 0));
  }
  return text;
}

void print(std::string_view text) {
  if (!write_text(STDOUT_FILENO, labelled(text))) stdout_failed();
}

void print_data(std::string_view data) {
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  if (!(terminal ? write_text(STDOUT_FILENO, data) : write_all(STDOUT_FILENO, data)))
    stdout_failed();
}

void print_bytes(std::string_view bytes) {
  if (!write_all(STDOUT_FILENO, bytes)) stdout_failed();
}

void tell(std::string_view text) { write_text(STDERR_FILENO, labelled(text)); }

void complain(std::string_view text) { tell("hdrive: " + std::string(text) + "\n"); }

}  // namespace hdrive::cli
