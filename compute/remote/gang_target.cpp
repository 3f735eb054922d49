// SPDX-License-Identifier: Apache-2.0
//
// Runs over several hosts: which hosts they get, and what is asked of them; gang_events.cpp makes one
// run of what their parts tell.
#include "compute/remote/gang_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "compute/remote/gang_record.h"
#include "compute/remote/mirror.h"
#include "compute/remote/ssh_client.h"
#include "compute/run_directory.h"

namespace hdrive::compute::remote {
namespace {

// A part may wait on its host for the snapshot to arrive on the others. Its supervisor backs the time
// limit up, and counts from the beginning.
constexpr std::chrono::minutes kGathering{10};

}  // namespace

Result<std::shared_ptr<GangTarget>> GangTarget::make(const SshOptions& options,
                                                     const LocalTargetOptions& runs,
                                                     std::shared_ptr<Clock> clock,
                                                     std::int64_t nodes, Duration fence_margin) {
  // Names that are there twice, and what else no host may be.
  if (auto sound = SshTarget::make(options, runs, clock, fence_margin); !sound)
    return sound.error();
  if (static_cast<std::int64_t>(options.hosts.size()) < nodes)
    return Error{"hosts", *fault_of_nodes(options, nodes, DistributionType::pytorch),
                 Error::Kind::invalid};
  std::shared_ptr<GangTarget> target(new GangTarget(std::move(clock), nodes));
  if (auto ready = target->prepare(options, runs, fence_margin); !ready) return ready.error();
  return target;
}

Result<void> GangTarget::prepare(const SshOptions& options, const LocalTargetOptions& runs,
                                 Duration fence_margin) {
  if (auto opened = point_.open("connections"); !opened) return opened;
  for (const SshHost& host : options.hosts) {
    SshOptions alone = options;
    alone.hosts = {host};
    auto made = SshTarget::make(alone, runs, clock_, fence_margin);
    if (!made) return made.error();
    if (auto watched = point_.watch((*made)->readiness().descriptor, hosts_.size()); !watched)
      return watched;
    hosts_.push_back({label_of(host), *std::move(made)});
  }
  return {};
}

std::string GangTarget::describe() const {
  std::vector<std::string> labels;
  for (const Host& host : hosts_) labels.push_back(host.label);
  return fmt::format("ssh: {}, {} of them for each run", base::join(labels, ", "), nodes_);
}

std::optional<TargetCapacity> GangTarget::capacity() const {
  std::vector<std::int64_t> slots;
  std::vector<std::string> limits;
  for (const Host& host : hosts_) {
    const auto own = host.target->capacity();
    if (!own) return std::nullopt;
    slots.push_back(own->runs);
    limits.push_back(fmt::format("{} on {}", own->runs, host.label));
  }
  return TargetCapacity{
      runs_over_hosts(slots, static_cast<std::int64_t>(nodes_)),
      fmt::format("a run takes slots of {} hosts: {}", nodes_, base::join(limits, ", "))};
}

// ---- where runs go ------------------------------------------------------------------------------

// Those with most room; none: there are too few that have any. All of a run's slots are taken in one
// step, so that no two runs each have a part of what both need.
std::vector<std::size_t> GangTarget::hosts_for(RunId run) const {
  std::vector<std::pair<std::int64_t, std::size_t>> rooms;
  for (std::size_t i = 0; i < hosts_.size(); ++i)
    if (const auto room = hosts_[i].target->room(run); room.slots > 0)
      rooms.emplace_back(-room.slots, i);
  if (rooms.size() < nodes_) return {};
  std::sort(rooms.begin(), rooms.end());
  std::vector<std::size_t> hosts;
  for (std::size_t node = 0; node < nodes_; ++node) hosts.push_back(rooms[node].second);
  return hosts;
}

bool GangTarget::any_connecting() const {
  return std::any_of(hosts_.begin(), hosts_.end(),
                     [](const Host& host) { return host.target->room(-1).connecting; });
}

Error GangTarget::why_nowhere() const {
  std::vector<std::string> rooms;
  std::size_t reached = 0;
  for (const Host& host : hosts_) {
    const auto room = host.target->room(-1);
    reached += room.why.empty() ? 1 : 0;
    rooms.push_back(room.why.empty() ? fmt::format("{} has {}", host.label, room.slots)
                                     : host.label + ": " + room.why);
  }
  return {"",
          fmt::format("a run needs a free slot on each of {} hosts: {}", nodes_,
                      base::join(rooms, "; ")),
          reached >= nodes_ ? Error::Kind::busy : Error::Kind::not_found};
}

Result<void> GangTarget::start(const RunRequest& request) {
  const std::string place = "run " + std::to_string(request.run);
  if (request.arguments.empty())
    return Error{place, "there is no program to start; give a command", Error::Kind::invalid};
  if (gangs_.contains(request.run)) return Error{place, "it is running already"};
  if (request.distribution.type == DistributionType::none ||
      request.distribution.type == DistributionType::mpi ||
      request.resources.nodes != static_cast<std::int64_t>(nodes_))
    return Error{place,
                 fmt::format("this target has runs of {} nodes, distributed as pytorch or "
                             "tensorflow does",
                             nodes_),
                 Error::Kind::invalid};
  for (Host& host : hosts_) host.target->expect(request);
  if (hosts_for(request.run).empty() && !any_connecting()) return why_nowhere();
  gangs_[request.run].request = request;
  place_waiting();
  return {};
}

// In the order of their numbers: none overtakes one that waits for as many hosts.
void GangTarget::place_waiting() {
  for (auto at = gangs_.begin(); at != gangs_.end();) {
    const auto gang = at++;
    if (!gang->second.parts.empty()) continue;
    const auto hosts = hosts_for(gang->first);
    if (!hosts.empty())
      submit(gang->second, hosts);
    else if (!any_connecting())
      put_off(gang, why_nowhere());
  }
}

// Nothing of it is anywhere.
void GangTarget::put_off(Gangs::iterator gang, Error why) {
  told_.emplace_back(RunDeferred{gang->first, gang->second.request.attempt, std::move(why)});
  gangs_.erase(gang);
}

GangTarget::Part GangTarget::part_of(const RunRequest& request, std::size_t node,
                                     std::size_t host) {
  Part part;
  part.host = host;
  part.request = request;
  part.request.node = static_cast<int>(node);
  part.request.directory = directory_of_node(request.directory, node);
  part.request.handle.clear();
  part.request.cursor = cursor_of_node(request.cursor, node);
  if (request.time_limit.count() > 0) part.request.time_limit += kGathering;
  return part;
}

// Where its parts are is written down before the first of them is anywhere.
void GangTarget::submit(Gang& gang, const std::vector<std::size_t>& hosts) {
  const RunRequest& request = gang.request;
  GangRecord record{request.attempt, {}};
  for (std::size_t node = 0; node < hosts.size(); ++node) {
    gang.parts.push_back(part_of(request, node, hosts[node]));
    record.hosts.push_back(hosts_[hosts[node]].label);
  }
  auto done = write_gang_record(request.directory, record);
  for (Part& part : gang.parts) {
    if (done) done = hosts_[part.host].target->start(part.request);
    if (done) continue;
    part.over = true;
    end(gang, {Fault::Kind::put_off, 0, of_all_runs(done.error()), ""});
  }
}

// Those that have its parts; none: nothing of this attempt was ever sent to any.
Result<std::vector<std::size_t>> GangTarget::hosts_of(const RunRequest& request) const {
  std::vector<std::string> labels = hosts_in(request.handle);
  if (labels.empty()) {
    auto record = read_gang_record(request.directory);
    if (!record) return record.error();
    if (*record && (*record)->attempt == request.attempt) labels = (*record)->hosts;
  }
  std::vector<std::size_t> hosts;
  for (const std::string& label : labels) {
    const auto host = std::find_if(hosts_.begin(), hosts_.end(),
                                   [&](const Host& one) { return one.label == label; });
    if (host == hosts_.end())
      return Error{"run " + std::to_string(request.run),
                   "a part of it is on " + label +
                       ", which is none of this target's hosts any more; name it again, with the "
                       "`port` it had, so that the run is found",
                   Error::Kind::not_found};
    hosts.push_back(static_cast<std::size_t>(host - hosts_.begin()));
  }
  return hosts;
}

Result<void> GangTarget::adopt(std::span<const RunRequest> requests) {
  std::vector<std::vector<std::size_t>> places;
  for (const RunRequest& request : requests) {
    auto hosts = hosts_of(request);
    if (!hosts) return hosts.error();
    places.push_back(*std::move(hosts));
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const RunRequest& request = requests[i];
    if (places[i].empty()) {
      told_.emplace_back(RunNotFound{request.run, request.attempt});
      continue;
    }
    Gang& gang = gangs_[request.run];
    gang.request = request;
    gang.accepted = !request.handle.empty();
    gang.adopted = true;
    for (std::size_t node = 0; node < places[i].size(); ++node) {
      gang.parts.push_back(part_of(request, node, places[i][node]));
      const Part& part = gang.parts.back();
      auto adopted = hosts_[part.host].target->adopt(std::span(&part.request, 1));
      if (!adopted) return adopted;
    }
  }
  return {};
}

void GangTarget::cancel(RunId run, CancelMode mode) {
  const auto found = gangs_.find(run);
  if (found == gangs_.end()) return;
  Gang& gang = found->second;
  gang.canceled = true;
  if (!gang.parts.empty()) return cancel_parts(gang, mode);
  told_.emplace_back(RunNotFound{run, gang.request.attempt});
  gangs_.erase(found);
}

void GangTarget::cancel_parts(Gang& gang, CancelMode mode) {
  for (const Part& part : gang.parts)
    if (!part.over) hosts_[part.host].target->cancel(part.request.run, mode);
}

// ---- waiting ------------------------------------------------------------------------------------

// What the hosts have to tell, and what follows from it.
void GangTarget::look() {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    std::vector<TargetEvent> events;
    hosts_[i].target->wait(clock_->now(), {}, events);
    for (TargetEvent& event : events) take(i, std::move(event));
    for (const SshTarget::Gathered& each : hosts_[i].target->take_gathered())
      take_gathered(i, each);
  }
  place_waiting();
  for (auto at = gangs_.begin(); at != gangs_.end();) go_on(at++);
}

void GangTarget::wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) {
  const std::stop_callback wake(stop, [this] { point_.wake(); });
  while (true) {
    look();
    const Time now = clock_->now();
    if (!told_.empty() || stop.stop_requested() || now >= deadline) break;
    point_.wait(next_moment(deadline) - now);
  }
  std::move(told_.begin(), told_.end(), std::back_inserter(events));
  told_.clear();
}

Time GangTarget::next_moment(Time deadline) const {
  for (const Host& host : hosts_) deadline = std::min(deadline, host.target->readiness().latest);
  return deadline;
}

Readiness GangTarget::readiness() {
  return {point_.descriptor(), told_.empty() ? next_moment(Time::max()) : clock_->now()};
}

}  // namespace hdrive::compute::remote
