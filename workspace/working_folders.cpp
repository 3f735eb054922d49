// SPDX-License-Identifier: Apache-2.0
//
// The rule, also in docs/run-directory.md: a small tree is copied; of a larger one the files share
// their blocks where the file system can (reflinks); else they are hard links to the read-only
// files of the store.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "hdrive/workspace.h"
#include "workspace/blob_store.h"
#include "workspace/manifest.h"
#include "workspace/removal.h"
#include "workspace/renewal.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using workspace::BlobStore;
using workspace::Original;
using workspace::SnapshotTree;

constexpr std::size_t kSmallFiles = 100;
constexpr std::uint64_t kSmallBytes = 1'000'000;
constexpr std::size_t kMostRenewed = 64;  // folders that wait for the next runs

// A snapshot that runs are made from.
struct Loaded {
  Workspace workspace;
  BlobStore store;
  SnapshotTree tree;
  bool small = false;
  std::shared_ptr<const Original> original;  // of a small one, once a folder was made
};

std::vector<std::string> folders_of(const std::vector<SnapshotEntry>& entries) {
  std::set<std::string> folders;
  for (const SnapshotEntry& entry : entries) {
    fs::path folder = entry.path;
    if (!workspace::is_folder(entry)) folder = folder.parent_path();
    for (; !folder.empty(); folder = folder.parent_path())
      if (!folders.insert(folder.string()).second) break;
  }
  return {folders.begin(), folders.end()};  // sorted: what is above comes first
}

mode_t own_mode(const SnapshotEntry& file) { return file.executable ? 0755 : 0644; }

// A folder that no run needs any more. With an original it may be made ready for another.
struct Left {
  fs::path folder;
  std::shared_ptr<const Original> original;
};

