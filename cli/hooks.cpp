// SPDX-License-Identifier: Apache-2.0
#include "cli/hooks.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "cli/text.h"
#include "hdrive/clock.h"
#include "hdrive/ids.h"
#include "hdrive/overview.h"
#include "hdrive/state.h"
#include "hdrive/store.h"

namespace hdrive::cli {
namespace {

using std::chrono::seconds;

// How long a command may take, and how long the end of a sweep waits for those of its runs.
constexpr seconds kMost{60};
constexpr seconds kMostInAHurry{2}, kAllInAHurry{10};
constexpr char kEndedInAHurry[] = "was ended, since it was not over when it was interrupted";

// Looks now and then whether somebody is in a hurry by now.
class Patience {
 public:
  static constexpr std::chrono::milliseconds kSlice{50};
  explicit Patience(const std::function<bool()>& hurry, seconds in_a_hurry = kMostInAHurry)
      : hurry_(hurry), in_a_hurry_(in_a_hurry) {}
  bool is_over() const {
    const Duration waited = clock_->now() - began_;
    return waited >= kMost || (waited >= in_a_hurry_ && hurry_());
  }

 private:
  const std::function<bool()>& hurry_;
  const seconds in_a_hurry_;
  const std::shared_ptr<Clock> clock_ = make_steady_clock();
  const Time began_ = clock_->now();
};

// A process group of its own, so that a Ctrl-C meant for the sweep does not end it, and it can be
// ended whole.
int start(pid_t& process, const std::vector<std::string>& command, const HookEnvironment& added,
          const std::filesystem::path& directory) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : added) variables.push_back(name + "=" + value);
  base::Program program;
  program.words = command;
  program.environment = base::environment_with(std::move(variables));
  program.out = STDERR_FILENO;
  if (std::error_code error; std::filesystem::is_directory(directory, error))
    program.directory = directory;
  return base::start_program(program, process);
}

// Whether it has ended in time.
bool ends_in_time(pid_t process, const std::function<bool()>& hurry) {
  // Without a descriptor to spare it is looked at after each slice.
  const base::UniqueFd watched(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  pollfd wanted{watched.get(), POLLIN, 0};
  for (const Patience patience(hurry); !patience.is_over();) {
    ::poll(&wanted, 1, static_cast<int>(Patience::kSlice.count()));
    siginfo_t info{};
    const auto pid = static_cast<id_t>(process);
    if (::waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == process)
      return true;
  }
  return false;
}

std::string number_or_nothing(const std::optional<double>& number) {
  return number ? base::shortest(*number) : std::string();
}

}  // namespace

std::string run_hook(const std::vector<std::string>& command, const HookEnvironment& environment,
                     const std::filesystem::path& directory, const std::function<bool()>& hurry) {
  pid_t process = 0;
  if (const int error = start(process, command, environment, directory); error != 0)
    return fmt::format("could not be started: {}", std::strerror(error));
  const bool in_time = ends_in_time(process, hurry);
  if (!in_time) ::kill(-process, SIGKILL);
  const int status = base::wait_for(process);
  if (!in_time && hurry()) return kEndedInAHurry;
  if (!in_time) return fmt::format("was ended, since it took longer than {} s", kMost.count());
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return fmt::format("exited with code {}", WEXITSTATUS(status));
  return "";
}

Hooks::Hooks(const SweepSpec& spec, std::string sweep_id, std::filesystem::path directory,
             std::shared_ptr<Listener> display, StopSignal stop)
    : spec_(spec),
      sweep_id_(std::move(sweep_id)),
      directory_(std::move(directory)),
      display_(std::move(display)),
      stop_(std::move(stop)) {}

Hooks::~Hooks() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

HookEnvironment Hooks::about_sweep(const std::string& hook) const {
  return {{"HDRIVE_HOOK", hook},
          {"HDRIVE_SWEEP_ID", sweep_id_},
          {"HDRIVE_SWEEP_NAME", spec_.name},
          {"HDRIVE_SWEEP_DIR", directory_.string()},
          {"HDRIVE_METRIC", spec_.primary_metric}};
}

