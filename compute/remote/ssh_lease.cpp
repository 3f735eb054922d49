// SPDX-License-Identifier: Apache-2.0
//
// The ssh target, third part: runs that count as lost because their host is out of reach. It is sure
// then that they are dead: each holds to a lease there (host_lease.h), which only this engine
// extends.
#include <fmt/format.h>

#include "compute/remote/mirror.h"
#include "compute/remote/ssh_target.h"

namespace hdrive::compute::remote {
namespace {

// Clocks go wrong by far less than this part of the time.
constexpr int kClockParts = 20;

std::string in_words(std::chrono::milliseconds time) {
  return fmt::format("{:g} s", std::chrono::duration<double>(time).count());
}

}  // namespace

// The host asked for it by its own clock before this moment, and counts from then. That the grant may
// get lost, or arrive late, makes no difference.
void SshTarget::grant(Host& host, const Message& message) {
  host.granted = clock_->now();
  host.link->send_first({{"is", "lease"}, {"at", message.at("at")}});
}

// When the run is sure to be gone from its host without a word from there. Nothing: never.
std::optional<Time> SshTarget::dead_by(const Run& run) const {
  const bool may_live = run.stage == Run::Stage::sent || run.stage == Run::Stage::asked ||
                        run.stage == Run::Stage::live;
  if (!leases() || !may_live || !run.host || !run.lease_grace) return std::nullopt;
  const Host& host = hosts_[*run.host];
  if (!host.granted) return std::nullopt;
  const Duration lease = options_.lost_after;
  return *host.granted + lease + lease / kClockParts + *run.lease_grace + fence_margin_;
}

void SshTarget::give_up(Time now) {
  if (!leases()) return;
  for (auto at = runs_.begin(); at != runs_.end();) {
    const auto run = at++;
    const auto moment = dead_by(run->second);
    if (!moment || now < *moment) continue;
    const std::size_t index = *run->second.host;
    Host& host = hosts_[index];
    // It is connected, as it seems, and yet has asked for no lease.
    if (host.state == Host::State::ready || host.state == Host::State::opening)
      lose(index, {"", "it does not answer any more"});
    const RunRequest& request = run->second.request;
    read_rest_of_mlflow(run->first, run->second);
    told_.emplace_back(RunVanished{
        run->first, request.attempt,
        fmt::format("{} was out of reach for longer than lost_after ({}), and its supervisor there "
                    "has ended it",
                    host.label, in_words(options_.lost_after))});
    end_collecting(request.directory);
    host.abandoned[run->first] = request;
    forget(run);
  }
}

// What those runs left there is removed, before any of them is started there again.
void SshTarget::clear_up(Host& host) {
  for (const auto& [run, request] : host.abandoned)
    host.link->send({{"is", "abandon"}, {"request", message_of(request)}});
}

}  // namespace hdrive::compute::remote
