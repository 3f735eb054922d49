// SPDX-License-Identifier: Apache-2.0
//
// The pilot target, second part: allocations. One is asked for when a run waits for which none is there, and given back
// when no run has needed it for a while. What Slurm says of its job and what lies in its folder tell how it stands.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "compute/pilot/pilot_files.h"
#include "compute/pilot/pilot_target.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute::pilot {
namespace {

namespace fs = std::filesystem;

// Beyond time limit and grace period of a run: until its supervisor has written how it ended.
constexpr Duration kTimeBeyond = std::chrono::seconds{30};
// So many answers in a row that do not name a job mean that it is not known.
constexpr int kTimesMissing = 2;
constexpr std::size_t kMostLogBytes = 4 << 10;
constexpr int kLogLines = 5;

std::string with_word(std::string sentence, const JobStatus& status) {
  return status.word.empty() ? sentence : sentence + " (" + status.word + ")";
}

bool lies_there(const fs::path& file) {
  // To open it is to ask the file server.
  return base::UniqueFd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC))
             .get() >= 0;
}

}  // namespace

bool PilotTarget::is_open(const Allocation& at) const { return !at.over; }

// Whether the run would end there by its own limit. One that is longer than any allocation may begin anywhere.
bool PilotTarget::fits(const Allocation& at, const Run& run, Time now) const {
  if (!at.ends || run.request.time_limit.count() == 0) return true;
  const Duration longest = run.request.time_limit + run.request.cancel_grace + kTimeBeyond;
  return longest >= at.longest || now + longest <= *at.ends;
}

PilotPlace PilotTarget::place_of(const Allocation& at) const {
  return {commands_folder_, agent_, at.folder};
}

// ---- asking for one -----------------------------------------------------------------------------

void PilotTarget::request_allocation(Time now) {
  const auto waiting = std::find_if(runs_.begin(), runs_.end(), [](const auto& entry) {
    return entry.second.stage == Run::Stage::waiting;
  });
  if (waiting == runs_.end()) return;
  for (const Allocation& at : allocations_)
    if (is_open(at) && fits(at, waiting->second, now)) return;
  Allocation& at = allocations_.emplace_back();
  const std::string token =
      fmt::format("{}-{}-{}", ::getpid(), now.time_since_epoch().count(), ++made_);
  at.folder = folder_ / token;
  at.name = prefix_ + token;
  at.used = now;
  if (auto submitted = submit(at); !submitted) {
    end(at, submitted.error().message());
    defer_waiting(submitted.error());
  }
}

Result<void> PilotTarget::submit(Allocation& at) {
  const PilotPlace place = place_of(at);
  for (const fs::path& folder : {at.folder, at.folder / kGiven, at.folder / kTaken})
    if (auto made = base::make_directories(folder, 1); !made) return made;
  const auto script = at.folder / "job.sh";
  if (auto written = base::write_file_atomically(
          script, pilot_script(options_, place, timing_.beat * protocol::kBeatsPerTouch));
      !written)
    return written;
  if (auto made = touch(at.folder / kClaim); !made) return made;
  const auto words = system_->submit(job_of_allocation(options_, place, at.name));
  if (!words) return words.error();
  auto started = commands_.start(
      *words, clock_->now() + timing_.command_limit,
      [this, folder = at.folder](const CommandOutput& output) { take_submission(folder, output); });
  if (!started) return started;
  at.submitting = true;
  return {};
}

void PilotTarget::take_submission(const fs::path& folder, const CommandOutput& output) {
  const auto found = std::find_if(allocations_.begin(), allocations_.end(),
                                  [&](const Allocation& each) { return each.folder == folder; });
  const auto job = system_->submitted(output);
  if (found == allocations_.end() || found->over) {
    if (job) to_cancel_.insert(*job);
    return;
  }
  Allocation& at = *found;
  at.submitting = false;
  at.known = clock_->now();
  next_ask_ = std::min(next_ask_, at.known + timing_.poll);
  next_look_ = Time{};
  if (job) {
    if (at.job.empty()) at.job = *job;
    return;
  }
  // It may have got there all the same. Without a claim it ends at once; where the claim is gone it runs.
  if (::unlink((at.folder / kClaim).c_str()) != 0 && lies_there(at.folder / kBegun)) {
    at.begun = true;
    return;
  }
  end(at, job.error().message());
  defer_waiting(job.error());
}

// What has kept an allocation from being there keeps all that wait from running, for a while or for good.
void PilotTarget::defer_waiting(const Error& why) {
  for (auto at = runs_.begin(); at != runs_.end();) {
    const auto run = at++;
    if (run->second.stage == Run::Stage::waiting) refused(run, why);
  }
}

// ---- how it stands ------------------------------------------------------------------------------

