// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kBuffer = 256 * 1024;

}  // namespace

// As base::write_output has it: devices, FIFOs and what stands for a descriptor are written to and
// never replaced, and so is a file in a directory that cannot be written.
Result<OutputFile> OutputFile::open(const std::string& name) {
  OutputFile file;
  if (name.empty() || name == "-") return file;
  file.path_ = name;
  struct stat status {};
  const bool there = ::stat(name.c_str(), &status) == 0;
  if (there && S_ISDIR(status.st_mode))
    return Error{name, "is a directory; name a file in it", Error::Kind::invalid};
  std::error_code error;
  const bool of_the_system = name.starts_with("/dev/") || name.starts_with("/proc/");
  if (there && (!S_ISREG(status.st_mode) || of_the_system)) return file.open_in_place(O_APPEND);
  if (!there && fs::is_symlink(file.path_, error)) return file.open_in_place(O_CREAT);
  // Where a link leads is replaced, not the link.
  if (const fs::path led = fs::weakly_canonical(file.path_, error); !error) file.path_ = led;
  if (there) file.mode_ = status.st_mode & 07777;
  file.unfinished_ = file.path_.string() + "." + std::to_string(::getpid()) + ".tmp";
  file.fd_ = base::UniqueFd(
      ::open(file.unfinished_.c_str(), O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0644));
  if (file.fd_) return file;
  const int error_number = errno;
  file.unfinished_.clear();
  if (there && error_number == EACCES) return file.open_in_place(O_TRUNC);
  return base::system_error(file.path_, "write", error_number);
}

Result<OutputFile> OutputFile::open_in_place(int flags) {
  fd_ = base::UniqueFd(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | flags, 0644));
  if (!fd_) return base::system_error(path_, "write", errno);
  return std::move(*this);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      unfinished_(std::exchange(other.unfinished_, fs::path())),
      fd_(std::move(other.fd_)),
      mode_(other.mode_),
      buffer_(std::move(other.buffer_)),
      flushed_(other.flushed_),
      error_(other.error_) {}

OutputFile::~OutputFile() {
  if (!unfinished_.empty()) ::unlink(unfinished_.c_str());
}

void OutputFile::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBuffer) flush();
}

void OutputFile::flush() {
  flushed_ = true;
  if (path_.empty())
    print_data(buffer_);
  else if (error_ == 0 && !write_all(fd_.get(), buffer_))
    error_ = errno;
  buffer_.clear();
}

Result<void> OutputFile::finish() {
  flush();
  if (error_ != 0) return base::system_error(path_, "write", error_);
  if (unfinished_.empty()) return {};
  if (mode_) (void)::fchmod(fd_.get(), *mode_);
  std::error_code error;
  fs::rename(unfinished_, path_, error);
  if (error) return base::system_error(path_, "write", error.value());
  unfinished_.clear();
  return {};
}

void refuse_directory(const std::string& file) {
  std::error_code ignored;
  if (fs::is_directory(file, ignored))
    fail(kWrong, fmt::format("--output {}: is a directory; name a file in it", file));
}

void write_output(const std::string& file, std::string_view text) {
  OutputFile output = value_or_fail(OutputFile::open(file));
  output.write(text);
  ok_or_fail(output.finish());
  if (file != "-") tell(fmt::format("{}  {}\n", file, base::size_text(text.size())));
}

}  // namespace hdrive::cli
