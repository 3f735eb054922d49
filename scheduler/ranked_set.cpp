// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ranked_set.h"

#include <algorithm>

namespace hdrive::scheduler {
namespace {

using Key = RankedSet::Key;

/// std::lower_bound over few keys, without branches to mispredict: scores come in no order.
const Key* first_not_worse(const Key* begin, std::size_t size, const Key& key) {
  while (size > 1) {
    const std::size_t half = size / 2;
    begin = begin[half - 1] < key ? begin + half : begin;
    size -= half;
  }
  return size == 1 && *begin < key ? begin + 1 : begin;
}

/// Room for one more in steps that waste little: these keys are most of what a policy costs in
/// memory.
void make_room(std::vector<Key>& chunk) {
  constexpr std::size_t kStep = 16;
  if (chunk.size() < chunk.capacity()) return;
  chunk.reserve(chunk.size() < kStep ? 2 * chunk.size() + 1 : chunk.size() + kStep);
}

std::size_t lowest_bit(std::size_t number) { return number & (~number + 1); }

}  // namespace

void RankedSet::insert(const Key& key) {
  if (chunks_.empty()) chunks_.emplace_back();
  std::size_t index = chunk_of(key);
  if (chunks_[index].size() == kChunk) {
    split(index);
    index = chunk_of(key);
  }
  Chunk& chunk = chunks_[index];
  const auto place = first_not_worse(chunk.data(), chunk.size(), key) - chunk.data();
  make_room(chunk);
  chunk.insert(chunk.begin() + place, key);
  count(index, +1);
  ++size_;
}

void RankedSet::erase(const Key& key) {
  if (chunks_.empty()) return;
  const std::size_t index = chunk_of(key);
  Chunk& chunk = chunks_[index];
  const auto place = first_not_worse(chunk.data(), chunk.size(), key) - chunk.data();
  const auto found = chunk.begin() + place;
  if (found == chunk.end() || key < *found) return;
  chunk.erase(found);
  count(index, -1);
  --size_;
  if (chunk.empty()) drop(index);
}

std::int64_t RankedSet::rank(const Key& key) const {
  if (chunks_.empty()) return 0;
  const std::size_t index = chunk_of(key);
  const Chunk& chunk = chunks_[index];
  std::int64_t worse = first_not_worse(chunk.data(), chunk.size(), key) - chunk.data();
  for (std::size_t node = index; node > 0; node -= lowest_bit(node)) worse += counts_[node];
  return worse;
}

const Key& RankedSet::select(std::int64_t place) const {
  if (chunks_.size() == 1) return chunks_.front()[static_cast<std::size_t>(place)];
  // Down the Fenwick tree: skip the largest block of chunks that holds no more than `place` keys.
  std::size_t index = 0;
  for (std::size_t step = std::bit_floor(chunks_.size()); step > 0; step /= 2) {
    if (index + step > chunks_.size() || counts_[index + step] > place) continue;
    index += step;
    place -= counts_[index];
  }
  return chunks_[index][static_cast<std::size_t>(place)];
}

std::size_t RankedSet::chunk_of(const Key& key) const {
  // The first bound that is worse than every key from `key` up belongs to the next chunk.
  const auto after = std::upper_bound(bounds_.begin(), bounds_.end(), key);
  return static_cast<std::size_t>(after - bounds_.begin());
}

void RankedSet::split(std::size_t index) {
  Chunk& left = chunks_[index];
  const auto middle = left.begin() + kChunk / 2;
  Chunk right(middle, left.end());
  left = Chunk(left.begin(), middle);
  const auto after = static_cast<std::ptrdiff_t>(index);
  bounds_.insert(bounds_.begin() + after, right.front());
  chunks_.insert(chunks_.begin() + after + 1, std::move(right));
  count_anew();
}

void RankedSet::drop(std::size_t index) {
  const auto at = static_cast<std::ptrdiff_t>(index);
  chunks_.erase(chunks_.begin() + at);
  // The gap goes to the chunk before it; the first chunk needs no lower bound.
  if (!bounds_.empty()) bounds_.erase(bounds_.begin() + (index == 0 ? 0 : at - 1));
  count_anew();
}

void RankedSet::count_anew() {
  // One chunk needs no counting, so small sets stay small.
  counts_.assign(chunks_.size() > 1 ? chunks_.size() + 1 : 0, 0);
  for (std::size_t node = 1; node < counts_.size(); ++node) {
    counts_[node] += static_cast<std::int32_t>(chunks_[node - 1].size());
    const std::size_t parent = node + lowest_bit(node);
    if (parent < counts_.size()) counts_[parent] += counts_[node];
  }
}

void RankedSet::count(std::size_t index, std::int32_t change) {
  for (std::size_t node = index + 1; node < counts_.size(); node += lowest_bit(node))
    counts_[node] += change;
}

}  // namespace hdrive::scheduler
