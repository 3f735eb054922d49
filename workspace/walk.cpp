// SPDX-License-Identifier: Apache-2.0
#include "workspace/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/file.h"
#include "workspace/ignore.h"

namespace hdrive::workspace {
namespace {

namespace fs = std::filesystem;

// Beyond these a working folder for each run would cost more than it is worth.
constexpr std::size_t kMostFiles = 20'000;
constexpr std::int64_t kMostSeen = 500'000;
constexpr std::uint64_t kMostBytes = 2'000'000'000;

constexpr std::size_t kLargestIgnoreFile = 1 << 20;
constexpr int kDeepest = 200;  // folders within each other

constexpr std::string_view kNeverSource[] = {
    ".git",          ".hdrive", "__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".ruff_cache",
    ".pytest_cache", ".tox",    ".nox"};

// Every run has these of its own.
constexpr std::string_view kOfTheRun[] = {"outputs", "logs"};

// Files that say of the folder they are in what it is: a virtual environment, one of conda's, a
// cache.
constexpr const char* kMarks[] = {"pyvenv.cfg", "conda-meta", "CACHEDIR.TAG"};

template <class List, class Item>
bool contains(const List& list, const Item& item) {
  return std::find(std::begin(list), std::end(list), item) != std::end(list);
}

// In each folder .amlignore stands for .gitignore, as with Azure ML.
// An Error: they cannot be read just now, and may be another time.
Result<IgnoreRules> rules_of(int folder, const std::string& path, const IgnoreRules& above) {
  for (const char* name : {".amlignore", ".gitignore"}) {
    const auto text = base::read_file(folder, name, kLargestIgnoreFile);
    if (text) return above.with(path, *text, name);
    if (passes_by_itself(text.error().kind)) return text.error();
  }
  return above;
}

const char* mark_in(int folder) {
  for (const char* mark : kMarks)
    if (::faccessat(folder, mark, F_OK, 0) == 0) return mark;
  return nullptr;
}

struct Entry {
  std::string name;
  struct stat status {};
};

class Walker {
 public:
  Walker(const CaptureOptions& options, Walk& walk) : options_(options), walk_(walk) {
    struct stat status {};
    for (const fs::path& folder : options.leave_out)
      if (::stat(folder.c_str(), &status) == 0)
        left_out_.emplace_back(status.st_dev, status.st_ino);
  }

