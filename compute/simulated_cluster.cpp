// SPDX-License-Identifier: Apache-2.0
//
// The simulated cluster: a queue with so many places, behind a network that takes its time and is cut at times. What
// happens there happens whether or not anybody looks; a connection tells what it hears of it.
#include <algorithm>
#include <csignal>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/target.h"

namespace hdrive {

/// What the cluster has, at a time that only goes on.
class SimulatedCluster::State {
 public:
  struct Job {
    SimulatedRun model;
    std::string handle;
    std::string refusal;  // why its program cannot be started
    Duration grace{};
    Time submitted{};
    std::optional<Time> began, ended;
    Time ends = Time::max();  // as far as it is known
    std::optional<int> signal;
    bool canceled = false, vanished = false;

    std::size_t logged_by(Time now) const {
      if (!began) return 0;
      const Time until = std::min(now, ends);
      return static_cast<std::size_t>(
          std::count_if(model.reports.begin(), model.reports.end(),
                        [&](const auto& report) { return *began + report.first <= until; }));
    }
  };
  using Key = std::pair<RunId, int>;  // its name there: run and attempt

  State(RunModel model, const SimulatedClusterOptions& options,
        std::shared_ptr<SimulatedClock> clock)
      : model_(std::move(model)),
        options_(options),
        clock_(std::move(clock)),
        made_(clock_->now()) {}

  SimulatedClock& clock() { return *clock_; }
  const SimulatedClusterOptions& options() const { return options_; }

  // A name is taken once: who submits it again gets the job that is there.
  Job& submit(const RunRequest& request) {
    const auto [entry, added] = jobs_.try_emplace({request.run, request.attempt});
    Job& job = entry->second;
    if (!added) return job;
    job.handle = "job-" + std::to_string(++submitted_);
    job.grace = request.cancel_grace;
    job.submitted = clock_->now();
    if (auto model = model_(request))
      job.model = *std::move(model);
    else
      job.refusal = model.error().message();
    settle();
    return job;
  }

  Job* find(Key key) {
    const auto found = jobs_.find(key);
    return found == jobs_.end() ? nullptr : &found->second;
  }

  void cancel(Key key, CancelMode mode) {
    Job* job = find(key);
    if (!job || job->ended) return;
    const Time now = clock_->now();
    const bool kill = mode == CancelMode::kill || job->model.cancel_delay > job->grace;
    const Duration delay = mode == CancelMode::kill
                               ? Duration{0}
                               : std::min(job->model.cancel_delay, Duration{job->grace});
    job->canceled = true;
    if (!job->began) {
      job->ended = now;
    } else if (now + delay <= job->ends) {
      job->ends = now + delay;
      job->signal = kill ? SIGKILL : SIGTERM;
      job->model.vanishes = false;
    }
    settle();
  }

  // What has happened by now, in its order: ends make room.
  void settle() {
    const Time now = clock_->now();
    while (true) {
      begin_waiting();
      Job* next = nullptr;
      for (auto& [key, job] : jobs_)
        if (job.began && !job.ended && job.ends <= now && (!next || job.ends < next->ends))
          next = &job;
      if (!next) return;
      next->ended = next->ends;
      free_since_ = next->ends;
    }
  }

  // When something of the job can next be told.
  Time next_moment(const Job& job, std::size_t told) const {
    if (!job.began) return job.ended ? *job.ended : Time::max();
    Time moment = job.ends;
    if (told < job.model.reports.size())
      moment = std::min(moment, *job.began + job.model.reports[told].first);
    return moment;
  }
  // When the next one ends, and with that perhaps another begins.
  Time next_end() const {
    Time next = Time::max();
    for (const auto& [key, job] : jobs_)
      if (job.began && !job.ended) next = std::min(next, job.ends);
    return next;
  }

  bool in_contact(Time now) const {
    return std::none_of(options_.outages.begin(), options_.outages.end(), [&](const auto& outage) {
      return now >= made_ + outage.first && now < made_ + outage.second;
    });
  }
  Time next_change_of_contact(Time now) const {
    Time next = Time::max();
    for (const auto& [from, to] : options_.outages)
      for (const Time at : {made_ + from, made_ + to})
        if (at > now) next = std::min(next, at);
    return next;
  }

