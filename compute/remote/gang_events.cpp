// SPDX-License-Identifier: Apache-2.0
//
// Runs over several hosts, second half: what their parts tell, and what that makes of the run.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "compute/remote/gang_record.h"
#include "compute/remote/gang_target.h"
#include "compute/run_directory.h"

namespace hdrive::compute::remote {
namespace {

RunId run_of(const TargetEvent& event) {
  return std::visit(
      [](const auto& each) -> RunId {
        if constexpr (std::is_same_v<std::decay_t<decltype(each)>, TargetNote>)
          return each.run.value_or(-1);
        else
          return each.run;
      },
      event);
}

bool went_well(const RunExited& exited) { return exited.exit_code == 0 && !exited.not_started; }

}  // namespace

void GangTarget::take(std::size_t host, TargetEvent event) {
  if (std::holds_alternative<TargetNote>(event)) return told_.push_back(std::move(event));
  const auto found = gangs_.find(run_of(event));
  if (found == gangs_.end()) return;
  Gang& gang = found->second;
  const auto at = std::find_if(gang.parts.begin(), gang.parts.end(),
                               [&](const Part& part) { return part.host == host; });
  if (at == gang.parts.end() || at->over) return;
  Part& part = *at;
  const std::size_t node = static_cast<std::size_t>(part.request.node);
  const std::string& label = hosts_[host].label;
  std::string why;
  if (std::holds_alternative<RunAccepted>(event)) {
    part.accepted = true;
  } else if (const auto* began = std::get_if<RunBegan>(&event)) {
    if (began->ran) part.began = clock_->now() - *began->ran;
  } else if (auto* reported = std::get_if<RunReported>(&event)) {
    report(gang, part, std::move(*reported));
  } else if (const auto* lost = std::get_if<RunUnreachable>(&event)) {
    part.unreachable = true;
    part.asked = false;
    why = lost->why;
  } else if (std::holds_alternative<RunReachable>(event)) {
    part.accepted = true;
    part.unreachable = false;
    gang.relayed.clear();  // it may have missed some
  } else {
    part.over = true;
    part.unreachable = false;
    if (auto* exited = std::get_if<RunExited>(&event)) {
      const bool well = went_well(*exited);
      if (!exited->note.empty()) exited->note = label + ": " + exited->note;
      part.exited = std::move(*exited);
      if (!well) end(gang, {Fault::Kind::failed, node, {}, ""});
    } else if (const auto* deferred = std::get_if<RunDeferred>(&event)) {
      end(gang, {Fault::Kind::put_off, node, deferred->why, ""});
    } else if (const auto* vanished = std::get_if<RunVanished>(&event)) {
      part.gone = true;
      end(gang, {Fault::Kind::lost, node, {}, label + ": " + vanished->note});
    } else {
      part.gone = true;
      end(gang, {Fault::Kind::not_found, node, {}, "nothing of it is on " + label});
    }
  }
  tell_contact(gang, why);
}

// Out of reach is a run of which a part is.
void GangTarget::tell_contact(Gang& gang, const std::string& why) {
  const bool unreachable = std::any_of(gang.parts.begin(), gang.parts.end(),
                                       [](const Part& part) { return part.unreachable; });
  if (std::exchange(gang.unreachable, unreachable) == unreachable) return;
  const RunId run = gang.request.run;
  if (unreachable)
    told_.emplace_back(RunUnreachable{run, gang.request.attempt, why});
  else
    told_.emplace_back(RunReachable{run, gang.request.attempt});
}

// Those of rank 0, which is on the first node, unless all count.
void GangTarget::report(Gang& gang, Part& part, RunReported reported) {
  const bool all = gang.request.distribution.metrics_of_all;
  if (part.request.node > 0 && !all) return;
  tell_began(gang);
  part.request.cursor = reported.cursor;
  if (all) {
    std::vector<std::string> cursors;
    for (const Part& each : gang.parts) cursors.push_back(each.request.cursor);
    reported.cursor = gang_cursor(cursors);
  }
  gang.request.cursor = reported.cursor;
  told_.push_back(std::move(reported));
}

void GangTarget::tell_began(Gang& gang) {
  if (std::exchange(gang.began, true)) return;
  RunBegan began{gang.request.run, gang.request.attempt};
  // Of a run that was found again: since when it runs. Else it has just been told to.
  const auto& since = gang.parts.front().began;
  if (since && gang.adopted) began.ran = clock_->now() - *since;
  told_.emplace_back(began);
}

// The first fault decides; the other parts are ended.
void GangTarget::end(Gang& gang, Fault fault) {
  if (gang.fault || gang.canceled) return;
  const bool put_off = fault.kind == Fault::Kind::put_off;
  gang.fault = std::move(fault);
  cancel_parts(gang, put_off ? CancelMode::kill : CancelMode::graceful);
}

// ---- bringing them together ---------------------------------------------------------------------

void GangTarget::go_on(Gangs::iterator at) {
  Gang& gang = at->second;
  if (gang.parts.empty()) return;
  const auto all = [&](auto holds) {
    return std::all_of(gang.parts.begin(), gang.parts.end(), holds);
  };
  if (all([](const Part& part) { return part.over; })) return finish(at);
  if (gang.fault || gang.canceled) return;
  if (!all([](const Part& part) { return part.accepted || part.over; })) return;
  if (!std::exchange(gang.accepted, true)) {
    std::vector<std::string> labels;
    for (const Part& part : gang.parts) labels.push_back(hosts_[part.host].label);
    told_.emplace_back(RunAccepted{at->first, gang.request.attempt, gang_handle(labels)});
  }
  gather(gang);
  relay(gang);
}

// The first part that is there says which port is free on its host, which is the first node's unless
// that is over already; then the others are told.
void GangTarget::gather(Gang& gang) {
  for (Part& part : gang.parts) {
    if (part.over) continue;
    if (!part.gathered && !part.asked && !part.unreachable) {
      std::vector<std::string> addresses;
      for (const Part& each : gang.parts) addresses.push_back(hosts_[each.host].target->address());
      hosts_[part.host].target->gather(gang.request.run, addresses, gang.port);
      part.asked = true;
    }
    if (!gang.port) return;
  }
}

void GangTarget::take_gathered(std::size_t host, const SshTarget::Gathered& gathered) {
  const auto found = gangs_.find(gathered.run);
  if (found == gangs_.end() || found->second.request.attempt != gathered.attempt) return;
  Gang& gang = found->second;
  for (Part& part : gang.parts) {
    if (part.host != host || part.over) continue;
    if (!gathered.port)
      return end(gang, {Fault::Kind::put_off, static_cast<std::size_t>(part.request.node),
                        gathered.port.error(), ""});
    part.gathered = true;
    if (!gang.port) gang.port = *gathered.port;
    if (part.request.node == 0 && !gang.fault) tell_began(gang);
  }
}

// Parameter servers serve until the workers of all nodes have ended, which each node says in a file that
// the others have to find (supervisor/members.cpp).
void GangTarget::relay(Gang& gang) {
  if (gang.request.distribution.parameter_servers == 0) return;
  for (const Part& from : gang.parts) {
    const std::string path = fmt::format("processes/done-{}", from.request.node);
    if (gang.relayed.contains(path) || ::access((from.request.directory / path).c_str(), F_OK) != 0)
      continue;
    // One that cannot be reached now would not get it; it is said to all again then.
    if (gang.unreachable) continue;
    gang.relayed.insert(path);
    for (const Part& to : gang.parts)
      if (to.host != from.host && !to.over) hosts_[to.host].target->pass_on(gang.request.run, path);
  }
}

// ---- ends ---------------------------------------------------------------------------------------

TargetEvent GangTarget::end_of(const Gang& gang) const {
  const RunId run = gang.request.run;
  const int attempt = gang.request.attempt;
  const auto& fault = gang.fault;
  const bool began = gang.began || gang.adopted;
  if (fault && fault->kind == Fault::Kind::put_off && !began) {
    Error why = fault->why;
    why.what = why.message();
    why.where.clear();
    return RunDeferred{run, attempt, std::move(why)};
  }
  if (fault && fault->kind == Fault::Kind::not_found && !gang.began && !gang.accepted)
    return RunNotFound{run, attempt};
  if (fault && fault->kind == Fault::Kind::put_off)
    return RunVanished{run, attempt, fault->why.message()};
  if (fault && fault->kind != Fault::Kind::failed) return RunVanished{run, attempt, fault->note};
  const std::size_t node = fault ? fault->node : 0;
  const Part* decides = &gang.parts[node];
  // Cancelled before all had begun, or with a host that was lost.
  for (const Part& part : gang.parts)
    if (!decides->exited && part.exited) decides = &part;
  const bool any_gone =
      std::any_of(gang.parts.begin(), gang.parts.end(), [](const Part& part) { return part.gone; });
  if (!decides->exited)
    return any_gone && gang.began ? TargetEvent(RunVanished{run, attempt, "its hosts were lost"})
                                  : TargetEvent(RunNotFound{run, attempt});
  RunExited exited = *decides->exited;
  for (const Part& part : gang.parts) {
    if (&part == decides || !part.exited) continue;
    const RunExited& other = *part.exited;
    if (other.cpu_time) exited.cpu_time = exited.cpu_time.value_or(Duration{}) + *other.cpu_time;
    if (other.peak_memory)
      exited.peak_memory = std::max(exited.peak_memory.value_or(0), *other.peak_memory);
    if (other.ran) exited.ran = std::max(exited.ran.value_or(Duration{}), *other.ran);
    if (!exited.over_time) exited.over_time = other.over_time;
  }
  return exited;
}

void GangTarget::finish(Gangs::iterator at) {
  const Gang& gang = at->second;
  const auto& directory = gang.request.directory;
  TargetEvent event = end_of(gang);
  // It began under an earlier engine, and nobody could be asked any more.
  if (gang.adopted && std::holds_alternative<RunExited>(event)) tell_began(at->second);
  if (std::holds_alternative<RunDeferred>(event) || std::holds_alternative<RunNotFound>(event)) {
    // Nothing of the user's has run.
    for (const Part& part : gang.parts) discard_attempt(part.request.directory, "");
    remove_gang_record(directory, gang.parts.size());
    discard_attempt(directory, "");
  } else {
    for (std::size_t node = 1; node < gang.parts.size(); ++node) gather_processes(directory, node);
    if (gang.fault && gang.fault->kind == Fault::Kind::failed && gang.fault->node > 0)
      take_end_of_node(directory, gang.fault->node,
                       hosts_[gang.parts[gang.fault->node].host].label);
  }
  told_.push_back(std::move(event));
  gangs_.erase(at);
}

}  // namespace hdrive::compute::remote
