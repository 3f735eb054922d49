// SPDX-License-Identifier: Apache-2.0
//
// The pilot target: what is asked of it, and waiting. pilot_allocations.cpp asks for allocations, pilot_nodes.cpp sends
// runs to their nodes, pilot_ends.cpp looks at the runs of those that are over.
#include "compute/pilot/pilot_target.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "compute/batch/slurm.h"
#include "compute/pilot/pilot_files.h"
#include "compute/remote/agent_image.h"
#include "compute/run_directory.h"
#include "compute/run_records.h"

namespace hdrive::compute::pilot {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kCommandEnded = ~0ULL - 1;  // the mark of no node
constexpr Duration kReadAgain = std::chrono::milliseconds{20};

std::string run_name(const RunRequest& request) { return "run " + std::to_string(request.run); }

// "HD_1a2b3c4d-..._7" and "cluster": "hd-1a2b3c4d-cluster.pilot-", which is the beginning of no other target's.
std::string prefix_of(const RunRequest& request, const std::string& target) {
  constexpr std::size_t kLength = 8;
  std::string sweep;
  const std::string id = request.run_id.substr(0, request.run_id.rfind('_'));
  for (std::size_t i = id.starts_with("HD_") ? 3 : 0; i < id.size() && sweep.size() < kLength; ++i)
    if (std::isalnum(static_cast<unsigned char>(id[i]))) sweep += id[i];
  return "hd-" + sweep + "-" + target + ".pilot-";
}

}  // namespace

Result<std::shared_ptr<PilotTarget>> PilotTarget::make(
    const SlurmOptions& options, const std::string& name, const LocalTargetOptions& runs,
    std::shared_ptr<Clock> clock, const BatchTiming& timing, const fs::path& commands_folder) {
  if (const auto faults = slurm_faults(options); !faults.empty())
    return Error{faults.front().key, faults.front().what, Error::Kind::invalid};
  auto system = make_slurm_system(options_of_allocation(options), commands_folder);
  if (!system) return system.error();
  auto commands = Commands::make();
  if (!commands) return commands.error();
  std::shared_ptr<PilotTarget> target(new PilotTarget(options, name, runs, std::move(clock),
                                                      *std::move(system), *std::move(commands),
                                                      timing, commands_folder));
  if (auto ready = target->prepare(); !ready) return ready.error();
  return target;
}

PilotTarget::PilotTarget(const SlurmOptions& options, std::string name,
                         const LocalTargetOptions& runs, std::shared_ptr<Clock> clock,
                         std::unique_ptr<BatchSystem> system, Commands commands,
                         const BatchTiming& timing, fs::path folder_of_commands)
    : options_(options),
      name_(name.empty() ? "slurm" : std::move(name)),
      read_(runs),
      clock_(std::move(clock)),
      system_(std::move(system)),
      commands_(std::move(commands)),
      timing_(timing),
      commands_folder_(std::move(folder_of_commands)) {}

Result<void> PilotTarget::prepare() {
  if (auto opened = point_.open("commands"); !opened) return opened;
  if (auto watched = point_.watch(commands_.descriptor(), kCommandEnded); !watched) return watched;
  LocalTargetOptions read = read_;
  read.devices = {};
  read.environment = nullptr;
  read.elsewhere = nullptr;
  auto local = LocalTarget::make(read, clock_);
  if (!local) return local.error();
  local_ = *std::move(local);
  return {};
}

// A job that waits finds no claim when it starts, and holders whose folder is gone end.
PilotTarget::~PilotTarget() {
  if (!runs_.empty() || folder_.empty()) return;
  for (Allocation& at : allocations_)
    if (!at.over) give_up(at);
  cancel_jobs();
  remove_folder(folder_);
  std::error_code ignored;
  fs::remove(folder_.parent_path(), ignored);  // unless another target's is there
}

std::string PilotTarget::describe() const {
  return fmt::format("runs within an allocation of Slurm ({})",
                     base::plural(options_.nodes, "node"));
}

// Nothing as long as nobody knows how many processors a node has.
std::optional<TargetCapacity> PilotTarget::capacity() const {
  TargetCapacity capacity;
  for (const Allocation& at : allocations_)
    for (const Node& node : at.nodes)
      if (is_open(at) && node.state == Node::State::ready) capacity.runs += node.slots;
  const std::int64_t expected =
      options_.nodes * (options_.cpus / std::max<std::int64_t>(1, resources_.cpus));
  capacity.runs = std::max(capacity.runs, expected);
  if (capacity.runs == 0) return std::nullopt;
  capacity.limit = "the allocation of " + base::plural(options_.nodes, "node");
  return capacity;
}

// ---- taking runs over ---------------------------------------------------------------------------

