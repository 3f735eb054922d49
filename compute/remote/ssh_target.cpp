// SPDX-License-Identifier: Apache-2.0
//
// The ssh target: what is asked of it, and which run goes where; ssh_exchange.cpp has what the
// hosts answer.
#include "compute/remote/ssh_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "compute/remote/gang_target.h"
#include "compute/remote/mirror.h"
#include "compute/remote/ssh_client.h"
#include "compute/run_directory.h"

namespace hdrive::compute::remote {
namespace {

constexpr Duration kConnectPatience = std::chrono::minutes{2};
// How soon the directory of a run that has ended is looked at again.
constexpr Duration kReadAgain = std::chrono::milliseconds{20};

std::string sweep_of(const RunRequest& request) {
  const std::string end = "_" + std::to_string(request.run);
  return request.run_id.ends_with(end)
             ? request.run_id.substr(0, request.run_id.size() - end.size())
             : request.run_id;
}

}  // namespace

Result<std::shared_ptr<SshTarget>> SshTarget::make(const SshOptions& options,
                                                   const LocalTargetOptions& runs,
                                                   std::shared_ptr<Clock> clock,
                                                   Duration fence_margin) {
  if (options.hosts.empty())
    return Error{"hosts", "name at least one machine: {host: node1}", Error::Kind::invalid};
  std::set<std::string> labels;
  for (const SshHost& host : options.hosts) {
    if (host.host.empty() || host.host.find_first_of("/\n") != std::string::npos ||
        host.host.starts_with("-"))
      return Error{"hosts", base::json_string(host.host) + " is no name of a machine",
                   Error::Kind::invalid};
    if (!labels.insert(label_of(host)).second)
      return Error{"hosts", label_of(host) + " is there twice; give it more `slots` instead",
                   Error::Kind::invalid};
  }
  std::shared_ptr<SshTarget> target(new SshTarget(options, runs, std::move(clock), fence_margin));
  if (auto ready = target->prepare(); !ready) return ready.error();
  return target;
}

SshTarget::SshTarget(const SshOptions& options, const LocalTargetOptions& runs,
                     std::shared_ptr<Clock> clock, Duration fence_margin)
    : options_(options), read_(runs), clock_(std::move(clock)), fence_margin_(fence_margin) {}

Result<void> SshTarget::prepare() {
  if (auto opened = point_.open("connections"); !opened) return opened;
  LocalTargetOptions read = read_;
  read.devices = {};
  read.environment = nullptr;
  read.elsewhere = nullptr;
  read.tensorboard_metrics = false;  // the agent has made lines of metrics.jsonl of them
  auto local = LocalTarget::make(read, clock_);
  if (!local) return local.error();
  local_ = *std::move(local);
  for (std::size_t i = 0; i < options_.hosts.size(); ++i) {
    Host& host = hosts_.emplace_back();
    host.options = options_.hosts[i];
    host.label = label_of(host.options);
    host.slots = host.options.slots;
    host.link =
        std::make_unique<Connection>(ssh_way(options_, host.options), point_.descriptor(), i);
  }
  return {};
}

std::string SshTarget::describe() const {
  std::vector<std::string> labels;
  for (const Host& host : hosts_) labels.push_back(host.label);
  return "ssh: " + base::join(labels, ", ");
}

// Nothing while a host has not been asked how many processors it has.
std::optional<TargetCapacity> SshTarget::capacity() const {
  TargetCapacity capacity;
  std::vector<std::string> limits;
  for (const Host& host : hosts_) {
    if (host.slots == 0) return std::nullopt;
    capacity.runs += host.slots;
    limits.push_back(fmt::format("{} on {}", host.slots, host.label));
  }
  capacity.limit = "slots of the hosts: " + base::join(limits, ", ");
  return capacity;
}

Result<void> SshTarget::check(const RunRequest& request) const {
  const std::string place = "run " + std::to_string(request.run);
  if (request.arguments.empty())
    return Error{place, "there is no program to start; give a command", Error::Kind::invalid};
  if (runs_.contains(request.run)) return Error{place, "it is running already"};
  return {};
}

void SshTarget::note_sweep(const RunRequest& request) {
  if (!sweep_.empty()) return;
  sweep_ = sweep_of(request);
  resources_ = request.resources;
  if (request.distribution.type != DistributionType::none)
    resources_.cpus *= processes_on_a_node(request.resources, request.distribution);
  for (Host& host : hosts_)
    if (host.state == Host::State::greeted) open(host);
}

std::int64_t SshTarget::used(std::size_t host) const {
  return std::count_if(runs_.begin(), runs_.end(), [&](const auto& entry) {
    return entry.second.host == host && entry.second.stage != Run::Stage::fetched;
  });
}

std::optional<std::size_t> SshTarget::roomiest(RunId run) const {
  std::optional<std::size_t> best;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i].state != Host::State::ready || hosts_[i].abandoned.contains(run)) continue;
    const std::int64_t room = hosts_[i].slots - used(i);
    if (room > most) best = i;
    most = std::max(most, room);
  }
  return best;
}

