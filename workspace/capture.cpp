// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "hdrive/workspace.h"
#include "workspace/blob_store.h"
#include "workspace/file_index.h"
#include "workspace/manifest.h"
#include "workspace/walk.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using workspace::BlobStore;
using workspace::FileIndex;
using workspace::FileStamp;
using workspace::Found;
using workspace::Walk;

// Azure ML's own limits for a snapshot.
constexpr std::int64_t kManyFiles = 2'000;
constexpr std::uint64_t kManyBytes = 300'000'000;

constexpr std::size_t kMostNamed = 5;  // in one sentence
constexpr int kMostReadings = 3;       // of a file that changes meanwhile

std::string named(const std::vector<std::string>& names) {
  std::vector<std::string> first(
      names.begin(),
      names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMostNamed)));
  const std::string more =
      names.size() > kMostNamed ? fmt::format(" and {} more", names.size() - kMostNamed) : "";
  return base::join(first, ", ") + more;
}

class Capturer {
 public:
  Capturer(const CaptureOptions& options)
      : options_(options),
        store_(options.store),
        index_(options.store / "index" /
               base::sha256(options.source.lexically_normal().native()).substr(0, 32)) {}

  Result<Capture> run(const Walk& walk) {
    for (const Found& found : walk.found) {
      if (found.kind == Found::Kind::empty_folder) entries_.push_back({.path = found.path});
      if (found.kind != Found::Kind::file) continue;
      if (auto taken = take(found); !taken) return taken.error();
    }
    link_links(walk);
    const std::string text = workspace::write_manifest(entries_);
    capture_.id = base::sha256(text);
    if (auto synced = store_.sync(); !synced) return synced.error();
    if (auto put = store_.put_manifest(capture_.id, text); !put) return put.error();
    // Without it the next capture only reads more.
    if (auto written = index_.write(); !written)
      capture_.notes.push_back(written.error().message());
    capture_.ignored = walk.ignored;
    tell(walk);
    return std::move(capture_);
  }

 private:
  std::string original(const std::string& path) const { return (options_.source / path).string(); }

  // A file that is not captured: the runs see the original, under its name.
  void link(const std::string& path) {
    entries_.push_back({.path = path, .target = original(path)});
  }

  Result<void> take(const Found& found) {
    if (found.stamp.size > options_.max_file) {
      large_.push_back(fmt::format("{} ({})", found.path, base::size_text(found.stamp.size)));
      link(found.path);
      return {};
    }
    SnapshotEntry entry{
        .path = found.path, .size = found.stamp.size, .executable = found.executable};
    if (const auto known = index_.find(found.path, found.stamp)) {
      entry.digest = *known;
      if (store_.holds(entry)) {
        keep(std::move(entry), found.stamp);
        return {};
      }
    }
    return read(std::move(entry));
  }

  Result<void> read(SnapshotEntry entry) {
    const auto file = base::open_regular(options_.source / entry.path);
    if (!file) {
      if (file.error().kind == Error::Kind::not_found) return {};  // it is gone meanwhile
      if (passes_by_itself(file.error().kind)) return file.error();
      unreadable_.push_back(entry.path);
      link(entry.path);
      return {};
    }
    FileStamp stamp;
    for (int reading = 1;; ++reading) {
      struct stat before {
      }, after{};
      std::string content;
      if (::fstat(file->get(), &before) != 0 || !read_all(file->get(), content) ||
          ::fstat(file->get(), &after) != 0)
        return base::system_error(original(entry.path), "read", errno);
      stamp = workspace::stamp_of(after);
      const bool torn = stamp != workspace::stamp_of(before);
      if (torn && reading < kMostReadings) continue;
      if (torn) changing_.push_back(entry.path);
      entry.size = content.size();
      entry.digest = base::sha256(content);
      if (!store_.holds(entry))
        if (auto put = store_.put(entry, content); !put) return put;
      break;
    }
    keep(std::move(entry), stamp);
    return {};
  }