void PilotTarget::read_folder(Allocation& at) {
  if (at.job.empty() || !at.begun) {
    // The job that has the claim, whatever sbatch has said.
    const auto text = base::read_file(at.folder / kJob, 256);
    if (const std::string job(text ? base::trim(*text) : std::string_view()); !job.empty()) {
      if (!at.job.empty() && at.job != job) to_cancel_.insert(at.job);
      at.job = job;
      at.begun = true;
      at.status = {};
      at.known = clock_->now();
    }
  }
  if (!at.begun) return;
  std::error_code error;
  for (fs::directory_iterator entry(at.folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string file = entry->path().filename().string();
    const bool gone = file.starts_with(kGonePrefix);
    if (!gone && !file.starts_with(kNodePrefix)) continue;
    const std::string name = file.substr(std::string_view(gone ? kGonePrefix : kNodePrefix).size());
    auto node = std::find_if(at.nodes.begin(), at.nodes.end(),
                             [&](const Node& each) { return each.name == name; });
    if (node == at.nodes.end()) {
      node = at.nodes.emplace(at.nodes.end());
      node->name = name;
      node->mark = ++marks_;
      node->link = std::make_unique<remote::Connection>(
          way_to_node(options_, place_of(at), at.job, name), point_.descriptor(), node->mark);
    }
    node->gone = gone;
  }
}

void PilotTarget::ask_for_states(Time now) {
  if (asking_ || now < next_ask_) return;
  std::vector<std::string> jobs;
  bool any = false;
  for (const Allocation& at : allocations_) {
    if (at.over || at.submitting) continue;
    any = true;
    if (!at.job.empty()) jobs.push_back(at.job);
  }
  if (!any) return;
  next_ask_ = now + timing_.poll;
  auto started = commands_.start(system_->status(jobs).front(), now + timing_.command_limit,
                                 [this, jobs, now](const CommandOutput& output) {
                                   asking_ = false;
                                   const auto states = system_->states(output, jobs);
                                   if (!states) return lose_contact(states.error().what);
                                   no_contact_.clear();
                                   for (auto& [id, run] : runs_)
                                     if (run.stage == Run::Stage::waiting) reachable(run);
                                   match(*states, now);
                                   std::vector<std::string> missing;
                                   for (const Allocation& at : allocations_)
                                     if (is_missing(at, now) && !at.job.empty())
                                       missing.push_back(at.job);
                                   if (history_ && !missing.empty())
                                     return ask_history(std::move(missing), now);
                                   count_absent(now);
                                 });
  asking_ = static_cast<bool>(started);
  if (!started) lose_contact(started.error().message());
}

// squeue forgets a job some minutes after its end; sacct, where it is set up, does not.
void PilotTarget::ask_history(std::vector<std::string> jobs, Time asked) {
  auto started =
      commands_.start(system_->history(jobs), clock_->now() + timing_.command_limit,
                      [this, asked](const CommandOutput& output) {
                        asking_ = false;
                        const auto states = system_->past_states(output);
                        history_ = static_cast<bool>(states);  // not set up: not asked for again
                        if (states) match(*states, asked);
                        count_absent(asked);
                      });
  asking_ = static_cast<bool>(started);
  if (started) return;
  history_ = false;
  count_absent(asked);
}

// Whether the answer to the question of that time ought to have named it and did not.
bool PilotTarget::is_missing(const Allocation& at, Time asked) {
  return !at.over && !at.submitting && at.known <= asked && at.seen != asked;
}

void PilotTarget::match(const std::vector<JobStatus>& states, Time asked) {
  for (Allocation& at : allocations_) {
    if (at.over || at.submitting) continue;
    const auto found = std::find_if(states.begin(), states.end(), [&](const JobStatus& each) {
      return at.job.empty() ? each.name == at.name && !each.over() : each.job == at.job;
    });
    if (found == states.end()) continue;
    at.status = *found;
    at.job = found->job;
    at.seen = asked;
    at.absent = 0;
    if (found->left && at.begun) {
      at.ends = asked + *found->left;
      at.longest = std::max<Duration>(at.longest, *found->left);
    }
    judge(at);
  }
  // Whose folder nobody has, or who came second: a submission whose answer was lost.
  for (const JobStatus& status : states) {
    if (status.over() || !status.name.starts_with(prefix_)) continue;
    const auto own = std::find_if(allocations_.begin(), allocations_.end(), [&](const auto& each) {
      return each.name == status.name && !each.over;
    });
    const bool wanted = own != allocations_.end() && (own->submitting || !own->begun ||
                                                      own->job.empty() || own->job == status.job);
    if (!wanted) to_cancel_.insert(status.job);
  }
}

void PilotTarget::count_absent(Time asked) {
  const Duration soon = std::min<Duration>(timing_.poll, std::chrono::seconds{1});
  for (Allocation& at : allocations_) {
    if (!is_missing(at, asked)) continue;
    if (++at.absent == 1) next_ask_ = std::min(next_ask_, asked + soon);
    judge(at);
  }
}

void PilotTarget::judge(Allocation& at) {
  const std::string job = at.job.empty() ? "the allocation" : "the allocation (job " + at.job + ")";
  const bool queued = at.begun && at.status.state == JobState::queued;
  if (at.absent < kTimesMissing && !at.status.over() && !queued) return;
  if (at.absent >= kTimesMissing) {
    // A controller that was killed may have forgotten a job that is there.
    const bool speaks = std::any_of(at.nodes.begin(), at.nodes.end(), [](const Node& node) {
      return node.state == Node::State::ready;
    });
    if (speaks) return;
    at.status = {};
    return end(at, "Slurm knows nothing of " + job + " any more");
  }
  if (queued) {
    to_cancel_.insert(at.job);
    return end(at, job + " was taken from its nodes and put back into the queue");
  }
  // Of two jobs of one submission it may be the second, which has found no claim.
  if (!at.begun && lies_there(at.folder / kBegun) && !lies_there(at.folder / kJob)) return;
  read_folder(at);
  if (!at.status.over()) return;
  std::string why = job + " ended";
  if (at.status.end == JobEnd::time_limit) why = job + " had used up its time";
  if (at.status.end == JobEnd::node || at.status.end == JobEnd::preempted)
    why = job + " was taken from its nodes";
  if (at.status.state == JobState::canceled) why = job + " was cancelled by somebody else";
  why = with_word(why, at.status);
  const bool taken = at.status.state == JobState::canceled || at.status.end == JobEnd::node ||
                     at.status.end == JobEnd::preempted;
  const bool useless = !at.useful;
  const auto log = base::read_file_end(at.folder / "job.log", kMostLogBytes);
  end(at, why);
  if (!useless) return;
  // Another one would end as soon; who waits is told why, and when to try again is not decided here.
  if (log && !base::trim(*log).empty())
    why += ": " + base::to_utf8(base::tail(*log, kLogLines, kMostLogBytes));
  defer_waiting(
      {"", why + "; it had taken no run", taken ? Error::Kind::busy : Error::Kind::not_found});
}

void PilotTarget::lose_contact(const std::string& why) {
  no_contact_ = why;
  for (auto& [id, run] : runs_)
    if (run.stage == Run::Stage::waiting && run.accepted) out_of_reach(run, why);
}

// Who waits for an allocation that Slurm has, waits in a queue.
void PilotTarget::tell_accepted() {
  const auto at = std::find_if(allocations_.begin(), allocations_.end(),
                               [](const auto& each) { return !each.over && !each.job.empty(); });
  if (at == allocations_.end()) return;
  for (auto& [id, run] : runs_)
    if (run.stage == Run::Stage::waiting && !std::exchange(run.accepted, true))
      told_.emplace_back(RunAccepted{id, run.request.attempt, at->job});
}

// ---- its end ------------------------------------------------------------------------------------

// Whatever lives there is to end: whoever finds the file ends it, also on a node that was cut off.
void PilotTarget::end(Allocation& at, const std::string& why) {
  if (std::exchange(at.over, true)) return;
  at.why = why;
  ::unlink((at.folder / kClaim).c_str());
  (void)touch(at.folder / kOver);
  ::rename((at.folder / kGiven).c_str(), (at.folder / kRevoked).c_str());
  next_look_ = Time{};
  for (Node& node : at.nodes) {
    node.link->close();
    node.state = Node::State::down;
  }
  for (auto& [id, run] : runs_)
    if (run.at == &at && run.stage != Run::Stage::read) run.stage = Run::Stage::settling;
}

void PilotTarget::give_back(Time now) {
  const bool wanted = any_waiting();
  for (Allocation& at : allocations_) {
    if (at.over) continue;
    const bool has_runs = std::any_of(runs_.begin(), runs_.end(),
                                      [&](const auto& entry) { return entry.second.at == &at; });
    if (wanted || has_runs)
      at.used = now;
    else if (now >= at.used + options_.idle)
      give_up(at);
  }
}

void PilotTarget::give_up(Allocation& at) {
  if (!at.job.empty()) to_cancel_.insert(at.job);
  end(at, "it was given back");
}

void PilotTarget::cancel_jobs() {
  if (to_cancel_.empty()) return;
  const std::vector<std::string> jobs(to_cancel_.begin(), to_cancel_.end());
  to_cancel_.clear();
  // What does not get through: the job ends by itself, since its folder says so or is gone.
  for (const auto& words : system_->cancel(jobs))
    (void)commands_.start(words, clock_->now() + timing_.command_limit,
                          [](const CommandOutput&) {});
}

// Of an allocation that is over nothing is left when no run is.
void PilotTarget::clear_up() {
  std::erase_if(allocations_, [this](const Allocation& at) {
    const bool has_runs = std::any_of(runs_.begin(), runs_.end(),
                                      [&](const auto& entry) { return entry.second.at == &at; });
    if (!at.over || has_runs) return false;
    remove_folder(at.folder);
    return true;
  });
}

}  // namespace hdrive::compute::pilot
