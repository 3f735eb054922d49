// SPDX-License-Identifier: Apache-2.0
//
// The store in memory. It checks the order of changes as the database does, so that a scheduler tested on
// it cannot go wrong on the other.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/store.h"
#include "store/change_log.h"
#include "store/order.h"

namespace hdrive {
namespace {

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(SweepHeader header) : header_(std::move(header)) {}

  const SweepHeader& header() const override { return header_; }

  Result<void> append(std::span<const Change> changes) override {
    if (Result<void> sound = order_.check(changes); !sound) return sound;
    order_.take(changes);
    for (const Change& change : changes) std::visit([&](const auto& it) { record(it); }, change);
    return {};
  }

  Result<void> replay(const std::string& only_metric,
                      const std::function<void(const Change&)>& tell) override {
    log_.replay(only_metric, tell);
    for (const auto& [run, kept] : verdicts_)
      for (const RunJudged& verdict : kept) tell(verdict);
    return {};
  }

  Result<std::vector<Request>> take_requests() override { return std::vector<Request>{}; }
  bool takes_requests() const override { return false; }

 private:
  // Verdicts come with nearly every report, and each replaces the one before. Only the last of each action
  // are kept, beside the log until the run moves on.
  void record(const RunJudged& judged) {
    std::vector<RunJudged>& kept = verdicts_[judged.run];
    std::erase_if(kept, [&](const RunJudged& older) {
      return older.verdict.action == judged.verdict.action;
    });
    kept.push_back(judged);
  }
  void record(const SweepEdited& it) { header_.config = it.config, log_.add(it); }
  void record(const RequestAnswered&) {}  // nobody asks
  void record(const RunCanceling& it) { settle(it.run), log_.add(it); }
  void record(const RunEnded& it) { settle(it.run), log_.add(it); }
  void record(const RunRequeued& it) { settle(it.run), log_.add(it); }
  template <class Other>
  void record(const Other& it) {
    log_.add(it);
  }

  void settle(RunId run) {
    const auto kept = verdicts_.find(run);
    if (kept == verdicts_.end()) return;
    for (const RunJudged& verdict : kept->second) log_.add(verdict);
    verdicts_.erase(kept);
  }

  SweepHeader header_;
  store::ChangeLog log_;
  store::ChangeOrder order_;
  std::map<RunId, std::vector<RunJudged>> verdicts_;
};

}  // namespace

std::shared_ptr<Store> make_memory_store(SweepHeader header) {
  return std::make_shared<MemoryStore>(std::move(header));
}

}  // namespace hdrive
