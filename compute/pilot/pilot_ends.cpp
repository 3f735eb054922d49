// SPDX-License-Identifier: Apache-2.0
//
// The pilot target, fourth part: what became of the runs of an allocation that is over. Slurm's word is not enough: a
// node that was cut off may live on, and some ways of Slurm to find a job's processes miss some.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "compute/pilot/pilot_files.h"
#include "compute/pilot/pilot_target.h"
#include "compute/run_directory.h"
#include "compute/run_records.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute::pilot {
namespace {

namespace fs = std::filesystem;

// Missed signs of life until what gives them is taken for dead; more where Slurm knows nothing of the job: that one may
// be cut off for a while.
constexpr int kTouchesMissed = 3;
constexpr int kTouchesMissedUnknown = 12;

bool same(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

// By this machine's clock alone: how long nothing has changed.
bool PilotTarget::is_silent(Life& life, const fs::path& file, const Allocation& at,
                            Time now) const {
  struct stat status {};
  const base::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  const bool there = fd && ::fstat(fd.get(), &status) == 0;
  if (!life.since || (there && !same(status.st_mtim, life.beat))) {
    life.beat = status.st_mtim;
    life.since = now;
    return false;
  }
  const int missed = at.status.over() ? kTouchesMissed : kTouchesMissedUnknown;
  return now >= *life.since + timing_.beat * protocol::kBeatsPerTouch * missed;
}

bool PilotTarget::is_dead(Allocation& at, Node& node, Time now) const {
  std::error_code error;
  node.gone = node.gone || fs::exists(at.folder / (kGonePrefix + node.name), error);
  return node.gone || is_silent(node.life, at.folder / (kNodePrefix + node.name), at, now);
}

void PilotTarget::settle(Time now) {
  for (auto entry = runs_.begin(); entry != runs_.end();) {
    const auto run = entry++;
    if (run->second.stage == Run::Stage::settling && !settle(run, now))
      out_of_reach(run->second, run->second.at->why);
  }
}

// False: it cannot be said yet.
bool PilotTarget::settle(Runs::iterator entry, Time now) {
  Run& run = entry->second;
  Allocation& at = *run.at;
  const RunRequest& request = run.request;
  if (!at.over) return false;
  if (run.node && !is_dead(at, *run.node, now)) return false;
  std::error_code error;
  if (fs::exists(at.folder / kRevoked / mark_of(request.run, request.attempt), error)) {
    never_began(entry);
    return true;
  }
  if (auto revoked = revoke_claims(request.directory); !revoked) return false;
  const auto record = read_supervisor_record(request.directory);
  const auto end = read_exit_record(request.directory);
  if (!record || !end) return false;
  if (*end && (*end)->attempt == request.attempt) {
    run.lost = !run.cancel && !(*end)->over_time && looks_ended_by_slurm(**end);
    read_directory(run);
    return true;
  }
  if (!*record || (*record)->attempt != request.attempt) {
    never_began(entry);
    return true;
  }
  const bool dead = run.node && run.node->gone;
  if (!dead && !is_silent(run.life, request.directory / "supervisor.json", at, now)) {
    // Its supervisor may have lost its holder and Slurm, but it looks for this once a second.
    (void)base::write_file_atomically(
        request.directory / (protocol::kCancelPrefix + std::to_string(request.attempt)), "kill\n");
    return false;
  }
  read_directory(run);
  return true;
}

// It goes to another node. A run of an earlier engine is that one's to start.
void PilotTarget::never_began(Runs::iterator entry) {
  Run& run = entry->second;
  const RunRequest& request = run.request;
  discard_attempt(request.directory, "");
  if (run.adopted || run.cancel) {
    told_.emplace_back(RunNotFound{entry->first, request.attempt});
    return forget(entry);
  }
  const std::string mark = mark_of(request.run, request.attempt);
  for (const char* where : {kTaken, kGiven, kRevoked})
    ::unlink((run.at->folder / where / mark).c_str());
  run.at = nullptr;
  run.node = nullptr;
  run.stage = Run::Stage::waiting;
  run.life = {};
  reachable(run);
}

// All of it is dead. What its directory tells is read as that of a local run.
void PilotTarget::read_directory(Run& run) {
  ::unlink((run.request.directory / (protocol::kCancelPrefix + std::to_string(run.request.attempt)))
               .c_str());
  if (auto adopted = local_->adopt(std::span(&run.request, 1)); !adopted)
    return out_of_reach(run, adopted.error().message());
  run.stage = Run::Stage::read;
  ++reading_;
}

void PilotTarget::read_ended(Time now) {
  if (reading_ == 0) return;
  std::vector<TargetEvent> events;
  local_->wait(now, {}, events);
  for (TargetEvent& event : events) {
    const RunId id = std::visit(
        [](const auto& each) -> RunId {
          if constexpr (std::is_same_v<std::decay_t<decltype(each)>, TargetNote>)
            return each.run.value_or(-1);
          else
            return each.run;
        },
        event);
    const auto entry = runs_.find(id);
    if (entry == runs_.end()) {
      told_.push_back(std::move(event));
      continue;
    }
    Run& run = entry->second;
    if (auto* began = std::get_if<RunBegan>(&event)) {
      if (std::exchange(run.began, true)) continue;
      began->pid = 0;  // the number of a process of another machine
    }
    const bool exited = std::holds_alternative<RunExited>(event);
    if (exited && run.lost) event = RunVanished{id, run.request.attempt, ""};
    auto* vanished = std::get_if<RunVanished>(&event);
    if (vanished)
      vanished->note = run.at->why + (vanished->note.empty() ? "" : "; " + vanished->note);
    const bool ended = exited || vanished || std::holds_alternative<RunNotFound>(event) ||
                       std::holds_alternative<RunDeferred>(event);
    told_.push_back(std::move(event));
    if (!ended) continue;
    --reading_;
    forget(entry);
  }
}

}  // namespace hdrive::compute::pilot