// Whether one may take a run soon that has not said so yet.
bool SshTarget::any_connecting() const {
  return std::any_of(hosts_.begin(), hosts_.end(), [](const Host& host) {
    return host.state == Host::State::down ? !host.tried : host.state != Host::State::ready;
  });
}

Error SshTarget::why_nowhere() const {
  std::string why;
  for (const Host& host : hosts_)
    if (host.state == Host::State::down)
      why += (why.empty() ? "" : "; ") + host.label + ": " + host.why;
  const bool any_ready = std::any_of(hosts_.begin(), hosts_.end(), [](const Host& host) {
    return host.state == Host::State::ready;
  });
  if (any_ready)
    return {"", "all slots of the hosts are in use" + (why.empty() ? "" : " (" + why + ")"),
            Error::Kind::busy};
  return {"", "no host can be reached: " + why, Error::Kind::not_found};
}

Result<void> SshTarget::start(const RunRequest& request) {
  if (auto sound = check(request); !sound) return sound;
  note_sweep(request);
  if (!roomiest(request.run) && !any_connecting()) {
    wanted_ = true;
    return why_nowhere();
  }
  if (auto made = prepare_mirror(request); !made) return made;
  base::UniqueFd mlflow;
  // Of a run over several hosts the first one's directory is the run's own.
  if (read_.elsewhere && request.directory.parent_path().filename() != "nodes") {
    auto made = make_mlflow_metrics(request.directory);
    if (!made) discard_attempt(request.directory, "");
    if (!made) return made.error();
    mlflow = *std::move(made);
  }
  Run& run = runs_[request.run];
  run.request = with_variables(request);
  follow_mlflow(run, std::move(mlflow));
  place();
  return {};
}

// One after the other, in the order of their numbers, where there is most room.
void SshTarget::place() {
  for (auto at = runs_.begin(); at != runs_.end();) {
    const auto run = at++;
    if (run->second.stage != Run::Stage::waiting) continue;
    if (const auto host = roomiest(run->first))
      submit(run->first, run->second, *host);
    else if (!any_connecting())
      refused(run, why_nowhere());
  }
}

void SshTarget::submit(RunId, Run& run, std::size_t index) {
  run.host = index;
  run.stage = Run::Stage::preparing;
  Host& host = hosts_[index];
  const Workspace& workspace = run.request.workspace;
  const auto [known, is_new] = host.snapshots.try_emplace(workspace.snapshot, false);
  if (workspace.snapshot.empty() || known->second) return send_start(run);
  if (!is_new) return;
  // Where it cannot be read here, the run's start is refused there for want of it.
  const auto text = snapshot_text(workspace.store, workspace.snapshot);
  if (!text) {
    host.snapshots.erase(known);
    const auto found = runs_.find(run.request.run);
    return refused(found, of_all_runs(text.error()));
  }
  host.link->send({{"is", "snapshot"}, {"id", workspace.snapshot}, {"text", *text}});
}

