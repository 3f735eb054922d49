// SPDX-License-Identifier: Apache-2.0
#include "store/recent_changes.h"

#include <algorithm>
#include <limits>

namespace hdrive::store {
namespace {

// A run, and how many steps after the change before it was changed: four bytes each, the lowest first, whatever
// the machine. What that cannot hold is not kept.
constexpr std::size_t kNumber = 4, kStart = 8;
constexpr std::int64_t kGreatest = std::numeric_limits<std::uint32_t>::max();

char* put(char* at, std::int64_t number, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) at[i] = static_cast<char>(number >> (8 * i));
  return at + size;
}

std::int64_t take(std::string_view& bytes, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  bytes.remove_prefix(size);
  return static_cast<std::int64_t>(number);
}

}  // namespace

void RecentChanges::add(RunId run, std::int64_t step) {
  const bool again =
      !changes_.empty() && changes_.back().step == step && changes_.back().run == run;
  if (!again) changes_.push_back({step, run});
}

void RecentChanges::forget_old() {
  if (changes_.size() <= kMost) return;
  // A step is known as a whole or not at all.
  from_ = changes_[changes_.size() - kMost - 1].step;
  std::erase_if(changes_, [this](const Change& change) { return change.step <= from_; });
}

std::optional<std::vector<RunId>> RecentChanges::since(std::int64_t step) const {
  if (step < from_) return std::nullopt;
  std::vector<RunId> runs;
  for (const Change& change : changes_)
    if (change.step > step) runs.push_back(change.run);
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  return runs;
}

std::string RecentChanges::bytes() const {
  std::int64_t before = from_;
  std::string result(kStart + changes_.size() * 2 * kNumber, '\0');
  char* at = put(result.data(), from_, kStart);
  for (const Change& change : changes_) {
    if (change.step - before > kGreatest || change.run > kGreatest)
      return RecentChanges(changes_.back().step).bytes();
    at = put(at, change.step - before, kNumber);
    at = put(at, change.run, kNumber);
    before = change.step;
  }
  return result;
}

std::optional<RecentChanges> RecentChanges::from(std::string_view bytes) {
  if (bytes.size() < kStart || (bytes.size() - kStart) % (2 * kNumber) != 0) return std::nullopt;
  RecentChanges result(take(bytes, kStart));
  std::int64_t step = result.from_;
  while (!bytes.empty()) {
    step += take(bytes, kNumber);
    result.changes_.push_back({step, take(bytes, kNumber)});
  }
  return result;
}

}  // namespace hdrive::store
