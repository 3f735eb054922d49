// SPDX-License-Identifier: Apache-2.0
//
// The in-process target: each run is a call of the objective on a thread that it has to itself. The
// threads put events into one queue; `wait`, on the sweep's thread, takes them out.
#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "hdrive/target.h"

namespace hdrive::compute {
namespace {

constexpr std::size_t kEventsPerWait = 4096;
// What one event, one call of wait and the queue may hold of metrics. Whoever reports faster than
// they are taken waits: a loop that does nothing else would fill the memory, and make one
// transaction of it.
constexpr std::size_t kMetricsPerEvent = 1024, kMetricsPerWait = 64 << 10;
constexpr std::size_t kMetricsQueued = 256 << 10;
// The longest single sleep: a deadline may lie centuries ahead, beyond what the system can add up.
constexpr Duration kLongestSleep = std::chrono::hours{1};

// What the runs' threads share with the sweep's thread.
class EventQueue {
 public:
  void push(TargetEvent event) {
    {
      const std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
    }
    filled_.notify_one();
  }

  // The run did not begin after all.
  void take_back_begin(RunId run) {
    const std::lock_guard lock(mutex_);
    std::erase_if(events_, [&](const TargetEvent& event) {
      const auto* began = std::get_if<RunBegan>(&event);
      return began && began->run == run;
    });
  }

  // A report joins the one before it if that is of the same run: fewer events, the same order.
  // Waits while there are too many. Gives the report's number among all.
  std::uint64_t report(RunId run, int attempt, Metric metric) {
    std::uint64_t number = 0;
    {
      std::unique_lock lock(mutex_);
      emptied_.wait(lock, [&] { return metrics_ < kMetricsQueued || closed_; });
      if (closed_) return 0;
      auto* last = events_.empty() ? nullptr : std::get_if<RunReported>(&events_.back());
      if (last && last->run == run && last->metrics.size() < kMetricsPerEvent)
        last->metrics.push_back(std::move(metric));
      else
        events_.push_back(RunReported{run, attempt, {std::move(metric)}, {}});
      ++metrics_;
      number = ++reported_;
    }
    filled_.notify_one();
    return number;
  }

  // Waits until report `number` was taken and whatever followed from it was done.
  void await(std::uint64_t number) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    settled_or_closed_.wait(lock, [&] { return settled_ >= number || closed_; });
    --waiting_;
  }

  // Whoever takes the events has acted on all that was taken.
  void settle() {
    {
      const std::lock_guard lock(mutex_);
      settled_ = taken_;
      if (waiting_ == 0) return;
    }
    settled_or_closed_.notify_all();
  }

  // Nobody takes anything any more: nobody waits, and reports are left out.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    emptied_.notify_all();
    settled_or_closed_.notify_all();
  }

  // Waits until there is an event, at most for `longest`, or until `stop`.
  void wait(Duration longest, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, stop, longest, [&] { return !events_.empty(); });
  }

  bool take(std::vector<TargetEvent>& events) {
    std::size_t count = 0, metrics = 0;
    {
      const std::lock_guard lock(mutex_);
      while (count < std::min(events_.size(), kEventsPerWait) && metrics < kMetricsPerWait) {
        const auto* report = std::get_if<RunReported>(&events_[count]);
        metrics += report ? report->metrics.size() : 0;
        ++count;
      }
      const auto end = events_.begin() + static_cast<std::ptrdiff_t>(count);
      std::move(events_.begin(), end, std::back_inserter(events));
      events_.erase(events_.begin(), end);
      metrics_ -= metrics;
      taken_ += metrics;
    }
    if (metrics > 0) emptied_.notify_all();
    return count > 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any filled_;
  std::condition_variable emptied_, settled_or_closed_;
  std::deque<TargetEvent> events_;
  std::size_t metrics_ = 0;                               // in events_
  std::uint64_t reported_ = 0, taken_ = 0, settled_ = 0;  // metrics, since the beginning
  int waiting_ = 0;                                       // for a verdict
  bool closed_ = false;
};

// Threads that do one job after another, so that what belongs to a thread - an interpreter's record of
// it, a cache - is made once and not for every run. Each job begins at once: on a thread that has
// nothing to do, else on a new one.
class Crew {
 public:
  // Gives what it ends with: when that is done the thread counts as free already, so that whoever
  // hears of the end finds it.
  using Job = std::function<std::function<void()>()>;

  // Waits for the jobs.
  ~Crew() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    called_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  // Throws std::system_error where another thread is needed and cannot be had; the job is not begun
  // then.
  void begin(Job job) {
    {
      const std::lock_guard lock(mutex_);
      if (free_ > jobs_.size()) {
        jobs_.push_back(std::move(job));
        called_.notify_one();
        return;
      }
    }
    threads_.emplace_back([this, first = std::move(job)]() mutable { work(std::move(first)); });
  }