Result<RunRequest> PilotTarget::complete(const RunRequest& request) const {
  if (request.arguments.empty())
    return Error{run_name(request), "there is no program to start; give a command",
                 Error::Kind::invalid};
  if (runs_.contains(request.run)) return Error{run_name(request), "it is there already"};
  if (request.resources.nodes > 1)
    return Error{
        run_name(request),
        fmt::format("it asks for {} nodes, and with pilot: true each run is on one node of "
                    "the allocation; send runs over several nodes to a target of type "
                    "slurm without pilot",
                    request.resources.nodes),
        Error::Kind::invalid};
  RunRequest result = request;
  if (const auto access = read_.elsewhere ? read_.elsewhere(request) : std::nullopt)
    result.environment.insert(result.environment.end(), access->environment.begin(),
                              access->environment.end());
  std::error_code error;
  const auto directory = fs::absolute(request.directory, error).lexically_normal();
  const auto parent = fs::weakly_canonical(directory.parent_path(), error);
  result.directory = error ? directory : parent / directory.filename();
  result.working_directory =
      fs::absolute(request.working_directory.empty() ? "." : request.working_directory, error)
          .lexically_normal();
  return result;
}

// Known from the first run on. What an earlier engine left there is taken over.
Result<void> PilotTarget::open_folder(const RunRequest& request) {
  if (!folder_.empty()) return {};
  resources_ = request.resources;
  if (request.distribution.type != DistributionType::none)
    resources_.cpus *= processes_on_a_node(request.resources, request.distribution);
  prefix_ = prefix_of(request, name_);
  const fs::path folder = request.directory.parent_path() / kFolder / name_;
  // A sweep's directory that is gone is not made anew.
  if (auto made = base::make_directories(folder, 3); !made) return of_all_runs(made.error());
  const fs::path agent = folder / ("agent-" + remote::agent_digest().substr(0, 16));
  std::error_code error;
  if (fs::file_size(agent, error) != remote::agent_image().size() || error)
    if (auto written = base::write_file_atomically(agent, remote::agent_image()); !written)
      return of_all_runs(written.error());
  if (::chmod(agent.c_str(), 0755) != 0)
    return of_all_runs(base::system_error(agent, "make executable", errno));
  folder_ = folder;
  agent_ = agent;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (!at->is_directory(error))
      continue;
    else if (at->path().extension() == kRemoved)
      remove_folder(at->path());
    else
      load(at->path());
  return {};
}

void PilotTarget::load(const fs::path& folder) {
  std::error_code error;
  Allocation& at = allocations_.emplace_back();
  at.folder = folder;
  at.name = prefix_ + folder.filename().string();
  at.known = at.used = clock_->now();
  const bool claimed = fs::exists(folder / kClaim, error);
  at.begun = fs::exists(folder / kBegun, error);
  at.useful = true;  // nobody knows that it was not
  read_folder(at);
  if (fs::exists(folder / kOver, error))
    end(at, "it was given up");
  else if (!claimed && !at.begun)
    end(at, "it was given up before it began");
}

Result<void> PilotTarget::start(const RunRequest& incomplete) {
  auto request = complete(incomplete);
  if (!request) return request.error();
  if (auto opened = open_folder(*request); !opened) return opened;
  Run run;
  run.request = *std::move(request);
  const RunId id = run.request.run;
  runs_.emplace(id, std::move(run));
  return {};
}

// The file with which it was sent to a node tells where it is. False: it was sent nowhere.
Result<bool> PilotTarget::find(const RunRequest& request, Run& run) {
  const std::string mark = mark_of(request.run, request.attempt);
  for (Allocation& at : allocations_)
    for (const char* where : {kTaken, kGiven, kRevoked}) {
      const auto node = base::read_file(at.folder / where / mark, 256);
      if (!node && node.error().kind == Error::Kind::not_found) continue;
      if (!node) return node.error();
      run.at = &at;
      const std::string name(base::trim(*node));
      const auto found = std::find_if(at.nodes.begin(), at.nodes.end(),
                                      [&](const Node& each) { return each.name == name; });
      if (found != at.nodes.end()) run.node = &*found;
      return true;
    }
  return false;
}

Result<bool> PilotTarget::left_something(const RunRequest& request) {
  const auto record = read_supervisor_record(request.directory);
  if (!record) return record.error();
  const auto end = read_exit_record(request.directory);
  if (!end) return end.error();
  return (*record && (*record)->attempt == request.attempt) ||
         (*end && (*end)->attempt == request.attempt);
}

Result<void> PilotTarget::adopt(std::span<const RunRequest> requests) {
  for (const RunRequest& incomplete : requests) {
    auto request = complete(incomplete);
    if (!request) return request.error();
    if (auto opened = open_folder(*request); !opened) return opened;
    Run run;
    run.adopted = true;
    run.accepted = !request->handle.empty();
    const auto sent = find(*request, run);
    if (!sent) return Error{run_name(*request), sent.error().message(), sent.error().kind};
    if (!*sent) {
      // One whose end was told and not stored has left the end in its directory, and no file elsewhere.
      const auto left = left_something(*request);
      if (!left) return Error{run_name(*request), left.error().message(), left.error().kind};
      if (!*left) {
        told_.emplace_back(RunNotFound{request->run, request->attempt});
        continue;
      }
      run.request = *std::move(request);
      const auto read = runs_.insert_or_assign(run.request.run, std::move(run)).first;
      read_directory(read->second);
      continue;
    }
    run.stage = run.at->over || !run.node ? Run::Stage::settling : Run::Stage::asked;
    run.request = *std::move(request);
    const RunId id = run.request.run;
    runs_.insert_or_assign(id, std::move(run));
  }
  next_ask_ = next_look_ = Time{};
  return {};
}

