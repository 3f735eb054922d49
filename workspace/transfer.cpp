// SPDX-License-Identifier: Apache-2.0
//
// Snapshots of other machines' stores: what is missing of one, and putting it here. What is there
// is complete at any moment: contents first, the description that names them last.
#include <set>
#include <utility>

#include "base/sha256.h"
#include "hdrive/workspace.h"
#include "workspace/blob_store.h"
#include "workspace/manifest.h"

namespace hdrive {
namespace {

using workspace::BlobStore;

Result<std::vector<SnapshotEntry>> entries_of(const std::string& id, std::string_view text) {
  if (base::sha256(text) != id)
    return Error{"snapshot " + id, "its description is not what its name says",
                 Error::Kind::damaged};
  return workspace::parse_manifest(text);
}

std::vector<SnapshotEntry> missing_of(const BlobStore& blobs, std::vector<SnapshotEntry> entries) {
  std::vector<SnapshotEntry> missing;
  std::set<std::pair<std::string, bool>> seen;
  for (SnapshotEntry& entry : entries)
    if (!entry.digest.empty() && seen.emplace(entry.digest, entry.executable).second &&
        !blobs.holds(entry))
      missing.push_back(std::move(entry));
  return missing;
}

}  // namespace

Result<std::string> snapshot_text(const std::filesystem::path& store, const std::string& id) {
  auto entries = BlobStore(store).read_manifest(id);
  if (!entries) return entries.error();
  return workspace::write_manifest(*std::move(entries));
}

Result<std::vector<SnapshotEntry>> missing_contents(const std::filesystem::path& store,
                                                    const std::string& id, std::string_view text) {
  auto entries = entries_of(id, text);
  if (!entries) return entries;
  const BlobStore blobs(store);
  if (auto prepared = blobs.prepare(); !prepared) return prepared.error();
  return missing_of(blobs, *std::move(entries));
}

Result<std::string> read_content(const std::filesystem::path& store, const SnapshotEntry& file) {
  return BlobStore(store).read(file);
}

Result<void> store_content(const std::filesystem::path& store, const SnapshotEntry& file,
                           std::string_view content) {
  if (!workspace::is_digest(file.digest) || base::sha256(content) != file.digest)
    return Error{file.path, "arrived as something else than was sent", Error::Kind::damaged};
  BlobStore blobs(store);
  return blobs.put(file, content);
}

Result<void> store_snapshot(const std::filesystem::path& store, const std::string& id,
                            std::string_view text) {
  auto entries = entries_of(id, text);
  if (!entries) return entries.error();
  BlobStore blobs(store);
  if (const auto missing = missing_of(blobs, *std::move(entries)); !missing.empty())
    return Error{missing.front().path, "has not arrived in " + store.string(),
                 Error::Kind::not_found};
  return blobs.put_manifest(id, text);
}

}  // namespace hdrive