void SshTarget::send_start(Run& run) {
  Connection& link = *hosts_[*run.host].link;
  const auto later = [&](std::function<Message()> make) { link.send_later(std::move(make)); };
  if (!run.request.resume_from.empty())
    send_folder(run.request.resume_from, kResumeFolder, run.request.run, later);
  // A process may look for a checkpoint that rank 0 has written.
  if (run.request.attempt > 1 && run.request.node > 0)
    send_folder(run_of_node(run.request.directory) / "checkpoints", "checkpoints", run.request.run,
                later);
  if (run.request.attempt > 1) send_what_is_left(run.request.directory, run.request.run, later);
  link.send({{"is", "start"}, {"request", message_of(run.request)}});
  run.stage = Run::Stage::sent;
  if (leases()) run.lease_grace = run.request.cancel_grace;
}

Result<void> SshTarget::adopt(std::span<const RunRequest> requests) {
  for (const RunRequest& request : requests) {
    if (auto sound = check(request); !sound) return sound;
    const auto host = std::find_if(hosts_.begin(), hosts_.end(),
                                   [&](const Host& one) { return one.label == request.handle; });
    if (!request.handle.empty() && host == hosts_.end() &&
        !is_complete(request.directory, request.attempt))
      return Error{"run " + std::to_string(request.run),
                   "it is on " + request.handle +
                       ", which is none of this target's hosts any more; name it again, with "
                       "the `port` it had, so that the run is found",
                   Error::Kind::not_found};
  }
  for (const RunRequest& request : requests) {
    note_sweep(request);
    Run& run = runs_[request.run];
    run.request = with_variables(request);
    run.accepted = !request.handle.empty();
    const auto host = std::find_if(hosts_.begin(), hosts_.end(),
                                   [&](const Host& one) { return one.label == request.handle; });
    if (host != hosts_.end()) run.host = static_cast<std::size_t>(host - hosts_.begin());
    run.stage = Run::Stage::asked;
    if (is_complete(request.directory, request.attempt)) {
      end_collecting(request.directory);
      auto adopted = local_->adopt(std::span(&request, 1));
      if (!adopted) return adopted;
      run.stage = Run::Stage::fetched;
      ++fetched_;
      continue;
    }
    auto mlflow = base::open_regular(request.directory / kMlflowMetrics);
    if (mlflow) follow_mlflow(run, *std::move(mlflow));
    for (std::size_t i = 0; i < hosts_.size(); ++i)
      if (hosts_[i].state == Host::State::ready && run.host.value_or(i) == i) ask(run, i);
  }
  return {};
}

void SshTarget::cancel(RunId id, CancelMode mode) {
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  Run& run = found->second;
  if (run.stage == Run::Stage::waiting || run.stage == Run::Stage::preparing) {
    told_.emplace_back(RunNotFound{id, run.request.attempt});
    discard_attempt(run.request.directory, "");
    return forget(found);
  }
  if (run.cancel != CancelMode::kill) run.cancel = mode;
  if (run.stage == Run::Stage::fetched) return local_->cancel(id, mode);
  send_cancel(id, run);
}

// Where there is no contact it is said as soon as there is.
void SshTarget::send_cancel(RunId id, const Run& run) {
  if (!run.cancel || !run.host || hosts_[*run.host].state != Host::State::ready) return;
  hosts_[*run.host].link->send(
      {{"is", "cancel"}, {"run", id}, {"kill", *run.cancel == CancelMode::kill}});
}

// ---- waiting ------------------------------------------------------------------------------------

void SshTarget::wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) {
  const std::stop_callback wake(stop, [this] { point_.wake(); });
  while (true) {
    Time now = clock_->now();
    give_up(now);
    connect(now);
    place();
    read_fetched(now);
    read_mlflow(now);
    const bool done = !told_.empty() || stop.stop_requested() || now >= deadline;
    const auto ready = point_.wait(done ? Duration{0} : next_moment(deadline) - now);
    for (const std::uint64_t host : ready) exchange(host);
    if (!done) continue;
    place();  // a host may be ready now
    std::move(told_.begin(), told_.end(), std::back_inserter(events));
    told_.clear();
    return;
  }
}

