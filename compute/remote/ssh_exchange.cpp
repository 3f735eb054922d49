// SPDX-License-Identifier: Apache-2.0
//
// The ssh target, second half: what hosts answer, and what becomes of their runs when a connection
// breaks.
#include <algorithm>
#include <set>
#include <utility>

#include "compute/remote/mirror.h"
#include "compute/remote/ssh_target.h"
#include "compute/run_directory.h"

namespace hdrive::compute::remote {
namespace {

constexpr Duration kFirstPause = std::chrono::seconds{1};
constexpr Duration kLongestPause = std::chrono::minutes{1};
constexpr Duration kAskAgain = std::chrono::seconds{10};

}  // namespace

void SshTarget::exchange(std::size_t index) {
  Host& host = hosts_[index];
  if (!host.link->is_open()) return;
  std::vector<Message> arrived;
  const auto result = host.link->exchange(arrived);
  try {
    for (const Message& message : arrived) {
      if (host.state == Host::State::down) return;  // one of them has ended it
      take(index, message);
    }
  } catch (const Message::exception&) {
    return lose(index, {"", "hdrive's agent there says what is not understood"});
  }
  if (!result && host.state != Host::State::down) lose(index, result.error());
}

// Its runs go on. What never was sent there may go elsewhere.
void SshTarget::lose(std::size_t index, const Error& why) {
  Host& host = hosts_[index];
  host.link->close();
  host.state = Host::State::down;
  host.tried = true;
  host.why = why.message();
  host.snapshots.clear();
  // Contact is found again before its lease is over, if there is any.
  const Duration longest =
      leases() ? std::clamp<Duration>(options_.lost_after / 4, kFirstPause, kLongestPause)
               : kLongestPause;
  host.pause = std::clamp(2 * host.pause, kFirstPause, longest);
  host.next_try = clock_->now() + host.pause;
  for (auto& [id, run] : runs_) {
    if (run.stage == Run::Stage::preparing && run.host == index) {
      run.stage = Run::Stage::waiting;
      run.host.reset();
    } else if (run.stage == Run::Stage::sent && run.host == index) {
      run.unconfirmed = true;
      run.stage = Run::Stage::asked;
      out_of_reach(run, host.label + ": " + host.why);
    } else if ((run.stage == Run::Stage::live || run.stage == Run::Stage::asked) &&
               run.host.value_or(index) == index) {
      if (run.host) run.stage = Run::Stage::asked;
      out_of_reach(run, host.label + ": " + host.why);
    }
  }
}

void SshTarget::out_of_reach(Run& run, const std::string& why) {
  if (std::exchange(run.unreachable, true)) return;
  told_.emplace_back(RunUnreachable{run.request.run, run.request.attempt, why});
}

void SshTarget::open(Host& host) {
  host.state = Host::State::opening;
  host.since = clock_->now();
  std::vector<std::string> gpus = host.options.gpus;
  const bool all = std::find(gpus.begin(), gpus.end(), "auto") != gpus.end();
  if (all || (gpus.empty() && resources_.gpus > 0)) gpus = host.gpus;
  host.link->send({{"is", "open"},
                   {"sweep", sweep_},
                   {"host", host.label},
                   {"metric_patterns", read_.metric_patterns},
                   {"primary_metric", read_.primary_metric},
                   {"tensorboard_metrics", read_.tensorboard_metrics},
                   {"gpus", gpus},
                   {"gpus_per_run", resources_.gpus > 0 ? resources_.gpus : 1.0},
                   {"cpus_per_run", resources_.cpus},
                   {"first_in_path", options_.python},
                   {"lost_after", options_.lost_after.count()}});
}

void SshTarget::take_hello(Host& host, const Message& message) {
  host.processors = std::max<std::int64_t>(1, message.at("processors"));
  host.gpus = message.at("gpus").get<std::vector<std::string>>();
  host.address = message.at("address");
  host.state = Host::State::greeted;
  host.pause = {};
  if (!sweep_.empty()) open(host);
}

void SshTarget::take_opened(std::size_t index, const Message& message) {
  Host& host = hosts_[index];
  host.state = Host::State::ready;
  host.tried = true;
  wanted_ = false;
  clear_up(host);
  const std::int64_t a_run = std::max<std::int64_t>(1, resources_.cpus);
  // It may have come back as another machine.
  host.slots = host.options.slots > 0 ? host.options.slots
                                      : std::max<std::int64_t>(1, host.processors / a_run);
  if (message.contains("runs"))
    host.slots = std::min(host.slots, message.at("runs").get<std::int64_t>());
  for (auto& [id, run] : runs_)
    if (run.stage == Run::Stage::asked && run.host.value_or(index) == index) ask(run, index);
}

void SshTarget::ask(Run& run, std::size_t index) {
  const Message request = message_of(run.request);
  hosts_[index].link->send({{"is", "adopt"},
                            {"request", request},
                            {"have", files_here(run.request.directory, run.request.attempt)}});
}

// Contents of the snapshot that the host lacks; then the runs that wait for it.
void SshTarget::take_missing(std::size_t index, const Message& message) {
  Host& host = hosts_[index];
  const std::string id = message.at("id");
  const auto waits = [&](const auto& entry) {
    return entry.second.stage == Run::Stage::preparing && entry.second.host == index &&
           entry.second.request.workspace.snapshot == id;
  };
  const auto first = std::find_if(runs_.begin(), runs_.end(), waits);
  if (first == runs_.end()) {
    host.snapshots.erase(id);  // those that wanted it were cancelled
    return;
  }
  const std::filesystem::path store = first->second.request.workspace.store;
  std::set<std::pair<std::string, bool>> missing;
  for (const Message& entry : message.at("digests"))
    missing.emplace(entry.at(0).get<std::string>(), entry.at(1).get<bool>());
  const auto entries = read_snapshot(store, id);
  if (entries)
    for (const SnapshotEntry& entry : *entries) {
      if (missing.erase({entry.digest, entry.executable}) == 0) continue;
      host.link->send_later([store, entry]() -> Message {
        const auto content = read_content(store, entry);
        return {{"is", "content"},
                {"path", entry.path},
                {"digest", entry.digest},
                {"executable", entry.executable},
                {"bytes", bytes_of(content ? *content : std::string())}};
      });
    }
  host.link->send({{"is", "snapshot"}, {"id", id}});
  host.snapshots[id] = true;
  for (auto& entry : runs_)
    if (waits(entry)) send_start(entry.second);
}

void SshTarget::take(std::size_t index, const Message& message) {
  const std::string is = message.at("is");
  if (is == "hello") return take_hello(hosts_[index], message);
  if (is == "opened") return take_opened(index, message);
  if (is == "failed") return lose(index, error_in(message.at("error")));
  if (is == "missing") return take_missing(index, message);
  if (is == "lease") return grant(hosts_[index], message);
  if (is == "gathered") return take_gathered(message);
  if (is == "abandoned") {
    hosts_[index].abandoned.erase(message.at("run").get<RunId>());
    return;
  }
  if (is == "note") {
    auto note = event_in(message);
    std::get<TargetNote>(*note).note =
        hosts_[index].label + ": " + std::get<TargetNote>(*note).note;
    told_.push_back(*std::move(note));
    return;
  }
  const auto run = runs_.find(message.at("run").get<RunId>());
  if (run == runs_.end() || run->second.request.attempt != message.at("attempt")) return;
  take_of_run(index, is, run, message);
}

void SshTarget::take_of_run(std::size_t index, const std::string& is, Runs::iterator at,
                            const Message& message) {
  Run& run = at->second;
  if (is == "adopted") {
    run.lease_grace.reset();
    if (message.contains("lease_grace"))
      run.lease_grace = Duration{message.at("lease_grace").get<std::int64_t>()};
    return found(index, run);
  }
  if (is == "missing run") return not_found(index, at);
  if (is == "unclear") {
    run.ask_again = clock_->now() + kAskAgain;
    return out_of_reach(run, hosts_[index].label + ": " + error_in(message.at("error")).message());
  }
  if (run.host != index || run.stage == Run::Stage::fetched) return;
  if (is == "started") return found(index, run);
  if (is == "refused") return refused(at, error_in(message.at("error")));
  if (is == "part" || is == "folder" || is == "link") return store(index, run, message);
  if (is == "exited") return collected(index, at);
  if (is == "ending") {
    run.collecting = true;
    return begin_collecting(run.request.directory, run.request.attempt);
  }
  auto event = event_in(message);
  if (!event) return;
  if (auto* reported = std::get_if<RunReported>(&*event))
    note_position(run, reported->cursor, /*of_agent=*/true);
  if (std::holds_alternative<RunBegan>(*event) && std::exchange(run.began, true)) return;
  if (std::holds_alternative<RunDeferred>(*event))
    return refused(at, std::get<RunDeferred>(*event).why);
  const bool vanished = std::holds_alternative<RunVanished>(*event);
  if (vanished) read_rest_of_mlflow(at->first, run);
  told_.push_back(*std::move(event));
  if (!vanished) return;
  end_collecting(run.request.directory);
  hosts_[index].link->send({{"is", "remove"}, {"run", at->first}});
  forget(at);
}

// It is there, by its own start or by an earlier engine's.
void SshTarget::found(std::size_t index, Run& run) {
  run.host = index;
  run.stage = Run::Stage::live;
  run.unconfirmed = false;
  const RunId id = run.request.run;
  if (!std::exchange(run.accepted, true))
    told_.emplace_back(RunAccepted{id, run.request.attempt, hosts_[index].label});
  if (std::exchange(run.unreachable, false))
    told_.emplace_back(RunReachable{id, run.request.attempt});
  send_cancel(id, run);
}

void SshTarget::not_found(std::size_t index, Runs::iterator at) {
  Run& run = at->second;
  const RunId id = at->first;
  if (run.stage != Run::Stage::asked) return;
  if (run.unconfirmed && !run.cancel) {
    run.unconfirmed = false;
    return submit(id, run, index);
  }
  run.not_on.insert(index);
  if (!run.host && run.not_on.size() < hosts_.size()) return;
  const int attempt = run.request.attempt;
  read_rest_of_mlflow(id, run);
  if (run.began)
    told_.emplace_back(RunVanished{
        id, attempt, "its directory on " + hosts_[index].label + " is gone, and how it ended"});
  else
    told_.emplace_back(RunNotFound{id, attempt});
  if (!run.began) discard_attempt(run.request.directory, "");
  forget(at);
}

// Nothing of it is there.
void SshTarget::refused(Runs::iterator at, Error why) {
  const Run& run = at->second;
  const RunId id = at->first;
  const int attempt = run.request.attempt;
  if (run.host) {
    why.what = hosts_[*run.host].label + ": " + why.message();
    why.where.clear();
    hosts_[*run.host].snapshots.erase(run.request.workspace.snapshot);
  }
  discard_attempt(run.request.directory, "");
  if (lies_outside(why.kind)) {
    told_.emplace_back(RunDeferred{id, attempt, std::move(why)});
  } else {
    RunExited exited{id, attempt, std::nullopt, std::nullopt};
    exited.not_started = true;
    exited.note = why.message();
    told_.emplace_back(std::move(exited));
  }
  forget(at);
}

// A file that cannot be written here is asked for again by the next connection.
void SshTarget::store(std::size_t index, Run& run, const Message& message) {
  const auto stored = store_entry(run.request.directory, message, run.collecting);
  if (stored) return;
  told_.emplace_back(
      TargetNote{run.request.run, "a file of it cannot be fetched from " + hosts_[index].label +
                                      "; it is tried again: " + stored.error().message()});
  lose(index, {"", "a file could not be stored: " + stored.error().message()});
}

// All its files are here, and with them how it ended.
void SshTarget::collected(std::size_t index, Runs::iterator at) {
  Run& run = at->second;
  end_collecting(run.request.directory);
  run.mlflow.reset();  // it is read where the rest is, from where this has come to
  if (auto adopted = local_->adopt(std::span(&run.request, 1)); !adopted)
    return lose(index, adopted.error());
  run.stage = Run::Stage::fetched;
  ++fetched_;
  hosts_[index].link->send({{"is", "remove"}, {"run", at->first}});
}

void SshTarget::forget(Runs::iterator run) { runs_.erase(run); }

}  // namespace hdrive::compute::remote
