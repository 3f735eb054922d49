// SPDX-License-Identifier: Apache-2.0
#include "compute/pilot/node_agent.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include <utility>

#include "compute/pilot/pilot_files.h"
#include "compute/run_records.h"

namespace hdrive::compute::pilot {
namespace {

namespace fs = std::filesystem;

constexpr Duration kLongest = std::chrono::hours{1};
constexpr Duration kDoubt = std::chrono::milliseconds{250};

// By Slurm, as all of the job: nobody else sends it SIGTERM, which its holder has blocked for it.
bool was_told_to_end() {
  sigset_t pending;
  return ::sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

// How many processors this process may use: where Slurm keeps jobs to theirs, those of the job.
int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

RunRequest placed(const remote::Message& message) {
  RunRequest request = remote::request_in(message.at("request"));
  request.directory = message.at("directory").get<std::string>();
  request.workspace.source = message.at("source").get<std::string>();
  request.workspace.store = message.at("store").get<std::string>();
  request.workspace.keep = static_cast<KeepWork>(message.at("keep").get<int>());
  return request;
}

}  // namespace

NodeAgent::NodeAgent(fs::path folder, NodeShare share, std::uint64_t connection)
    : folder_(std::move(folder)), share_(std::move(share)), out_(connection) {}

void NodeAgent::serve(remote::Inbox& inbox) {
  send({{"is", "hello"}, {"cpus", share_.cpus}, {"memory", share_.memory}, {"gpus", share_.gpus}});
  std::stop_token stop;
  std::vector<TargetEvent> events;
  while (!out_.cut()) {
    if (!target_) inbox.wait();
    bool ended = false;
    for (const Message& message : inbox.take(stop, ended)) take(message);
    if (ended) return;
    if (!target_) continue;
    events.clear();
    const Time now = clock_->now();
    tell_doubtful(now);
    target_->wait(doubtful_.empty() ? now + kLongest : doubtful_.front().first, stop, events);
    for (const TargetEvent& event : events) tell(event);
  }
}

void NodeAgent::take(const Message& message) {
  const std::string is = message.at("is");
  if (is == "open") return open(message);
  if (!target_) return;
  if (is == "start") return start(message);
  if (is == "adopt") return adopt(message);
  if (is == "cancel")
    target_->cancel(message.at("run").get<RunId>(),
                    message.at("kill").get<bool>() ? CancelMode::kill : CancelMode::graceful);
}

void NodeAgent::open(const Message& message) {
  LocalTargetOptions options;
  options.metric_patterns = message.at("metric_patterns").get<std::vector<std::string>>();
  options.primary_metric = message.at("primary_metric");
  options.tensorboard_metrics = message.at("tensorboard_metrics");
  options.stderr_tail_lines = message.at("stderr_tail_lines");
  options.command_path = message.at("command_path").get<std::string>();
  // The allocation has them to itself: nobody else is to be told.
  if (message.at("gpus_per_run").get<double>() > 0) {
    options.devices.gpus = share_.gpus;
    options.devices.gpus_per_run = message.at("gpus_per_run");
  }
  // Where Slurm leaves a job all processors of its node, nobody knows which of them are the job's.
  if (usable_processors() == share_.cpus) options.devices.cpus_per_run = message.at("cpus_per_run");
  auto target = LocalTarget::make(options, clock_);
  if (!target) return send({{"is", "failed"}, {"error", remote::message_of(target.error())}});
  target_ = *std::move(target);
  SharedRuns shared;
  shared.spares = folder_ / ("spare-" + share_.node);
  shared.beat = std::chrono::milliseconds{message.at("beat").get<std::int64_t>()};
  shared.mlflow = message.at("mlflow");
  shared.permit = [this](const RunRequest& request) {
    const std::string mark = mark_of(request.run, request.attempt);
    return ::rename((folder_ / kGiven / mark).c_str(), (folder_ / kTaken / mark).c_str()) == 0;
  };
  target_->share(std::move(shared));
  Message opened = {{"is", "opened"}};
  if (const auto capacity = target_->capacity()) opened["runs"] = capacity->runs;
  send(opened);
}

void NodeAgent::start(const Message& message) {
  const RunRequest request = placed(message);
  Message answer = remote::about("started", request.run, request.attempt);
  if (auto started = target_->start(request); !started) {
    answer["is"] = "refused";
    answer["error"] = remote::message_of(started.error());
  } else {
    directories_[request.run] = request.directory;
  }
  send(answer);
}

void NodeAgent::adopt(const Message& message) {
  const RunRequest request = placed(message);
  const auto found = target_->attach(request);
  Message answer =
      remote::about(found && *found == LocalTarget::Found::something ? "adopted" : "missing run",
                    request.run, request.attempt);
  if (!found) {
    answer["is"] = "unclear";
    answer["error"] = remote::message_of(found.error());
  }
  directories_[request.run] = request.directory;
  send(answer);
}

// Slurm ends a job by SIGTERM to all its processes, one after the other: a program may be dead before its supervisor, or
// anybody else, has heard of it. An end that looks so is told when that would have come here, too.
void NodeAgent::tell(const TargetEvent& event) {
  Message message = remote::message_of(event);
  const auto* exited = std::get_if<RunExited>(&event);
  if (!exited) return send(message);
  const auto record = read_exit_record(directories_[exited->run]);
  const bool read = record && *record;
  message["canceled"] = read && (*record)->canceled;
  directories_.erase(exited->run);
  if (read && looks_ended_by_slurm(**record) && !(*record)->canceled)
    doubtful_.emplace_back(clock_->now() + kDoubt, std::move(message));
  else
    send(message);
}

void NodeAgent::tell_doubtful(Time now) {
  while (!doubtful_.empty() && doubtful_.front().first <= now) {
    Message& message = doubtful_.front().second;
    message["canceled"] = was_told_to_end();
    send(message);
    doubtful_.pop_front();
  }
}

}  // namespace hdrive::compute::pilot
