// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/artifacts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "server/mlflow/fault.h"
#include "server/mlflow/routes.h"

namespace hdrive::server::mlflow {
namespace {

constexpr char kHalfDone[] = ".hdrive-upload-";

std::string joined(const std::vector<std::string>& path) { return base::join(path, "/"); }

class FileUpload final : public Upload {
 public:
  FileUpload(base::UniqueFd folder, std::string name, std::string path)
      : folder_(std::move(folder)), name_(std::move(name)), path_(std::move(path)) {
    static unsigned long count = 0;
    temporary_ = kHalfDone + std::to_string(::getpid()) + "-" + std::to_string(++count);
  }
  ~FileUpload() override {
    if (file_) ::unlinkat(folder_.get(), temporary_.c_str(), 0);
  }

  Result<void> begin() {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    file_.reset(::openat(folder_.get(), temporary_.c_str(), kFlags, 0600));
    // Left by an engine of the same number that died.
    if (!file_ && errno == EEXIST && ::unlinkat(folder_.get(), temporary_.c_str(), 0) == 0)
      file_.reset(::openat(folder_.get(), temporary_.c_str(), kFlags, 0600));
    if (!file_) return base::system_error(path_, "create", errno);
    return {};
  }

  Result<void> write(std::string_view piece) override {
    std::size_t written = 0;
    return write_all(file_.get(), path_, piece, written);
  }

  Response finish() override {
    if (::renameat(folder_.get(), temporary_.c_str(), folder_.get(), name_.c_str()) != 0)
      return failed(base::system_error(path_, "create", errno));
    file_.reset();
    Response response;
    response.body = "{}";
    return response;
  }

  Response failed(const Error& error) override {
    return respond([&]() -> nlohmann::json { fail(error); });
  }

 private:
  base::UniqueFd folder_, file_;
  std::string name_, path_, temporary_;
};

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<base::UniqueFd> Artifacts::folder_of(const std::vector<std::string>& path, bool make) const {
  if (make)
    if (auto made = base::make_directories(folder_, 2); !made) return made.error();
  auto folder = base::open_directory(AT_FDCWD, folder_);
  for (const std::string& name : path) {
    if (!folder) return folder;
    if (make && ::mkdirat(folder->get(), name.c_str(), 0700) != 0 && errno != EEXIST)
      return base::system_error(folder_ / joined(path), "create the directory", errno);
    folder = base::open_directory(folder->get(), name);
  }
  return folder;
}

std::vector<ArtifactEntry> Artifacts::list(const std::vector<std::string>& path) const {
  std::vector<ArtifactEntry> entries;
  const auto folder = folder_of(path, false);
  if (!folder) return entries;
  const int own = ::fcntl(folder->get(), F_DUPFD_CLOEXEC, 0);
  const std::unique_ptr<DIR, CloseDirectory> open(own < 0 ? nullptr : ::fdopendir(own));
  if (!open) return entries;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string name = entry->d_name;
    struct stat status {};
    if (name == "." || name == ".." || name.starts_with(kHalfDone) ||
        ::fstatat(folder->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    const bool directory = S_ISDIR(status.st_mode);
    if (directory || S_ISREG(status.st_mode))
      entries.push_back({base::to_utf8(name), directory,
                         directory ? 0 : static_cast<std::uint64_t>(status.st_size)});
  }
  std::sort(entries.begin(), entries.end(),
            [](const ArtifactEntry& a, const ArtifactEntry& b) { return a.name < b.name; });
  return entries;
}

FileBody Artifacts::open(const std::vector<std::string>& path) const {
  const auto missing = [&] { refuse_missing("No such artifact: '" + joined(path) + "'"); };
  if (path.empty()) missing();
  const auto folder = folder_of({path.begin(), path.end() - 1}, false);
  if (!folder) missing();
  FileBody body;
  auto file = base::open_regular(folder->get(), path.back(), O_RDONLY);
  struct stat status {};
  if (!file || ::fstat(file->get(), &status) != 0) missing();
  body.file = *std::move(file);
  body.size = static_cast<std::uint64_t>(status.st_size);
  return body;
}

std::unique_ptr<Upload> Artifacts::upload(const std::vector<std::string>& path) const {
  if (path.empty()) refuse("an artifact needs a name");
  auto folder = folder_of({path.begin(), path.end() - 1}, true);
  if (!folder) fail(folder.error());
  auto upload = std::make_unique<FileUpload>(*std::move(folder), path.back(), joined(path));
  ok_or_fail(upload->begin());
  return upload;
}

void Artifacts::remove(const std::vector<std::string>& path) const {
  const auto missing = [&] { refuse_missing("No such artifact: '" + joined(path) + "'"); };
  if (path.empty()) refuse("the folder of all artifacts stays; name one of them");
  const auto folder = folder_of({path.begin(), path.end() - 1}, false);
  if (!folder) missing();
  struct stat status {};
  if (::fstatat(folder->get(), path.back().c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) missing();
  // Through the descriptor, so that nobody puts a link in the way; remove_all follows none below.
  const auto here = std::filesystem::path("/proc/self/fd") / std::to_string(folder->get());
  std::error_code error;
  std::filesystem::remove_all(here / path.back(), error);
  if (error) fail(base::system_error(joined(path), "remove", error.value()));
}

}  // namespace hdrive::server::mlflow
