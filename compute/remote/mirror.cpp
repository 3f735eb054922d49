// SPDX-License-Identifier: Apache-2.0
#include "compute/remote/mirror.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "compute/run_directory.h"
#include "compute/run_records.h"

namespace hdrive::compute::remote {
namespace {

namespace fs = std::filesystem;

// Holds the number of the attempt whose files are being fetched, and the paths of those that have
// begun to arrive, a line each. What else is here is an earlier attempt's.
constexpr const char* kCollecting = ".fetching";

// Nothing: they are not being fetched.
std::optional<std::set<std::string, std::less<>>> collected(const fs::path& directory,
                                                            int attempt) {
  const auto text = base::read_file(directory / kCollecting);
  if (!text) return std::nullopt;
  std::set<std::string, std::less<>> paths;
  bool first = true;
  for (const std::string_view line : base::split(std::string_view(*text), '\n')) {
    if (std::exchange(first, false) && line != std::to_string(attempt)) return std::nullopt;
    paths.emplace(line);
  }
  return paths;
}

void note_collected(int directory, const std::string& path) {
  const auto file = base::open_regular(directory, kCollecting, O_WRONLY | O_APPEND);
  const std::string line = path + "\n";
  if (file && ::write(file->get(), line.data(), line.size()) < 0) return;  // it is sent again
}

template <class Visit>
void for_each_file(const fs::path& folder, const Visit& visit) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    if (fs::is_regular_file(at->symlink_status(ignored))) visit(at->path());
  }
}

// Opens the folder of a path below `directory`, one name after the other, and makes what is
// missing: no link leads out.
Result<base::UniqueFd> open_parent(const fs::path& directory, const fs::path& path) {
  auto folder = base::open_directory(AT_FDCWD, directory);
  for (const fs::path& name : path.parent_path()) {
    if (!folder) break;
    if (::mkdirat(folder->get(), name.c_str(), 0700) != 0 && errno != EEXIST)
      return base::system_error(directory / path, "create its folder", errno);
    folder = base::open_directory(folder->get(), name);
  }
  return folder;
}

Result<void> store_part(int folder, const fs::path& whole, const Message& message) {
  const fs::path name = whole.filename();
  const std::uint64_t offset = message.at("offset");
  const std::string_view bytes = bytes_in(message.at("bytes"));
  const int flags = O_WRONLY | O_CREAT | (offset == 0 ? O_TRUNC : 0);
  auto file = base::open_regular(folder, name, flags);
  if (!file && file.error().kind == Error::Kind::damaged &&
      ::unlinkat(folder, name.c_str(), 0) == 0)
    file = base::open_regular(folder, name, flags);
  if (!file) return Error{whole.string(), file.error().what, file.error().kind};
  errno = ENOSPC;  // what a short write means
  if (::pwrite(file->get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
      static_cast<ssize_t>(bytes.size()))
    return base::system_error(whole, "write", errno);
  if (message.at("executable").get<bool>()) ::fchmod(file->get(), 0700);
  return {};
}

}  // namespace

std::map<std::string, std::uint64_t> files_here(const fs::path& directory, int attempt) {
  std::map<std::string, std::uint64_t> files;
  const auto begun = collected(directory, attempt);
  const auto note = [&](const fs::path& file) {
    const fs::path path = file.lexically_relative(directory);
    const std::string first = path.begin()->native();
    if (first == kCollecting || first == "exit.json") return;
    std::error_code error;
    const auto size = fs::file_size(file, error);
    if (!error) files[path.native()] = size;
  };
  if (begun)
    for (const std::string& path : *begun) {
      std::error_code error;
      if (stays_inside(path) && fs::is_regular_file(fs::symlink_status(directory / path, error)))
        note(directory / path);
    }
  for (const char* name : {"run.json", "metrics.jsonl", "stdout.log", "stderr.log"}) {
    std::error_code error;
    if (fs::is_regular_file(fs::symlink_status(directory / name, error))) note(directory / name);
  }
  for_each_file(directory / "logs", note);
  for_each_file(directory / "processes", note);
  return files;
}

Result<void> store_entry(const fs::path& directory, const Message& message, bool collecting) {
  const std::string text = message.at("path");
  if (!stays_inside(text))
    return Error{text, "is no path of a run directory", Error::Kind::not_allowed};
  const fs::path path(text);
  auto folder = open_parent(directory, path);
  if (!folder) return folder.error();
  const std::string is = message.at("is");
  const fs::path whole = directory / path;
  if (is == "part" && text == "exit.json")
    return base::write_file_atomically(whole, bytes_in(message.at("bytes")));
  if (is == "part") {
    auto stored = store_part(folder->get(), whole, message);
    if (!stored || !collecting || message.at("offset") != 0) return stored;
    if (const auto top = base::open_directory(AT_FDCWD, directory))
      note_collected(top->get(), text);
    return stored;
  }
  const std::string name = path.filename().native();
  if (is == "folder") {
    if (::mkdirat(folder->get(), name.c_str(), 0700) != 0 && errno != EEXIST)
      return base::system_error(whole, "create", errno);
    return {};
  }
  ::unlinkat(folder->get(), name.c_str(), 0);
  const std::string target = message.at("target");
  if (::symlinkat(target.c_str(), folder->get(), name.c_str()) != 0 && errno != EEXIST)
    return base::system_error(whole, "make a link", errno);
  return {};
}

bool is_complete(const fs::path& directory, int attempt) {
  const auto record = read_exit_record(directory);
  return record && *record && (*record)->attempt == attempt;
}

void begin_collecting(const fs::path& directory, int attempt) {
  if (!collected(directory, attempt))
    (void)base::write_file_atomically(directory / kCollecting, std::to_string(attempt) + "\n");
}

void end_collecting(const fs::path& directory) { ::unlink((directory / kCollecting).c_str()); }

void send_file(const fs::path& file, const std::string& path, RunId run, const SendLater& send) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(file, error);
  if (error) return;
  for (std::uint64_t at = 0; at == 0 || at < size; at += kPart)
    send([=]() -> Message {
      std::string bytes(std::min<std::uint64_t>(kPart, size - at), '\0');
      const auto opened = base::open_regular(file);
      const ssize_t count =
          opened ? ::pread(opened->get(), bytes.data(), bytes.size(), static_cast<off_t>(at)) : 0;
      bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
      return {
          {"is", "file"}, {"run", run}, {"path", path}, {"offset", at}, {"bytes", bytes_of(bytes)}};
    });
}

void send_what_is_left(const fs::path& directory, RunId run, const SendLater& send) {
  for (const char* name : kAttemptFolders) send_folder(directory / name, name, run, send);
}

void send_folder(const fs::path& folder, const std::string& name, RunId run,
                 const SendLater& send) {
  for_each_file(folder, [&](const fs::path& file) {
    send_file(file, (fs::path(name) / file.lexically_relative(folder)).native(), run, send);
  });
}

}  // namespace hdrive::compute::remote