// Removes folders or renews them, on a thread of its own, which begins with the first.
class Remover {
 public:
  ~Remover() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  void add(Left left) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(left));
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
    changed_.notify_one();
  }

  // A folder as new that was made after the original.
  std::optional<fs::path> take(const std::shared_ptr<const Original>& original) {
    const std::lock_guard lock(mutex_);
    if (renewed_.empty() || renewed_.back().original != original) return std::nullopt;
    fs::path folder = std::move(renewed_.back().folder);
    renewed_.pop_back();
    return folder;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (ending_) std::move(renewed_.begin(), renewed_.end(), std::back_inserter(queue_));
      if (ending_) renewed_.clear();
      if (queue_.empty()) return;
      Left left = std::move(queue_.front());
      queue_.pop_front();
      const bool wanted = left.original && !ending_ && renewed_.size() < kMostRenewed;
      lock.unlock();
      const bool renewed = wanted && left.original->renew(left.folder);
      if (!renewed) remove(left.folder);
      lock.lock();
      if (renewed) renewed_.push_back(std::move(left));
    }
  }

  static void remove(const fs::path& folder) {
    workspace::remove_tree(folder);
    ::rmdir(folder.parent_path().c_str());  // .removed itself, with the last in it
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Left> queue_;
  std::vector<Left> renewed_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace

struct WorkingFolders::Impl {
  // The snapshot of the workspace, as read for the run before where it is the same one.
  Result<void> load(const Workspace& workspace) {
    if (loaded && loaded->workspace.snapshot == workspace.snapshot &&
        loaded->workspace.store == workspace.store) {
      loaded->workspace = workspace;
      return {};
    }
    loaded.reset();
    Loaded fresh{workspace, BlobStore(workspace.store), {}, false, nullptr};
    auto entries = fresh.store.read_manifest(workspace.snapshot);
    if (!entries) return entries.error();
    fresh.tree.entries = *std::move(entries);
    fresh.tree.folders = folders_of(fresh.tree.entries);
    std::uint64_t bytes = 0;
    std::size_t files = 0;
    for (const SnapshotEntry& entry : fresh.tree.entries) {
      files += !entry.digest.empty();
      bytes += entry.size;
    }
    fresh.small = files <= kSmallFiles && bytes <= kSmallBytes;
    loaded = std::move(fresh);
    return loaded->small ? read_contents() : check_contents();
  }

  // Of files that runs share, size and times can be what they were and the content not: each is
  // read once before an engine's first run. While it works they are only looked at.
  Result<void> check_contents() {
    for (const SnapshotEntry& entry : loaded->tree.entries) {
      if (entry.digest.empty()) continue;
      if (auto sound = make_sound(entry, Look::inside); !sound) return forget(sound.error());
    }
    return {};
  }

  Result<void> read_contents() {
    for (const SnapshotEntry& entry : loaded->tree.entries) {
      loaded->tree.contents.emplace_back();
      if (entry.digest.empty()) continue;
      if (auto sound = make_sound(entry); !sound) return forget(sound.error());
      auto content = loaded->store.read(entry);
      if (!content) return forget(content.error());
      loaded->tree.contents.back() = *std::move(content);
    }
    return {};
  }

  Error forget(Error error) {
    loaded.reset();
    return error;
  }

  // A file of the store that a run wrote to (only root can, or whoever changed its permissions) is
  // made anew: from itself if only its times or permissions were changed, else from the source
  // folder if that has it still.
  enum class Look { outside, inside };
  Result<void> make_sound(const SnapshotEntry& entry, Look look = Look::outside) {
    BlobStore& store = loaded->store;
    if (store.holds(entry) && (look == Look::outside || store.read(entry))) return {};
    auto content = store.read(entry);
    const bool altered = !content;
    if (altered) content = base::read_file(loaded->workspace.source / entry.path, entry.size);
    if (!content || (altered && base::sha256(*content) != entry.digest))
      return Error{store.blob_path(entry).string(),
                   fmt::format("the snapshot's {} is damaged or gone, and {} is no longer what it "
                               "was; begin a new sweep, or set working_directory=source",
                               entry.path, (loaded->workspace.source / entry.path).string()),
                   Error::Kind::damaged};
    if (Result<void> put = store.put(entry, *content); !put) return put;
    if (restored++ == 0) first_restored = entry.path;
    return {};
  }

  // -- one file
  // ------------------------------------------------------------------------------------

  Result<base::UniqueFd> create(int folder, const SnapshotEntry& entry) const {
    base::UniqueFd fd(::openat(folder, entry.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                               own_mode(entry)));
    if (!fd) return base::system_error(entry.path, "create", errno);
    return fd;
  }

  Result<void> copy(int folder, const SnapshotEntry& entry, const std::string& content) const {
    const auto fd = create(folder, entry);
    if (!fd) return fd.error();
    if (!workspace::write_all(fd->get(), content))
      return base::system_error(entry.path, "write", errno);
    return {};
  }

  // Nothing: the file system has no reflinks.
  Result<bool> reflink(int folder, const SnapshotEntry& entry) const {
    const auto from = base::open_regular(loaded->store.blob_path(entry));
    if (!from) return from.error();
    const auto to = create(folder, entry);
    if (!to) return to.error();
    if (::ioctl(to->get(), FICLONE, from->get()) == 0) return true;
    const int error = errno;
    ::unlinkat(folder, entry.path.c_str(), 0);
    if (base::error_kind(error) == Error::Kind::no_room)
      return base::system_error(entry.path, "write", error);
    return false;
  }

  Result<void> hard_link(int folder, const SnapshotEntry& entry) {
    const fs::path blob = loaded->store.blob_path(entry);
    const auto linked = [&] {
      return ::linkat(AT_FDCWD, blob.c_str(), folder, entry.path.c_str(), 0) == 0;
    };
    if (linked()) return {};
    if (errno == EMLINK) {
      // As many names as one file can have: those to come are of a copy.
      auto content = loaded->store.read(entry);
      if (!content) return content.error();
      if (auto put = loaded->store.put(entry, *content); !put) return put;
      if (linked()) return {};
    }
    if (errno != EXDEV && errno != EPERM && errno != EOPNOTSUPP)
      return base::system_error(entry.path, "link to the snapshot", errno);
    auto content = loaded->store.read(entry);
    if (!content) return content.error();
    return copy(folder, entry, *content);
  }

  Result<void> make_file(int folder, std::size_t index) {
    const SnapshotEntry& entry = loaded->tree.entries[index];
    if (loaded->small) return copy(folder, entry, loaded->tree.contents[index]);
    if (auto sound = make_sound(entry); !sound) return sound;
    if (reflinks) {
      auto cloned = reflink(folder, entry);
      if (!cloned) return cloned.error();
      if (*cloned) return {};
      reflinks = false;
    }
    return hard_link(folder, entry);
  }

  Result<void> fill(int folder) {
    for (const std::string& name : loaded->tree.folders)
      if (::mkdirat(folder, name.c_str(), 0755) != 0)
        return base::system_error(name, "create the directory", errno);
    for (std::size_t i = 0; i < loaded->tree.entries.size(); ++i) {
      const SnapshotEntry& entry = loaded->tree.entries[i];
      if (!entry.digest.empty()) {
        if (auto made = make_file(folder, i); !made) return made;
      } else if (!entry.target.empty() &&
                 ::symlinkat(entry.target.c_str(), folder, entry.path.c_str()) != 0) {
        return base::system_error(entry.path, "link to " + entry.target, errno);
      }
    }
    for (const auto& [name, target] : workspace::kRunLinks)
      if (::symlinkat(target, folder, name) != 0)
        return base::system_error(name, "link to the run's own", errno);
    return {};
  }

  // What an engine that died had still to remove below the folder of the runs.
  void clear_leftovers(const fs::path& runs) {
    if (runs == cleared) return;
    cleared = runs;
    const fs::path old = runs / fmt::format(".removed-{}", ::getpid());
    if (::rename((runs / ".removed").c_str(), old.c_str()) == 0) remover.add({old, nullptr});
  }

  // Whether `folder` could be had without making it.
  bool take_renewed(const fs::path& folder) {
    if (!loaded->original) return false;
    const auto renewed = remover.take(loaded->original);
    if (renewed && ::rename(renewed->c_str(), folder.c_str()) == 0) return true;
    if (renewed) remover.add({*renewed, nullptr});
    return false;
  }

  // Removed, or kept for another where it is as the original.
  void leave(const fs::path& folder, std::shared_ptr<const Original> original) {
    // Out of the way at once, so that the same run can begin again in a new one.
    const fs::path aside = folder.parent_path().parent_path() / ".removed";
    const auto next = [&] { return aside / fmt::format("{}-{}", ::getpid(), ++removed); };
    struct stat status {};
    if (::lstat(folder.c_str(), &status) != 0) return;
    fs::path name = next();
    for (int made = 0; ::rename(folder.c_str(), name.c_str()) != 0;) {
      if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR) {
        // Of a process with the same number on another machine that sees the same files.
        name = next();
      } else if (errno == ENOENT && ++made <= 3) {
        // The thread that removes takes `aside` away when it is empty.
        ::mkdir(aside.c_str(), 0700);
      } else {
        return;
      }
    }
    remover.add({name, std::move(original)});
  }

  std::optional<Loaded> loaded;
  fs::path cleared;
  bool reflinks = true;        // until the file system says that it has none
  std::int64_t restored = 0;   // since this was told
  std::string first_restored;  // one of them
  std::int64_t removed = 0;
  Remover remover;
};