  Result<void> run() {
    base::UniqueFd root(::open(options_.source.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) return base::system_error(options_.source, "open the source folder", errno);
    enter(std::move(root), "", IgnoreRules(), 0);
    if (fault_) return *std::move(fault_);
    return {};
  }

 private:
  // `path` is empty for the source folder itself.
  void enter(base::UniqueFd folder, const std::string& path, const IgnoreRules& above, int depth) {
    const std::size_t before = walk_.found.size();
    const std::vector<Entry> entries = list(folder.get(), path);
    const auto rules = rules_of(folder.get(), path, above);
    if (!rules && !fault_) fault_ = rules.error();
    for (const Entry& entry : entries) {
      if (fault_ || !walk_.too_large.empty()) return;
      take(folder.get(), path.empty() ? entry.name : path + "/" + entry.name, entry, *rules, depth);
    }
    if (walk_.found.size() == before && !path.empty())
      add({.kind = Found::Kind::empty_folder, .path = path});
  }

  // A snapshot without what only could not be read just now would be another source.
  void cannot_read(const std::string& path, int error) {
    Error why = base::system_error(options_.source / path, "read the folder", error);
    if (path.empty() || passes_by_itself(why.kind)) {
      if (!fault_) fault_ = std::move(why);
    } else if (!contains(walk_.closed, path)) {
      walk_.closed.push_back(path);
    }
  }

  std::vector<Entry> list(int folder, const std::string& path) {
    std::vector<Entry> entries;
    const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* directory = own < 0 ? nullptr : ::fdopendir(own);
    if (!directory) {
      cannot_read(path, errno);
      if (own >= 0) ::close(own);
      return entries;
    }
    const auto next = [&] {
      errno = 0;
      return ::readdir(directory);
    };
    while (const dirent* one = next()) {
      Entry entry{one->d_name};
      if (entry.name == "." || entry.name == "..") continue;
      if (::fstatat(folder, one->d_name, &entry.status, AT_SYMLINK_NOFOLLOW) == 0)
        entries.push_back(std::move(entry));
      else if (errno != ENOENT)  // one that is gone meanwhile never was
        cannot_read(path, errno);
    }
    if (errno != 0) cannot_read(path, errno);
    ::closedir(directory);
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
  }

  void take(int folder, const std::string& path, const Entry& entry, const IgnoreRules& rules,
            int depth) {
    if (++seen_ > kMostSeen)
      return too_large(fmt::format("has more than {} files and folders", kMostSeen));
    const bool is_folder = S_ISDIR(entry.status.st_mode);
    if (contains(kNeverSource, entry.name) || is_left_out(entry.status)) return;
    if (path.size() == entry.name.size() && contains(kOfTheRun, entry.name))
      return note_own(folder, entry);
    if (rules.ignores(path, is_folder)) {
      ++walk_.ignored;
      return;
    }
    if (is_folder) return take_folder(folder, path, entry, rules, depth);
    if (S_ISLNK(entry.status.st_mode)) return take_link(folder, path, entry);
    if (S_ISREG(entry.status.st_mode))
      return add({Found::Kind::file, path, stamp_of(entry.status),
                  (entry.status.st_mode & S_IXUSR) != 0, ""});
    walk_.special.push_back(path);
  }

  void take_folder(int folder, const std::string& path, const Entry& entry,
                   const IgnoreRules& rules, int depth) {
    base::UniqueFd inner(
        ::openat(folder, entry.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inner) {
      if (errno != ENOENT) cannot_read(path, errno);
      return;
    }
    if (mark_in(inner.get())) return;
    if (depth >= kDeepest)
      return too_large(fmt::format("has more than {} folders within each other", kDeepest));
    enter(std::move(inner), path, rules, depth + 1);
  }

  void take_link(int folder, const std::string& path, const Entry& entry) {
    char target[4096];
    const ssize_t length = ::readlinkat(folder, entry.name.c_str(), target, sizeof target);
    if (length <= 0) return;
    add({.kind = Found::Kind::link,
         .path = path,
         .target = std::string(target, static_cast<std::size_t>(length))});
  }

  void note_own(int folder, const Entry& entry) {
    const base::UniqueFd inner(::openat(folder, entry.name.c_str(), O_RDONLY | O_CLOEXEC));
    if (inner && S_ISDIR(entry.status.st_mode) && !list(inner.get(), entry.name).empty())
      walk_.own.push_back(entry.name);
  }

  void add(Found found) {
    if (found.kind == Found::Kind::file && found.stamp.size <= options_.max_file)
      bytes_ += found.stamp.size;
    walk_.found.push_back(std::move(found));
    if (walk_.found.size() > kMostFiles)
      too_large(fmt::format("has more than {} files", kMostFiles));
    if (bytes_ > kMostBytes)
      too_large(fmt::format("has more than {} GB of files", kMostBytes / 1'000'000'000));
  }

  void too_large(std::string why) {
    if (walk_.too_large.empty()) walk_.too_large = std::move(why);
  }

  // The home of the sweeps, under whatever name it was given.
  bool is_left_out(const struct stat& status) const {
    return contains(left_out_, std::pair(status.st_dev, status.st_ino));
  }

  const CaptureOptions& options_;
  Walk& walk_;
  std::optional<Error> fault_;
  std::vector<std::pair<dev_t, ino_t>> left_out_;
  std::int64_t seen_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<Walk> walk_source(const CaptureOptions& options) {
  Walk walk;
  if (auto walked = Walker(options, walk).run(); !walked) return walked.error();
  return walk;
}

}  // namespace hdrive::workspace

namespace hdrive {

std::optional<std::string> left_out_by(const std::filesystem::path& source,
                                       const std::filesystem::path& file) {
  using namespace workspace;
  base::UniqueFd folder(::open(source.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  IgnoreRules rules;
  std::string path;
  for (const fs::path& part : file.lexically_normal()) {
    struct stat status {};
    if (!folder || ::fstatat(folder.get(), part.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      return std::nullopt;
    if (auto here = rules_of(folder.get(), path, rules)) rules = *std::move(here);
    const bool at_top = path.empty();
    path += (at_top ? "" : "/") + part.string();
    if (contains(kNeverSource, part.string())) return "the rule that " + path + " is no source";
    if (at_top && contains(kOfTheRun, part.string()))
      return "the rule that each run has a ./" + path + " of its own";
    if (auto line = rules.ignored_by(path, S_ISDIR(status.st_mode))) return line;
    if (!S_ISDIR(status.st_mode)) return std::nullopt;
    folder.reset(
        ::openat(folder.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (const char* mark = folder ? mark_in(folder.get()) : nullptr)
      return "the " + std::string(mark) + " in " + path;
  }
  return std::nullopt;
}

}  // namespace hdrive
