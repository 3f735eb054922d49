// SPDX-License-Identifier: Apache-2.0
//
// RankedSet: runs in the order of a score, with fast answers to "which place?" and "who is there?".
//
// History keeps one for each interval and statistic a policy asks for. Worst first: by score from
// low to high; among equal scores the later run is worse. Insert, erase, rank and select take O(log
// n): the keys lie in sorted chunks of at most `kChunk`, found by binary search over the chunks'
// lower bounds and counted by a Fenwick tree. (Splitting a chunk costs O(chunks), once in kChunk/2
// inserts.) One thread at a time.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hdrive::scheduler {

class RankedSet {
 public:
  /// A run and its score, which is never NaN. Twelve bytes: there is one for each report of a
  /// sweep.
  class Key {
   public:
    Key(double score, std::int64_t run)
        : score_(std::bit_cast<std::array<std::uint32_t, 2>>(score)),
          run_(static_cast<std::uint32_t>(run)) {}

    double score() const { return std::bit_cast<double>(score_); }
    std::int64_t run() const { return run_; }

    friend bool operator<(const Key& a, const Key& b) {
      const double x = a.score(), y = b.score();
      return x < y || (x == y && a.run_ > b.run_);
    }

   private:
    std::array<std::uint32_t, 2> score_;
    std::uint32_t run_;
  };

  std::int64_t size() const { return size_; }

  /// Adds a key that is not there.
  void insert(const Key& key);
  /// Removes a key; one that is not there is ignored.
  void erase(const Key& key);
  /// How many keys are worse than `key`, whether that is there or not.
  std::int64_t rank(const Key& key) const;
  /// The key with exactly `place` worse ones, 0 <= place < size().
  const Key& select(std::int64_t place) const;

 private:
  static constexpr std::size_t kChunk = 128;
  using Chunk = std::vector<Key>;

  std::size_t chunk_of(const Key& key) const;
  void split(std::size_t index);
  void drop(std::size_t index);
  void count_anew();
  void count(std::size_t index, std::int32_t change);

  std::vector<Chunk> chunks_;
  std::vector<Key> bounds_;           ///< [i]: no key of chunk i + 1 is worse, each of chunk i is
  std::vector<std::int32_t> counts_;  ///< Fenwick tree over the chunks' sizes, from 1
  std::int64_t size_ = 0;
};

}  // namespace hdrive::scheduler