WorkingFolders::WorkingFolders() : impl_(std::make_unique<Impl>()) {}
WorkingFolders::~WorkingFolders() = default;
WorkingFolders::WorkingFolders(WorkingFolders&&) noexcept = default;
WorkingFolders& WorkingFolders::operator=(WorkingFolders&&) noexcept = default;

Result<void> WorkingFolders::make(const Workspace& workspace, const fs::path& folder) {
  if (auto loaded = impl_->load(workspace); !loaded) return loaded;
  impl_->clear_leftovers(folder.parent_path().parent_path());
  if (impl_->take_renewed(folder)) return {};
  if (::mkdir(folder.c_str(), 0755) != 0)
    return base::system_error(folder, "create the working folder", errno);
  const base::UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Result<void> filled =
      fd ? impl_->fill(fd.get()) : base::system_error(folder, "open the working folder", errno);
  if (filled) {
    Loaded& loaded = *impl_->loaded;
    if (loaded.small && !loaded.original)
      loaded.original = std::make_shared<Original>(loaded.tree, fd.get());
    return filled;
  }
  workspace::remove_tree(folder);
  Error error = filled.error();
  error.where = folder.string() + (error.where.empty() ? "" : ": " + error.where);
  return error;
}

std::vector<std::string> WorkingFolders::take_notes() {
  const std::int64_t restored = std::exchange(impl_->restored, 0);
  if (restored == 0) return {};
  constexpr char kWhoSaw[] =
      "but runs alive at that moment have seen the change (docs/run-directory.md, Working folders)";
  const std::string& first = impl_->first_restored;
  if (restored == 1)
    return {
        fmt::format("{}: a run changed the file that all runs have in common; it was restored, "
                    "{}",
                    first, kWhoSaw)};
  return {
      fmt::format("{} and {}: a run changed the files that all runs have in common; they were "
                  "restored, {}",
                  first, base::plural(restored - 1, "other file"), kWhoSaw)};
}

void WorkingFolders::remove(const fs::path& folder) { impl_->leave(folder, nullptr); }

void WorkingFolders::hand_on(const fs::path& folder) {
  impl_->leave(folder, impl_->loaded ? impl_->loaded->original : nullptr);
}

}  // namespace hdrive