Readiness SshTarget::readiness() {
  return {point_.descriptor(), told_.empty() ? next_moment(Time::max()) : clock_->now()};
}

Time SshTarget::next_moment(Time deadline) const {
  Time next = deadline;
  if (fetched_ > 0) next = std::min(next, clock_->now() + kReadAgain);
  if (read_.elsewhere && !runs_.empty()) next = std::min(next, next_mlflow_);
  for (const Host& host : hosts_) {
    if (host.state == Host::State::down && (!runs_.empty() || wanted_ || !host.tried))
      next = std::min(next, host.next_try);
    if (host.state == Host::State::connecting || host.state == Host::State::opening)
      next = std::min(next, host.since + kConnectPatience);
  }
  for (const auto& [id, run] : runs_)
    next = std::min({next, run.ask_again.value_or(next), dead_by(run).value_or(next)});
  return next;
}

void SshTarget::connect(Time now) {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    Host& host = hosts_[i];
    const bool waits = host.state == Host::State::connecting || host.state == Host::State::opening;
    if (waits && now >= host.since + kConnectPatience)
      lose(i, {"", "there was no answer for two minutes", Error::Kind::not_found});
    const bool needed = !runs_.empty() || wanted_ || !host.tried;
    if (host.state != Host::State::down || now < host.next_try || !needed) continue;
    host.since = now;
    host.state = Host::State::connecting;
    if (auto opened = host.link->open(now); !opened) lose(i, opened.error());
  }
  for (auto& [id, run] : runs_) {
    if (!run.ask_again || now < *run.ask_again) continue;
    run.ask_again.reset();
    for (std::size_t i = 0; i < hosts_.size(); ++i)
      if (run.stage == Run::Stage::asked && hosts_[i].state == Host::State::ready &&
          run.host.value_or(i) == i)
        ask(run, i);
  }
}

// Runs that have ended are told from the directories that were fetched.
void SshTarget::read_fetched(Time now) {
  if (fetched_ == 0) return;
  std::vector<TargetEvent> events;
  local_->wait(now, {}, events);
  for (TargetEvent& event : events) {
    const auto* exited = std::get_if<RunExited>(&event);
    const auto* vanished = std::get_if<RunVanished>(&event);
    const auto* began = std::get_if<RunBegan>(&event);
    const RunId id = exited ? exited->run : vanished ? vanished->run : began ? began->run : -1;
    const auto found = runs_.find(id);
    if (began && found != runs_.end() && std::exchange(found->second.began, true)) continue;
    // The number of a process of another machine.
    if (began) std::get<RunBegan>(event).pid = 0;
    told_.push_back(std::move(event));
    if ((exited || vanished) && found != runs_.end()) {
      --fetched_;
      runs_.erase(found);
    }
  }
}

}  // namespace hdrive::compute::remote

namespace hdrive {

Result<std::shared_ptr<ComputeTarget>> make_ssh_target(const SshOptions& options,
                                                       const LocalTargetOptions& runs,
                                                       std::shared_ptr<Clock> clock,
                                                       std::int64_t nodes) {
  constexpr std::chrono::seconds kLeast{30};
  if (options.lost_after.count() != 0 && options.lost_after < kLeast)
    return Error{
        "lost_after",
        "a host that is busy may take as long to answer; give at least 30 seconds, or 0 to "
        "wait for ever",
        Error::Kind::invalid};
  if (nodes > 1) {
    auto gangs = compute::remote::GangTarget::make(options, runs, std::move(clock), nodes);
    if (!gangs) return gangs.error();
    return std::shared_ptr<ComputeTarget>(*std::move(gangs));
  }
  auto target = compute::remote::SshTarget::make(options, runs, std::move(clock));
  if (!target) return target.error();
  return std::shared_ptr<ComputeTarget>(*std::move(target));
}

}  // namespace hdrive