  std::vector<SimulatedCluster::Job> jobs() const {
    std::vector<SimulatedCluster::Job> result;
    for (const auto& [key, job] : jobs_)
      result.push_back({key.first, key.second, job.began, job.ended});
    return result;
  }

 private:
  std::int64_t running() const {
    return std::count_if(jobs_.begin(), jobs_.end(), [](const auto& entry) {
      return entry.second.began && !entry.second.ended;
    });
  }

  void begin_waiting() {
    std::int64_t free =
        options_.slots == 0 ? static_cast<std::int64_t>(jobs_.size()) : options_.slots - running();
    for (auto& [key, job] : jobs_) {
      if (free <= 0) return;
      if (job.began || job.ended || !job.refusal.empty()) continue;
      job.began = std::max(job.submitted, free_since_);
      job.ends = *job.began + std::max(job.model.duration, Duration{0});
      --free;
    }
  }

  RunModel model_;
  SimulatedClusterOptions options_;
  std::shared_ptr<SimulatedClock> clock_;
  Time made_;
  Time free_since_{};
  std::map<Key, Job> jobs_;
  std::int64_t submitted_ = 0;
};

namespace {

class Connection final : public ComputeTarget {
 public:
  using State = SimulatedCluster::State;

  explicit Connection(std::shared_ptr<State> cluster) : cluster_(std::move(cluster)) {}

  Result<void> start(const RunRequest& request) override {
    if (runs_.contains(request.run))
      return Error{"run " + std::to_string(request.run), "it is there already"};
    Followed& of = runs_[request.run];
    of.request = request;
    of.due = now() + cluster_->options().submission;
    return {};
  }

  Result<void> adopt(std::span<const RunRequest> requests) override {
    for (const RunRequest& request : requests) {
      Followed& of = runs_[request.run];
      of.request = request;
      of.adopted = true;
      of.accepted = !request.handle.empty();
      const auto position = position_from(request.cursor);
      of.reported = position ? static_cast<std::size_t>(position->metrics) : 0;
      of.due = now() + cluster_->options().latency;
    }
    return {};
  }

  // Asked when there is contact.
  void cancel(RunId run, CancelMode mode) override {
    const auto found = runs_.find(run);
    if (found == runs_.end()) return;
    if (found->second.cancel != CancelMode::kill) found->second.cancel = mode;
  }

  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override {
    const std::size_t from = events.size();
    while (!stop.stop_requested()) {
      look(events);
      if (events.size() > from || now() >= deadline) return;
      cluster_->clock().advance_to(std::min(deadline, next_moment()));
    }
  }

  Readiness readiness() override { return {-1, next_moment()}; }

  std::string describe() const override { return "a simulated cluster"; }

 private:
  struct Followed {
    RunRequest request;
    Time due{};          // when the cluster hears of it, or answers
    bool there = false;  // the cluster has it, as far as is known here
    bool adopted = false, accepted = false, began = false, unreachable = false;
    std::size_t reported = 0;
    std::optional<CancelMode> cancel;

    State::Key key() const { return {request.run, request.attempt}; }
  };

  Time now() const { return cluster_->clock().now(); }
  // What was so by then is known here.
  Time heard() const { return now() - cluster_->options().latency; }

  void look(std::vector<TargetEvent>& events) {
    cluster_->settle();
    const bool contact = cluster_->in_contact(now());
    if (contact) cancel_waiting();
    for (auto it = runs_.begin(); it != runs_.end();) {
      const bool goes_on = contact ? tell(it->second, events) : lose(it->second, events);
      it = goes_on ? std::next(it) : runs_.erase(it);
    }
  }

  // Before those that run: what they make room for would begin.
  void cancel_waiting() {
    for (auto& [run, of] : runs_)
      if (const State::Job* job = cluster_->find(of.key());
          of.there && of.cancel && job && !job->began)
        cluster_->cancel(of.key(), *std::exchange(of.cancel, std::nullopt));
  }

