// SPDX-License-Identifier: Apache-2.0
//
// The pilot target, third part: the nodes of allocations that have begun, which run goes to which,
// and what their agents answer.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "compute/pilot/pilot_files.h"
#include "compute/pilot/pilot_target.h"
#include "compute/run_directory.h"

namespace hdrive::compute::pilot {
namespace {

constexpr Duration kConnectPatience = std::chrono::minutes{2};
constexpr Duration kFirstPause = std::chrono::seconds{1};
constexpr Duration kLongestPause = std::chrono::minutes{1};
constexpr Duration kAskAgain = std::chrono::seconds{10};

}  // namespace

// ---- connections --------------------------------------------------------------------------------

void PilotTarget::connect(Time now) {
  for (Allocation& at : allocations_) {
    if (at.over) continue;
    for (Node& node : at.nodes) {
      const bool waits =
          node.state == Node::State::connecting || node.state == Node::State::opening;
      if (waits && now >= node.since + kConnectPatience)
        lose(at, node, "there was no answer for two minutes");
      if (node.gone || node.state != Node::State::down || now < node.next_try) continue;
      node.since = now;
      node.state = Node::State::connecting;
      if (auto opened = node.link->open(now); !opened) lose(at, node, opened.error().message());
    }
  }
  for (auto& [id, run] : runs_) {
    if (!run.ask_again || now < *run.ask_again) continue;
    run.ask_again.reset();
    if (run.stage == Run::Stage::asked && run.node->state == Node::State::ready) ask(run);
  }
}

void PilotTarget::exchange(Allocation& at, Node& node) {
  if (at.over || !node.link->is_open()) return;
  std::vector<Message> arrived;
  const auto result = node.link->exchange(arrived);
  try {
    for (const Message& message : arrived) {
      if (node.state == Node::State::down) return;  // one of them has ended it
      take(at, node, message);
    }
  } catch (const Message::exception&) {
    return lose(at, node, "hdrive's agent there says what is not understood");
  }
  if (!result && node.state != Node::State::down) lose(at, node, result.error().message());
}

// Its runs go on. Whether the allocation is over Slurm is asked at once.
void PilotTarget::lose(Allocation& at, Node& node, const std::string& why) {
  node.link->close();
  node.state = Node::State::down;
  node.why = why;
  node.pause = std::clamp(2 * node.pause, kFirstPause, kLongestPause);
  node.next_try = clock_->now() + node.pause;
  if (at.absent < 2) next_ask_ = std::min(next_ask_, clock_->now());
  next_look_ = Time{};
  for (auto& [id, run] : runs_) {
    if (run.node != &node || run.at != &at) continue;
    if (run.stage != Run::Stage::sent && run.stage != Run::Stage::live &&
        run.stage != Run::Stage::asked)
      continue;
    run.stage = Run::Stage::asked;
    out_of_reach(run, node.name + ": " + why);
  }
}

void PilotTarget::take(Allocation& at, Node& node, const Message& message) {
  const std::string is = message.at("is");
  if (is == "hello") return take_hello(node, message);
  if (is == "failed") return lose(at, node, remote::error_in(message.at("error")).message());
  if (is == "opened") {
    node.state = Node::State::ready;
    node.pause = {};
    at.useful = true;
    if (message.contains("runs"))
      node.slots = std::min(node.slots, message.at("runs").get<std::int64_t>());
    for (auto& [id, run] : runs_)
      if (run.stage == Run::Stage::asked && run.node == &node) ask(run);
    return;
  }
  if (is == "note") {
    if (auto note = remote::event_in(message)) told_.push_back(*std::move(note));
    return;
  }
  const auto run = runs_.find(message.at("run").get<RunId>());
  if (run == runs_.end() || run->second.request.attempt != message.at("attempt")) return;
  if (run->second.node == &node) take_of_run(at, node, run, message);
}

// What the node has for the sweep's runs, and so how many of them it takes.
void PilotTarget::take_hello(Node& node, const Message& message) {
  const std::int64_t cpus = message.at("cpus"), gpus = std::ssize(message.at("gpus"));
  const std::uint64_t memory = message.at("memory");
  const RunResources& asked = resources_;
  node.slots = cpus / std::max<std::int64_t>(1, asked.cpus);
  std::string short_of;
  if (node.slots == 0) short_of = fmt::format("{} processors, and it has {}", asked.cpus, cpus);
  if (asked.gpus > 0) {
    const std::int64_t runs =
        asked.gpus < 1 ? gpus * static_cast<std::int64_t>(std::floor(1 / asked.gpus + 1e-9))
                       : gpus / static_cast<std::int64_t>(std::ceil(asked.gpus));
    if (runs == 0)
      short_of =
          fmt::format("{:g} GPUs, and it has {}: give the target `gres: gpu:N`", asked.gpus, gpus);
    node.slots = std::min(node.slots, runs);
  }
  if (asked.memory > 0 && memory > 0) {
    const auto runs = static_cast<std::int64_t>(memory / asked.memory);
    if (runs == 0)
      short_of = fmt::format("{} MB of memory, and it has {}", asked.memory >> 20, memory >> 20);
    node.slots = std::min(node.slots, runs);
  }
  node.state = Node::State::opening;
  node.since = clock_->now();
  node.link->send({{"is", "open"},
                   {"metric_patterns", read_.metric_patterns},
                   {"primary_metric", read_.primary_metric},
                   {"tensorboard_metrics", read_.tensorboard_metrics},
                   {"stderr_tail_lines", read_.stderr_tail_lines},
                   {"command_path", read_.command_path.native()},
                   {"beat", timing_.beat.count()},
                   {"mlflow", read_.elsewhere != nullptr},
                   {"gpus_per_run", node.slots > 0 ? asked.gpus : 0.0},
                   {"cpus_per_run", node.slots > 0 ? asked.cpus : 0}});
  if (!short_of.empty())
    defer_waiting({"",
                   fmt::format("a run asks for more than node {} of the allocation has for it: {}",
                               node.name, short_of),
                   Error::Kind::invalid});
}

// ---- sending runs -------------------------------------------------------------------------------

std::int64_t PilotTarget::used(const Node& node) const {
  return std::count_if(runs_.begin(), runs_.end(), [&](const auto& entry) {
    return entry.second.node == &node && entry.second.stage != Run::Stage::read;
  });
}

// One after the other, in the order of their numbers, where there is most room.
void PilotTarget::place(Time now) {
  struct Room {
    Allocation* at;
    Node* node;
    std::int64_t slots;
  };
  std::vector<Room> rooms;
  for (auto entry = runs_.begin(); entry != runs_.end();) {
    const auto run = entry++;
    if (run->second.stage != Run::Stage::waiting) continue;
    if (rooms.empty()) {
      for (Allocation& at : allocations_)
        for (Node& node : at.nodes)
          if (is_open(at) && node.state == Node::State::ready)
            rooms.push_back({&at, &node, node.slots - used(node)});
      if (rooms.empty()) return;
    }
    Room* best = nullptr;
    for (Room& room : rooms)
      if (room.slots > 0 && fits(*room.at, run->second, now) && (!best || room.slots > best->slots))
        best = &room;
    if (!best) continue;
    --best->slots;
    send(run->second, *best->at, *best->node);
  }
}

void PilotTarget::send(Run& run, Allocation& at, Node& node) {
  const auto mark = at.folder / kGiven / mark_of(run.request.run, run.request.attempt);
  if (auto written = base::write_file_atomically(mark, node.name + "\n"); !written)
    return refused(runs_.find(run.request.run), of_all_runs(written.error()));
  run.at = &at;
  run.node = &node;
  run.stage = Run::Stage::sent;
  node.link->send(message_of(run, "start"));
}

remote::Message PilotTarget::message_of(const Run& run, const char* is) const {
  const RunRequest& request = run.request;
  return {{"is", is},
          {"request", remote::message_of(request)},
          {"directory", request.directory.native()},
          {"source", request.workspace.source.native()},
          {"store", request.workspace.store.native()},
          {"keep", static_cast<int>(request.workspace.keep)}};
}

void PilotTarget::ask(Run& run) { run.node->link->send(message_of(run, "adopt")); }

// Where there is no contact it is said as soon as there is.
void PilotTarget::send_cancel(const Run& run) {
  if (!run.cancel || !run.node || run.node->state != Node::State::ready ||
      run.stage == Run::Stage::settling)
    return;
  run.node->link->send(
      {{"is", "cancel"}, {"run", run.request.run}, {"kill", *run.cancel == CancelMode::kill}});
}

// ---- what is answered ---------------------------------------------------------------------------

void PilotTarget::take_of_run(Allocation& at, Node& node, Runs::iterator entry,
                              const Message& message) {
  Run& run = entry->second;
  const std::string is = message.at("is");
  if (is == "started" || is == "adopted") return found(run);
  if (is == "missing run") return not_there(entry);
  if (is == "refused") return refused(entry, remote::error_in(message.at("error")));
  if (is == "unclear") {
    run.ask_again = clock_->now() + kAskAgain;
    return out_of_reach(run, node.name + ": " + remote::error_in(message.at("error")).message());
  }
  auto event = remote::event_in(message);
  if (!event) return;
  if (auto* reported = std::get_if<RunReported>(&*event)) run.request.cursor = reported->cursor;
  if (std::holds_alternative<RunBegan>(*event) && std::exchange(run.began, true)) return;
  if (const auto* deferred = std::get_if<RunDeferred>(&*event))
    return refused(entry, deferred->why);
  const bool exited = std::holds_alternative<RunExited>(*event);
  // Slurm ends all of a job's processes, with SIGTERM first. The next attempt goes on elsewhere.
  if (exited && message.at("canceled").get<bool>() && !run.cancel)
    event = RunVanished{entry->first, run.request.attempt,
                        fmt::format("it was told to end by Slurm, or by somebody else, as was its "
                                    "allocation (job {})",
                                    at.job)};
  const bool ended = exited || std::holds_alternative<RunVanished>(*event);
  told_.push_back(*std::move(event));
  if (ended) forget(entry);
}

void PilotTarget::found(Run& run) {
  run.stage = Run::Stage::live;
  if (!std::exchange(run.accepted, true))
    told_.emplace_back(RunAccepted{run.request.run, run.request.attempt, run.at->job});
  reachable(run);
  send_cancel(run);
}

// Nor will it be: its node has no agent that was told of it any more, and no claim of it is left.
void PilotTarget::not_there(Runs::iterator entry) {
  Run& run = entry->second;
  if (run.stage != Run::Stage::asked) return;
  if (!run.began) return never_began(entry);
  told_.emplace_back(
      RunVanished{entry->first, run.request.attempt, "its directory is gone, and how it ended"});
  forget(entry);
}

// Nothing of it is anywhere.
void PilotTarget::refused(Runs::iterator entry, const Error& why) {
  const Run& run = entry->second;
  const RunId id = entry->first;
  const int attempt = run.request.attempt;
  if (lies_outside(why.kind)) {
    told_.emplace_back(RunDeferred{id, attempt, why});
  } else {
    RunExited exited{id, attempt, std::nullopt, std::nullopt};
    exited.not_started = true;
    exited.note = why.message();
    told_.emplace_back(std::move(exited));
  }
  forget(entry);
}

}  // namespace hdrive::compute::pilot
