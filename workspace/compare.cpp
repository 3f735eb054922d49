// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "hdrive/workspace.h"
#include "workspace/blob_store.h"

namespace hdrive {
namespace {

using workspace::BlobStore;

constexpr std::uint64_t kLargestText = 1'000'000;
constexpr std::ptrdiff_t kMostEdits = 2'000;  // the time grows with their square

std::vector<std::string_view> lines_of(std::string_view text) {
  if (text.empty()) return {};
  if (text.back() == '\n') text.remove_suffix(1);
  return base::split(text, '\n');
}

// How many lines to remove from one and to add from the other at least (Myers, "An O(ND) difference
// algorithm", 1986); nothing where there are more than kMostEdits.
std::optional<std::ptrdiff_t> edits(const std::vector<std::string_view>& one,
                                    const std::vector<std::string_view>& other) {
  const auto n = std::ssize(one), m = std::ssize(other);
  const std::ptrdiff_t most = std::min(n + m, kMostEdits);
  // The furthest line of `one` reached on each diagonal.
  std::vector<std::ptrdiff_t> reached(static_cast<std::size_t>(2 * most + 3), 0);
  const auto at = [&](std::ptrdiff_t diagonal) -> std::ptrdiff_t& {
    return reached[static_cast<std::size_t>(diagonal + most + 1)];
  };
  for (std::ptrdiff_t d = 0; d <= most; ++d)
    for (std::ptrdiff_t k = -d; k <= d; k += 2) {
      std::ptrdiff_t x = k == -d || (k != d && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1;
      while (x < n && x - k < m && x - k >= 0 &&
             one[static_cast<std::size_t>(x)] == other[static_cast<std::size_t>(x - k)])
        ++x;
      at(k) = x;
      if (x >= n && x - k >= m) return d;
    }
  return std::nullopt;
}

void count_lines(const std::string& before, const std::string& after, FileDifference& difference) {
  const auto one = lines_of(before), other = lines_of(after);
  const auto n = std::ssize(one), m = std::ssize(other);
  const std::ptrdiff_t d = edits(one, other).value_or(n + m);
  difference.text = true;
  difference.lines_removed = (d + n - m) / 2;
  difference.lines_added = (d - n + m) / 2;
}

// Its text; nothing if it is none, or too large to compare.
std::optional<std::string> text_of(const BlobStore& store, const SnapshotEntry* entry) {
  if (!entry) return "";
  if (entry->digest.empty() || entry->size > kLargestText) return std::nullopt;
  auto content = store.read(*entry);
  if (!content || content->find('\0') != content->npos) return std::nullopt;
  return *std::move(content);
}

}  // namespace

Result<std::vector<SnapshotEntry>> read_snapshot(const std::filesystem::path& store,
                                                 const std::string& id) {
  return BlobStore(store).read_manifest(id);
}

Result<std::int64_t> check_snapshot(const std::filesystem::path& folder, const std::string& id) {
  const BlobStore store(folder);
  const auto entries = store.read_manifest(id);
  if (!entries) return entries.error();
  std::int64_t files = 0;
  for (const SnapshotEntry& entry : *entries) {
    if (entry.digest.empty()) continue;
    ++files;
    const auto content = store.read(entry);
    if (content) continue;
    const bool lost = content.error().kind == Error::Kind::damaged ||
                      content.error().kind == Error::Kind::not_found;
    if (!lost) return content.error();
    return Error{store.blob_path(entry).string(),
                 "the snapshot's " + entry.path + " is gone, or is no longer what was captured",
                 Error::Kind::damaged};
  }
  return files;
}

Result<std::vector<FileDifference>> compare_snapshots(const std::filesystem::path& one_store,
                                                      const std::string& one,
                                                      const std::filesystem::path& other_store,
                                                      const std::string& other) {
  const BlobStore old_store(one_store), new_store(other_store);
  std::map<std::string, std::pair<const SnapshotEntry*, const SnapshotEntry*>> both;
  const auto before = old_store.read_manifest(one);
  if (!before) return before.error();
  const auto after = new_store.read_manifest(other);
  if (!after) return after.error();
  for (const SnapshotEntry& entry : *before) both[entry.path].first = &entry;
  for (const SnapshotEntry& entry : *after) both[entry.path].second = &entry;
  std::vector<FileDifference> differences;
  for (const auto& [path, entries] : both) {
    const auto [old_one, new_one] = entries;
    if (old_one && new_one && *old_one == *new_one) continue;
    FileDifference difference;
    difference.path = path;
    difference.kind = !old_one   ? FileDifference::Kind::added
                      : !new_one ? FileDifference::Kind::removed
                                 : FileDifference::Kind::changed;
    const auto old_text = text_of(old_store, old_one), new_text = text_of(new_store, new_one);
    if (old_text && new_text) count_lines(*old_text, *new_text, difference);
    differences.push_back(std::move(difference));
  }
  return differences;
}

}  // namespace hdrive