  static bool lose(Followed& of, std::vector<TargetEvent>& events) {
    if (!std::exchange(of.unreachable, true))
      events.push_back(RunUnreachable{of.request.run, of.request.attempt,
                                      "the simulated cluster does not answer"});
    return true;
  }

  // False: it is over.
  bool tell(Followed& of, std::vector<TargetEvent>& events) {
    const RunId run = of.request.run;
    const int attempt = of.request.attempt;
    if (std::exchange(of.unreachable, false)) events.push_back(RunReachable{run, attempt});
    if (!of.there) {
      if (now() < of.due) return true;
      // What was to be submitted need not be any more.
      if (of.adopted ? !cluster_->find(of.key()) : of.cancel.has_value()) {
        events.push_back(RunNotFound{run, attempt});
        return false;
      }
      if (!of.adopted) cluster_->submit(of.request);
      of.there = true;
    }
    if (const auto mode = std::exchange(of.cancel, std::nullopt)) cluster_->cancel(of.key(), *mode);
    const State::Job& job = *cluster_->find(of.key());
    if (!job.refusal.empty()) {
      RunExited exited{run, attempt};
      exited.not_started = true;
      exited.note = job.refusal;
      events.push_back(std::move(exited));
      return false;
    }
    if (!std::exchange(of.accepted, true)) events.push_back(RunAccepted{run, attempt, job.handle});
    return tell_course(of, job, events);
  }

  bool tell_course(Followed& of, const State::Job& job, std::vector<TargetEvent>& events) {
    const RunId run = of.request.run;
    const int attempt = of.request.attempt;
    if (!job.began) {
      if (!job.ended || *job.ended > heard()) return true;
      events.push_back(RunNotFound{run, attempt});
      return false;
    }
    if (*job.began > heard()) return true;
    if (!std::exchange(of.began, true))
      events.push_back(RunBegan{run, attempt, 0, now() - *job.began});
    const std::size_t logged = job.logged_by(heard());
    if (of.reported < logged) {
      RunReported reported{run, attempt, {}, {}};
      for (; of.reported < logged; ++of.reported)
        reported.metrics.push_back(job.model.reports[of.reported].second);
      reported.cursor = to_cursor({of.reported, 0});
      events.push_back(std::move(reported));
    }
    if (!job.ended || *job.ended > heard()) return true;
    if (job.model.vanishes)
      events.push_back(RunVanished{run, attempt, "the simulated cluster has lost it"});
    else
      events.push_back(end_of(of, job));
    return false;
  }

  static RunExited end_of(const Followed& of, const State::Job& job) {
    RunExited end{of.request.run, of.request.attempt};
    end.signal = job.signal ? job.signal : job.model.signal;
    if (!end.signal) end.exit_code = job.model.exit_code.value_or(0);
    end.stderr_tail = job.model.stderr_tail;
    return end;
  }

  Time next_moment() const {
    const Duration latency = cluster_->options().latency;
    const auto later = [&](Time at) { return at == Time::max() ? at : at + latency; };
    Time next = cluster_->next_change_of_contact(now());
    next = std::min(next, later(cluster_->next_end()));
    for (const auto& [run, of] : runs_) {
      if (!cluster_->in_contact(now())) break;
      const State::Job* job = cluster_->find(of.key());
      if (!of.there || !job)
        next = std::min(next, of.due);
      else if (job->began && !of.began)
        next = std::min(next, later(*job->began));
      else
        next = std::min(next, later(cluster_->next_moment(*job, of.reported)));
    }
    return std::max(next, now() + Duration{1});
  }

  std::shared_ptr<State> cluster_;
  std::map<RunId, Followed> runs_;
};

}  // namespace

SimulatedCluster::SimulatedCluster(RunModel model, const SimulatedClusterOptions& options,
                                   std::shared_ptr<SimulatedClock> clock)
    : state_(std::make_shared<State>(std::move(model), options, std::move(clock))) {}
SimulatedCluster::~SimulatedCluster() = default;

std::shared_ptr<ComputeTarget> SimulatedCluster::connect() {
  return std::make_shared<Connection>(state_);
}

std::vector<SimulatedCluster::Job> SimulatedCluster::jobs() const {
  state_->settle();
  return state_->jobs();
}

}  // namespace hdrive
