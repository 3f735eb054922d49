// SPDX-License-Identifier: Apache-2.0
//
// The batch target, second part: what the batch system says of jobs, and what it is told to do with them.
#include <algorithm>
#include <iterator>
#include <utility>

#include "compute/batch/batch_target.h"

namespace hdrive::compute {
namespace {

// Questions at once, of systems that answer for one job at a time.
constexpr int kQuestionsAtOnce = 4;

// Ids of one system are numbers that grow; "1234_7" is the 7th of an array.
bool is_newer(const std::string& a, const std::string& b) {
  const std::string first = a.substr(0, a.find('_')), second = b.substr(0, b.find('_'));
  return first.size() != second.size() ? first.size() > second.size() : first > second;
}

}  // namespace

void BatchTarget::ask_for_states(Time now) {
  if (asking_ || now < next_ask_) return;
  std::vector<std::string> jobs;
  bool any = false;
  for (const auto& [run, live] : live_) {
    any = any || !live.submitting;
    if (!live.job.empty()) jobs.push_back(live.job);
  }
  if (!any) return;
  next_ask_ = now + timing_.poll;
  question_ = {};
  question_.asked = now;
  for (BatchSystem::Words& words : system_->status(jobs))
    question_.left.push_back(std::move(words));
  question_.jobs = std::move(jobs);
  asking_ = true;
  ask_next();
}

// Goes on with the question, and takes the answer when there is all of it.
void BatchTarget::ask_next() {
  while (question_.running < kQuestionsAtOnce && !question_.left.empty()) {
    auto started = run_command(question_.left.front(), [this](const CommandOutput& output) {
      --question_.running;
      auto states = system_->states(output, question_.jobs);
      if (states)
        std::move(states->begin(), states->end(), std::back_inserter(question_.states));
      else
        question_.failure = states.error().what;
      ask_next();
    });
    question_.left.pop_front();
    if (started)
      ++question_.running;
    else
      question_.failure = started.error().message();
    if (!question_.failure.empty()) question_.left.clear();
  }
  if (question_.running > 0) return;
  asking_ = false;
  if (question_.failure.empty())
    take_states();
  else
    lose_contact(question_.failure);
}

void BatchTarget::take_states() {
  const Time asked = question_.asked;
  no_contact_.clear();
  next_look_ = Time{};
  match(question_.states, asked);
  std::set<std::string> named;
  for (const JobStatus& status : question_.states) named.insert(status.job);
  std::vector<std::string> missing;
  for (const auto& [run, live] : live_)
    if (!live.job.empty() && !live.status.over() && live.known <= asked &&
        !named.contains(live.job))
      missing.push_back(live.job);
  if (history_ && !missing.empty())
    ask_history(std::move(missing), asked);
  else
    count_absent(asked);
}

// squeue forgets a job some minutes after its end; sacct, where it is set up, does not.
void BatchTarget::ask_history(std::vector<std::string> jobs, Time asked) {
  const auto words = system_->history(jobs);
  history_ = !words.empty();
  if (!history_) return count_absent(asked);
  auto started = run_command(words, [this, asked](const CommandOutput& output) {
    asking_ = false;
    const auto states = system_->past_states(output);
    history_ = static_cast<bool>(states);  // not set up: not asked for again
    if (states) match(*states, asked);
    count_absent(asked);
    next_look_ = Time{};
  });
  asking_ = static_cast<bool>(started);
  if (started) return;
  history_ = false;
  count_absent(asked);
}

void BatchTarget::match(const std::vector<JobStatus>& states, Time asked) {
  std::map<std::string, const JobStatus*> by_job, by_name;
  for (const JobStatus& status : states) {
    by_job[status.job] = &status;
    const JobStatus*& newest = by_name[status.name];
    if (!newest || is_newer(status.job, newest->job)) newest = &status;
  }
  for (auto& [run, live] : live_) {
    if (live.submitting) continue;
    const bool named = !live.job.empty();
    const auto& index = named ? by_job : by_name;
    const auto found = index.find(named ? live.job : live.name);
    if (found == index.end()) continue;
    live.status = *found->second;
    live.absent = 0;
    live.seen = asked;
    live.job = live.status.job;
    if (!std::exchange(live.accepted, true))
      notes_.push_back(RunAccepted{run, live.request.attempt, live.job});
  }
}

// An answer to a question that was asked before the job was there says nothing of it.
void BatchTarget::count_absent(Time asked) {
  const Duration soon = std::min<Duration>(timing_.poll, std::chrono::seconds{1});
  for (auto& [run, live] : live_) {
    if (live.submitting || live.known > asked || live.status.over() || live.seen == asked) continue;
    if (++live.absent == 1) next_ask_ = std::min(next_ask_, asked + soon);
  }
}

void BatchTarget::lose_contact(const std::string& why) {
  no_contact_ = why;
  next_look_ = Time{};
}

void BatchTarget::send_cancels() {
  const auto send = [&](std::set<std::string>& jobs, auto words_for) {
    if (jobs.empty()) return;
    const std::vector<std::string> all(jobs.begin(), jobs.end());
    jobs.clear();
    for (const BatchSystem::Words& words : words_for(std::span<const std::string>(all))) {
      // What does not get through is asked for again when the run has not ended by then.
      auto started = run_command(words, [](const CommandOutput&) {});
      if (!started) lose_contact(started.error().message());
    }
  };
  send(to_cancel_, [&](auto some) { return system_->cancel(some); });
  send(to_signal_, [&](auto some) { return system_->pass_signal(some, CancelMode::graceful); });
  send(to_kill_, [&](auto some) { return system_->pass_signal(some, CancelMode::kill); });
}

}  // namespace hdrive::compute