void Hooks::on_change(const Change& change, const SweepState& state) {
  const auto* ended = std::get_if<RunEnded>(&change);
  if (!ended || spec_.on_run_end.empty()) return;
  const History& history = state.history();
  const auto best = history.incumbent();
  Job job{ended->run, about_sweep("run_end")};
  const HookEnvironment more = {
      {"HDRIVE_RUN_ID", run_id(sweep_id_, ended->run)},
      {"HDRIVE_RUN_NUMBER", std::to_string(ended->run)},
      {"HDRIVE_RUN_DIR", run_directory(directory_, ended->run).string()},
      {"HDRIVE_ATTEMPT", std::to_string(ended->attempt)},
      {"HDRIVE_STATUS", std::string(to_string(ended->status))},
      {"HDRIVE_ENDED_BY", std::string(to_string(ended->cause))},
      {"HDRIVE_REASON", ended->reason},
      {"HDRIVE_EXIT_CODE", ended->exit_code ? std::to_string(*ended->exit_code) : ""},
      {"HDRIVE_VALUE", number_or_nothing(history.best(ended->run))},
      {"HDRIVE_PARAMETERS", to_json(history.run(ended->run).parameters)},
      {"HDRIVE_BEST_RUN", best ? std::to_string(*best) : ""},
      {"HDRIVE_BEST_VALUE", best ? number_or_nothing(history.best(*best)) : ""}};
  job.environment.insert(job.environment.end(), more.begin(), more.end());
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  changed_.notify_all();
}

void Hooks::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || (!jobs_.empty() && !gave_up_); });
    if (jobs_.empty()) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    std::string fault = run_hook(spec_.on_run_end, job.environment, spec_.source_directory,
                                 [this] { return in_a_hurry(); });
    lock.lock();
    busy_ = false;
    // The others would hang as well.
    gave_up_ = gave_up_ || fault == kEndedInAHurry;
    if (!fault.empty()) warnings_.emplace_back(job.run, "on_run_end " + fault);
    changed_.notify_all();
  }
}

void Hooks::on_turn(const SweepState& state, Time now) {
  std::vector<std::pair<RunId, std::string>> warnings;
  {
    const std::lock_guard lock(mutex_);
    warnings.swap(warnings_);
  }
  for (const auto& [run, text] : warnings)
    display_->on_change(Noted{Noted::Level::warning, run, text, now}, state);
}

std::vector<std::string> Hooks::finish(const Result<SweepSummary>& summary) {
  const std::function<bool()> hurry = [this] { return in_a_hurry(); };
  patient_level_ = std::min(stop_.level(), 1);
  std::vector<std::string> warnings;
  {
    std::unique_lock lock(mutex_);
    const auto done = [this] { return (jobs_.empty() || gave_up_) && !busy_; };
    for (const Patience patience(hurry, kAllInAHurry); !done() && !patience.is_over();)
      changed_.wait_for(lock, Patience::kSlice, done);
    for (const auto& [run, text] : warnings_)
      warnings.push_back(fmt::format("run {}: {}", run, text));
    if (!jobs_.empty())
      warnings.push_back(
          fmt::format("on_run_end: {} did not get their turn",
                      base::plural(static_cast<long long>(jobs_.size()), "command")));
    warnings_.clear();
    jobs_.clear();
  }
  if (spec_.on_end.empty()) return warnings;
  HookEnvironment environment = about_sweep("end");
  const SweepSummary none;
  const SweepSummary& of = summary ? *summary : none;
  const HookEnvironment more = {
      {"HDRIVE_STATUS",
       std::string(sweep_status_text(summary ? of.status : SweepStatus::failed, of.end))},
      {"HDRIVE_ENDED_BY", std::string(to_string(summary ? of.end : SweepEnd::error))},
      {"HDRIVE_REASON", summary ? of.reason : summary.error().message()},
      {"HDRIVE_RUNS", std::to_string(of.runs)},
      {"HDRIVE_COMPLETED", std::to_string(of.completed)},
      {"HDRIVE_FAILED", std::to_string(of.failed)},
      {"HDRIVE_BEST_RUN", of.best ? std::to_string(*of.best) : ""},
      {"HDRIVE_BEST_VALUE", of.best ? base::shortest(of.best_value) : ""},
      {"HDRIVE_BEST_RUN_DIR", of.best ? run_directory(directory_, *of.best).string() : ""}};
  environment.insert(environment.end(), more.begin(), more.end());
  if (std::string fault = run_hook(spec_.on_end, environment, spec_.source_directory, hurry);
      !fault.empty())
    warnings.push_back("on_end " + fault);
  return warnings;
}

}  // namespace hdrive::cli