  // No more than a file that is captured may have: one that grows for ever ends there.
  bool read_all(int fd, std::string& content) const {
    std::string buffer(1 << 16, '\0');
    while (content.size() <= options_.max_file) {
      const ssize_t count =
          ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(content.size()));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return count == 0;
      content.append(buffer, 0, static_cast<std::size_t>(count));
    }
    return true;
  }

  void keep(SnapshotEntry entry, const FileStamp& stamp) {
    ++capture_.files;
    capture_.bytes += entry.size;
    index_.note(entry.path, stamp, entry.digest, options_.now);
    entries_.push_back(std::move(entry));
  }

  // A link to what is in the snapshot leads there, also in a working folder; any other to the
  // original.
  void link_links(const Walk& walk) {
    std::set<std::string> inside;
    for (const Found& found : walk.found) {
      for (fs::path path = found.path; !path.empty(); path = path.parent_path())
        if (!inside.insert(path.string()).second) break;
    }
    const fs::path source = options_.source.lexically_normal();
    for (const Found& found : walk.found) {
      if (found.kind != Found::Kind::link) continue;
      const fs::path place = (source / found.path).parent_path();
      const fs::path leads = (place / found.target).lexically_normal();
      const fs::path relative = leads.lexically_relative(source);
      if (inside.count(relative.string()) > 0) {
        const fs::path here = fs::path(found.path).parent_path();
        entries_.push_back(
            {.path = found.path,
             .target = relative.lexically_relative(here.empty() ? "." : here).string()});
        continue;
      }
      outside_.push_back(found.path);
      entries_.push_back({.path = found.path, .target = leads.string()});
    }
  }

  void tell(const Walk& walk) {
    const auto say = [&](const std::vector<std::string>& names, std::string_view what) {
      if (!names.empty()) capture_.notes.push_back(named(names) + ": " + std::string(what));
    };
    say(large_, fmt::format("larger than snapshot_max_file ({}), not captured; the runs see the "
                            "original",
                            base::size_text(options_.max_file)));
    say(outside_, "a link that leads out of what is captured; the runs see the original");
    say(unreadable_, "cannot be read, not captured");
    say(walk.closed, "a folder that cannot be read, not captured");
    say(walk.special, "neither file nor folder, not captured");
    say(changing_, "changed again and again while it was captured; what was read last counts");
    say(walk.own, "not captured: in its working folder each run has its own");
    if (capture_.bytes > kManyBytes || capture_.files > kManyFiles)
      capture_.notes.push_back(fmt::format(
          "the snapshot has {} in {}; Azure ML takes no more than 300 MB and 2,000 files: an "
          ".amlignore file leaves out what the runs do not need",
          base::size_text(capture_.bytes), base::plural(capture_.files, "file")));
  }

  const CaptureOptions& options_;
  BlobStore store_;
  FileIndex index_;
  Capture capture_;
  std::vector<SnapshotEntry> entries_;
  std::vector<std::string> large_, outside_, unreadable_, changing_;
};

}  // namespace

Result<Capture> capture_source(const CaptureOptions& options) {
  auto walk = workspace::walk_source(options);
  if (!walk) return walk.error();
  Result<Capture> capture = Capture();
  if (walk->too_large.empty()) {
    const BlobStore store(options.store);
    if (auto ready = store.prepare(); !ready) return ready.error();
    // Until the sweep is stored: whoever collects sees no sweep yet that needs what is captured
    // here.
    const auto hold = store.lock(true);
    capture = Capturer(options).run(*walk);
    if (!capture) return capture;
    capture->hold = hold;
  } else {
    capture->notes.push_back(fmt::format(
        "{} {}, too large for a folder of its own for each run: the runs start in it (as with "
        "working_directory: source); an .amlignore file leaves out what they do not need",
        options.source.string(), walk->too_large));
  }
  capture->properties = git_properties(options.source);
  return capture;
}

}  // namespace hdrive
