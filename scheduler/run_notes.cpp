// SPDX-License-Identifier: Apache-2.0
#include "scheduler/run_notes.h"

#include <algorithm>
#include <cstring>

namespace hdrive::scheduler {

void SmallSet::insert(std::uint32_t number) {
  if (contains(number)) return;
  if (!many_ && count_ < few_.size()) {
    few_[count_++] = number;
    return;
  }
  if (!many_) many_ = std::make_unique<std::unordered_set<std::uint32_t>>(few_.begin(), few_.end());
  many_->insert(number);
}

bool SmallSet::contains(std::uint32_t number) const {
  if (many_) return many_->contains(number);
  return std::find(few_.begin(), few_.begin() + count_, number) != few_.begin() + count_;
}

std::vector<std::uint32_t> SmallSet::numbers() const {
  if (many_) return {many_->begin(), many_->end()};
  return {few_.begin(), few_.begin() + count_};
}

// Before the two texts, the note and the reason.
struct KeptVerdict::Head {
  double value, threshold, leader_value;
  std::int64_t interval, peers, leader;
  std::uint32_t note, reason;  // bytes
  Verdict::Action action;
  Verdict::Finding finding;
};

KeptVerdict::KeptVerdict(const Verdict& verdict, const std::string& reason) {
  const Head head{verdict.value,
                  verdict.threshold,
                  verdict.leader_value,
                  verdict.interval,
                  verdict.peers,
                  verdict.leader,
                  static_cast<std::uint32_t>(verdict.note.size()),
                  static_cast<std::uint32_t>(reason.size()),
                  verdict.action,
                  verdict.finding};
  bytes_ =
      std::make_unique_for_overwrite<char[]>(sizeof head + verdict.note.size() + reason.size());
  char* at = bytes_.get();
  std::memcpy(at, &head, sizeof head);
  at = std::copy(verdict.note.begin(), verdict.note.end(), at + sizeof head);
  std::copy(reason.begin(), reason.end(), at);
}

SweepState::Judged KeptVerdict::get() const {
  Head head;
  std::memcpy(&head, bytes_.get(), sizeof head);
  const char* texts = bytes_.get() + sizeof head;
  SweepState::Judged judged;
  judged.verdict.action = head.action;
  judged.verdict.finding = head.finding;
  judged.verdict.interval = head.interval;
  judged.verdict.peers = head.peers;
  judged.verdict.value = head.value;
  judged.verdict.threshold = head.threshold;
  judged.verdict.leader = head.leader;
  judged.verdict.leader_value = head.leader_value;
  judged.verdict.note.assign(texts, head.note);
  judged.reason.assign(texts + head.note, head.reason);
  return judged;
}

}  // namespace hdrive::scheduler