void PilotTarget::cancel(RunId id, CancelMode mode) {
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  Run& run = found->second;
  if (run.stage == Run::Stage::waiting) {
    told_.emplace_back(RunNotFound{id, run.request.attempt});
    return forget(found);
  }
  if (run.cancel != CancelMode::kill) run.cancel = mode;
  if (run.stage == Run::Stage::read) return local_->cancel(id, mode);
  send_cancel(run);
}

bool PilotTarget::any_waiting() const {
  return std::any_of(runs_.begin(), runs_.end(),
                     [](const auto& entry) { return entry.second.stage == Run::Stage::waiting; });
}

void PilotTarget::forget(Runs::iterator run) {
  const Run& ended = run->second;
  const std::string mark = mark_of(ended.request.run, ended.request.attempt);
  if (ended.at)
    for (const char* where : {kTaken, kGiven, kRevoked})
      ::unlink((ended.at->folder / where / mark).c_str());
  runs_.erase(run);
}

void PilotTarget::out_of_reach(Run& run, const std::string& why) {
  if (std::exchange(run.unreachable, true)) return;
  told_.emplace_back(RunUnreachable{run.request.run, run.request.attempt, why});
}

void PilotTarget::reachable(Run& run) {
  if (std::exchange(run.unreachable, false))
    told_.emplace_back(RunReachable{run.request.run, run.request.attempt});
}

// ---- waiting ------------------------------------------------------------------------------------

// All that is done without having been told to.
void PilotTarget::look_around(Time now) {
  commands_.take_ended(now);
  request_allocation(now);
  if (now >= next_look_) {
    next_look_ = now + timing_.look;
    for (Allocation& at : allocations_)
      if (!at.over && !at.submitting) read_folder(at);
    settle(now);
  }
  ask_for_states(now);
  connect(now);
  place(now);
  tell_accepted();
  read_ended(now);
  give_back(now);
  clear_up();
  cancel_jobs();
}

void PilotTarget::wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) {
  const std::stop_callback wake(stop, [this] { point_.wake(); });
  while (true) {
    const Time now = clock_->now();
    look_around(now);
    const bool done = !told_.empty() || stop.stop_requested() || now >= deadline;
    const auto ready = point_.wait(done ? Duration{0} : next_moment(deadline) - now);
    for (Allocation& at : allocations_)
      for (Node& node : at.nodes)
        if (ready.contains(node.mark)) exchange(at, node);
    if (!done) continue;
    place(now);  // there may be room now
    std::move(told_.begin(), told_.end(), std::back_inserter(events));
    told_.clear();
    return;
  }
}

Readiness PilotTarget::readiness() {
  return {point_.descriptor(), told_.empty() ? next_moment(Time::max()) : clock_->now()};
}

Time PilotTarget::next_moment(Time deadline) const {
  Time next = std::min(deadline, commands_.next_moment());
  if (reading_ > 0) next = std::min(next, clock_->now() + kReadAgain);
  bool looks = false;
  for (const Allocation& at : allocations_) {
    looks = looks || (!at.over && std::ssize(at.nodes) < options_.nodes);
    if (at.over) continue;
    if (!asking_ && !at.submitting) next = std::min(next, next_ask_);
    next = std::min(next, at.used + options_.idle);
    for (const Node& node : at.nodes) {
      if (node.state == Node::State::down && !node.gone) next = std::min(next, node.next_try);
      if (node.state == Node::State::connecting || node.state == Node::State::opening)
        next = std::min(next, node.since + std::chrono::minutes{2});
    }
  }
  for (const auto& [id, run] : runs_) {
    looks = looks || run.stage == Run::Stage::settling;
    next = std::min(next, run.ask_again.value_or(next));
  }
  return looks ? std::min(next, next_look_) : next;
}

Result<std::shared_ptr<ComputeTarget>> make_pilot_target(const SlurmOptions& options,
                                                         const std::string& name,
                                                         const LocalTargetOptions& runs,
                                                         std::shared_ptr<Clock> clock) {
  BatchTiming timing;
  timing.poll = options.poll;
  auto target = PilotTarget::make(options, name, runs, std::move(clock), timing);
  if (!target) return target.error();
  return std::shared_ptr<ComputeTarget>(*std::move(target));
}

}  // namespace hdrive::compute::pilot

namespace hdrive {

Result<std::shared_ptr<ComputeTarget>> make_slurm_target(const SlurmOptions& options,
                                                         const LocalTargetOptions& runs,
                                                         std::shared_ptr<Clock> clock) {
  if (options.pilot) return compute::pilot::make_pilot_target(options, "", runs, std::move(clock));
  return compute::make_batch_target(compute::make_slurm_system(options), options.poll, runs,
                                    std::move(clock));
}

}  // namespace hdrive
