// SPDX-License-Identifier: Apache-2.0
#include "server/portal/sweeps.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "hdrive/catalog.h"

namespace hdrive::server::portal {
namespace {

// Each holds a few descriptors and some memory of SQLite's.
constexpr std::size_t kMostIdle = 12;

}  // namespace

LentReader::LentReader(Sweeps& sweeps, std::filesystem::path directory,
                       std::unique_ptr<SweepReader> reader)
    : sweeps_(&sweeps), directory_(std::move(directory)), reader_(std::move(reader)) {}

LentReader::~LentReader() {
  if (reader_) sweeps_->give_back(directory_, std::move(reader_));
}

Sweeps::Sweeps(std::filesystem::path home) : home_(std::move(home)) {}

Result<std::filesystem::path> Sweeps::directory(const std::string& id) {
  std::error_code ignored;
  {
    const std::lock_guard lock(mutex_);
    const auto known = directories_.find(id);
    if (known != directories_.end()) {
      if (std::filesystem::is_directory(known->second, ignored)) return known->second;
      directories_.erase(known);
    }
  }
  const Error none{"", "there is no sweep " + base::json_string(id) + " (any more)",
                   Error::Kind::not_found};
  // An id and nothing else that finds sweeps: a path would lead anywhere.
  if (!id.starts_with("HD_") || id.find('/') != id.npos) return none;
  const auto found = find_sweep(home_, id);
  if (!found) return found.error();
  if (found->header.id != id) return none;
  const std::lock_guard lock(mutex_);
  directories_[id] = found->directory;
  return found->directory;
}

Result<LentReader> Sweeps::reader(const std::string& id) {
  const auto where = directory(id);
  if (!where) return where.error();
  {
    const std::lock_guard lock(mutex_);
    const auto idle = std::find_if(idle_.rbegin(), idle_.rend(),
                                   [&](const Idle& each) { return each.directory == *where; });
    if (idle != idle_.rend()) {
      auto reader = std::move(idle->reader);
      idle_.erase(std::next(idle).base());
      return LentReader(*this, *where, std::move(reader));
    }
  }
  auto opened = SweepReader::open(*where);
  if (!opened) return opened.error();
  return LentReader(*this, *where, *std::move(opened));
}

void Sweeps::give_back(const std::filesystem::path& directory,
                       std::unique_ptr<SweepReader> reader) {
  const std::lock_guard lock(mutex_);
  idle_.push_back({directory, std::move(reader)});
  if (idle_.size() > kMostIdle) idle_.erase(idle_.begin());
}

}  // namespace hdrive::server::portal