 private:
  void work(Job job) {
    for (;;) {
      std::function<void()> end = job();
      job = nullptr;
      {
        const std::lock_guard lock(mutex_);
        ++free_;
      }
      end();
      std::unique_lock lock(mutex_);
      called_.wait(lock, [&] { return closing_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      --free_;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
  }

  std::mutex mutex_;
  std::condition_variable called_;
  std::deque<Job> jobs_;  // never more than threads are free
  std::size_t free_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

class Context final : public RunContext {
 public:
  Context(const RunRequest& request, EventQueue& queue, std::stop_token stop)
      : request_(request), queue_(queue), stop_(std::move(stop)) {}

  RunId run() const override { return request_.run; }
  int attempt() const override { return request_.attempt; }
  int slot() const override { return request_.slot; }
  const std::filesystem::path& directory() const override { return request_.directory; }
  const std::filesystem::path& resume_from() const override { return request_.resume_from; }
  const Assignment& parameters() const override { return request_.parameters; }

  double number(std::string_view name) const override {
    const auto number = as_number(value(name));
    if (number) return *number;
    throw std::out_of_range("the parameter \"" + std::string(name) + "\" is no number but " +
                            to_json(value(name)));
  }

  std::string text(std::string_view name) const override { return to_text(value(name)); }

  void report(std::string_view name, double value, std::optional<std::int64_t> step) override {
    if (name.empty()) throw std::invalid_argument("a metric needs a name");
    latest_ = queue_.report(request_.run, request_.attempt,
                            Metric{std::string(name), value, step, std::nullopt});
  }

  bool stop_requested() const override { return stop_.stop_requested(); }

  bool await_verdict() override {
    if (!stop_requested()) queue_.await(latest_);
    return !stop_requested();
  }

 private:
  const Value& value(std::string_view name) const {
    if (const Value* found = find(parameters(), name)) return *found;
    std::string known;
    for (const Binding& binding : parameters())
      known += (known.empty() ? "" : ", ") + std::string(bare_name(binding.name));
    throw std::out_of_range("there is no parameter \"" + std::string(name) +
                            "\"; there are: " + (known.empty() ? "none" : known));
  }

  const RunRequest& request_;
  EventQueue& queue_;
  std::stop_token stop_;
  std::uint64_t latest_ = 0;  // its latest report
};

class InProcessTarget final : public ComputeTarget {
 public:
  InProcessTarget(Objective objective, std::shared_ptr<Clock> clock)
      : objective_(std::move(objective)), clock_(std::move(clock)) {}

  // All are asked first, so that they end together and not one after the other.
  ~InProcessTarget() override {
    for (auto& [run, stop] : stops_) stop.request_stop();
    queue_.close();
  }

  Result<void> start(const RunRequest& request) override {
    const std::string where = "run " + std::to_string(request.run);
    if (stops_.contains(request.run)) return Error{where, "it is running already"};
    const std::stop_source stop;
    try {
      // Told from here, since `wait` then has it without being woken.
      queue_.push(RunBegan{request.run, request.attempt, 0});
      crew_.begin([this, request, stop = stop.get_token()]() -> std::function<void()> {
        return [this, end = call(request, stop)] { queue_.push(end); };
      });
      stops_.emplace(request.run, stop);
    } catch (const std::system_error& error) {
      queue_.take_back_begin(request.run);
      return Error{where, std::string("cannot start a thread: ") + error.what(),
                   Error::Kind::no_resources};
    }
    return {};
  }

  // What an earlier process called ended with it.
  Result<void> adopt(std::span<const RunRequest> requests) override {
    for (const RunRequest& request : requests)
      if (!stops_.contains(request.run)) queue_.push(RunNotFound{request.run, request.attempt});
    return {};
  }

  // A thread cannot be killed: both modes ask.
  void cancel(RunId run, CancelMode) override {
    const auto found = stops_.find(run);
    if (found != stops_.end()) found->second.request_stop();
  }

  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override {
    const std::size_t from = events.size();
    queue_.settle();
    while (!queue_.take(events)) {
      if (stop.stop_requested()) return;
      const Time now = clock_->now();
      if (now >= deadline) return;
      const bool far = deadline > now + kLongestSleep;
      queue_.wait(far ? kLongestSleep : deadline - now, stop);
    }
    for (std::size_t i = from; i < events.size(); ++i)
      if (const auto* end = std::get_if<RunExited>(&events[i])) stops_.erase(end->run);
  }

  std::string describe() const override { return "functions in this process"; }

 private:
  RunExited call(const RunRequest& request, std::stop_token stop) {
    RunExited end;
    end.run = request.run;
    end.attempt = request.attempt;
    end.exit_code = 1;
    try {
      Context context(request, queue_, std::move(stop));
      objective_(context);
      end.exit_code = 0;
    } catch (const std::exception& error) {
      end.stderr_tail = error.what();
    } catch (...) {
      end.stderr_tail = "the objective threw something that is no std::exception";
    }
    return end;
  }

  Objective objective_;
  std::shared_ptr<Clock> clock_;
  EventQueue queue_;
  std::map<RunId, std::stop_source> stops_;  // of the runs that have not ended
  Crew crew_;                                // last: its jobs end before the queue goes
};

}  // namespace
}  // namespace hdrive::compute

namespace hdrive {

std::shared_ptr<ComputeTarget> make_in_process_target(Objective objective,
                                                      std::shared_ptr<Clock> clock) {
  return std::make_shared<compute::InProcessTarget>(std::move(objective), std::move(clock));
}

}  // namespace hdrive
