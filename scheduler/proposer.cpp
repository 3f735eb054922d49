// SPDX-License-Identifier: Apache-2.0
#include "scheduler/proposer.h"

#include <exception>
#include <mutex>
#include <utility>

namespace hdrive::scheduler {
namespace {

// A sampler that answers within this is asked on the loop's thread from then
// on: a snapshot of the history and a thread for each proposal would cost more.
constexpr std::chrono::milliseconds kQuick{10};

}  // namespace

Result<Proposal> ask_sampler(Sampler& sampler, const History& history, RunId run) {
  try {
    return sampler.propose(history, run);
  } catch (const std::exception& error) {
    return Error{"the sampler", std::string("threw an exception: ") + error.what()};
  } catch (...) {
    return Error{"the sampler", "threw an exception that tells nothing"};
  }
}

// Shared by the loop's thread and the sampler's.
struct Proposer::Task {
  std::mutex mutex;
  std::optional<Result<Proposal>> answer;
  std::function<void()> ready;
};

Proposer::~Proposer() {
  if (thread_.joinable()) thread_.join();
}

std::optional<Result<Proposal>> Proposer::next(const std::shared_ptr<Sampler>& sampler,
                                               const History& history) {
  if (task_) {
    auto answer = take_answer();
    if (!answer || !std::exchange(discarded_, false)) return answer;
  }
  if (!is_quick_ && clock_->real()) {
    begin(sampler, history);
    return std::nullopt;
  }
  const Time begun = clock_->now();
  auto answer = ask_sampler(*sampler, history, history.size());
  is_quick_ = clock_->now() - begun <= kQuick;
  return answer;
}

std::optional<Result<Proposal>> Proposer::take_answer() {
  std::optional<Result<Proposal>> answer;
  {
    const std::lock_guard lock(task_->mutex);
    answer.swap(task_->answer);
  }
  if (!answer) return std::nullopt;
  thread_.join();
  task_.reset();
  is_quick_ = clock_->now() - begun_ <= kQuick;
  return answer;
}

void Proposer::begin(const std::shared_ptr<Sampler>& sampler, const History& history) {
  task_ = std::make_shared<Task>();
  begun_ = clock_->now();
  thread_ = std::thread(
      [task = task_, sampler, past = std::make_shared<const History>(history.snapshot())] {
        auto answer = ask_sampler(*sampler, *past, past->size());
        std::function<void()> ready;
        {
          const std::lock_guard lock(task->mutex);
          task->answer = std::move(answer);
          ready = std::move(task->ready);
        }
        if (ready) ready();
      });
}

void Proposer::call_when_ready(std::function<void()> ready) {
  {
    const std::lock_guard lock(task_->mutex);
    if (!task_->answer) {
      task_->ready = std::move(ready);
      return;
    }
  }
  ready();
}

}  // namespace hdrive::scheduler
