// SPDX-License-Identifier: Apache-2.0
//
// PilotTarget: runs within an allocation of Slurm. One job holds nodes, on each of which a holder
// (holder.h) lets the engine's agents start runs; this side asks for allocations and gives them back,
// says which run goes where, and knows what became of the runs of one that has ended. Used on the
// sweep's thread, except that a stop token may wake `wait` from any; runs outlive it.
//
// The run directories are the sweep's own, and with the allocation's folder (pilot_files.h) they tell
// the truth where no connection does. A run is sent to one node by a file there, which is taken back
// before it may go to another, and nothing of an allocation that is over counts as dead before its
// node's holder has said so or is silent.
#pragma once

#include <time.h>

#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "compute/batch/batch_system.h"
#include "compute/batch/batch_target.h"
#include "compute/batch/commands.h"
#include "compute/local.h"
#include "compute/pilot/pilot_script.h"
#include "compute/remote/connection.h"
#include "hdrive/targets.h"

namespace hdrive::compute::pilot {

class PilotTarget final : public ComputeTarget {
 public:
  /// `name` tells its allocations from those of the sweep's other targets; `commands` is the folder
  /// of Slurm's commands, and where it is empty they are looked for in PATH.
  static Result<std::shared_ptr<PilotTarget>> make(const SlurmOptions& options,
                                                   const std::string& name,
                                                   const LocalTargetOptions& runs,
                                                   std::shared_ptr<Clock> clock,
                                                   const BatchTiming& timing,
                                                   const std::filesystem::path& commands = {});
  /// Gives its allocations back if nothing lives in them.
  ~PilotTarget() override;

  Result<void> start(const RunRequest& request) override;
  Result<void> adopt(std::span<const RunRequest> requests) override;
  std::optional<TargetCapacity> capacity() const override;
  void cancel(RunId run, CancelMode mode) override;
  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override;
  Readiness readiness() override;
  std::string describe() const override;

 private:
  using Message = remote::Message;

  // A sign of life: a file's time of change, and since when it has not changed by this machine's clock.
  struct Life {
    timespec beat{};
    std::optional<Time> since;
  };

  struct Node {
    std::string name;
    std::uint64_t mark = 0;
    std::unique_ptr<remote::Connection> link;
    enum class State {
      down,        // until next_try
      connecting,  // srun has begun; the agent has not spoken
      opening,     // it has, and has been told for which sweep it works
      ready
    };
    State state = State::down;
    Time next_try{}, since{};
    Duration pause{};
    std::string why;  // it is down
    std::int64_t slots = 0;
    bool gone = false;  // nothing of it is alive
    Life life;          // its holder's, once the allocation is over
  };

  struct Allocation {
    std::filesystem::path folder;
    std::string name;          // of its job
    std::string job;           // the job's id; empty: not known
    bool submitting = false;   // sbatch has been started
    bool begun = false;        // the job's script runs, or has run
    std::optional<Time> ends;  // as Slurm says, and how much of its time was left at first
    Duration longest{};
    JobStatus status;     // the latest
    Time known{};         // since when Slurm ought to know the job
    Time seen{};          // when the question was asked whose answer last named it
    int absent = 0;       // so many answers in a row did not name it
    bool useful = false;  // a node has been ready
    bool over = false;
    std::string why;  // it is over
    Time used{};      // when a run last was there, or wanted to be
    std::list<Node> nodes;
  };

  struct Run {
    RunRequest request;
    enum class Stage {
      waiting,   // for room; nothing is anywhere
      sent,      // no answer yet
      asked,     // whether it is there
      live,      // there
      settling,  // its allocation is over; what became of it is still to be seen
      read       // it has ended so, and its directory is read here
    };
    Stage stage = Stage::waiting;
    Allocation* at = nullptr;
    Node* node = nullptr;
    bool adopted = false;  // an earlier engine sent it
    bool accepted = false, began = false, unreachable = false;
    bool lost = false;  // by its allocation, whatever exit.json says
    std::optional<CancelMode> cancel;
    std::optional<Time> ask_again;  // its node could not tell whether it is there
    Life life;                      // its supervisor's
  };
  using Runs = std::map<RunId, Run>;

  PilotTarget(const SlurmOptions& options, std::string name, const LocalTargetOptions& runs,
              std::shared_ptr<Clock> clock, std::unique_ptr<BatchSystem> system, Commands commands,
              const BatchTiming& timing, std::filesystem::path folder_of_commands);
  Result<void> prepare();

  // pilot_target.cpp: what is asked of it, and waiting
  Result<RunRequest> complete(const RunRequest& request) const;
  Result<void> open_folder(const RunRequest& request);
  void load(const std::filesystem::path& folder);
  Result<bool> find(const RunRequest& request, Run& run);
  static Result<bool> left_something(const RunRequest& request);
  bool any_waiting() const;
  void look_around(Time now);
  void forget(Runs::iterator run);
  void out_of_reach(Run& run, const std::string& why);
  void reachable(Run& run);
  Time next_moment(Time deadline) const;

  // pilot_allocations.cpp: asking for allocations, and what becomes of them
  bool is_open(const Allocation& at) const;
  bool fits(const Allocation& at, const Run& run, Time now) const;
  void request_allocation(Time now);
  Result<void> submit(Allocation& at);
  void take_submission(const std::filesystem::path& folder, const CommandOutput& output);
  void read_folder(Allocation& at);
  void ask_for_states(Time now);
  void ask_history(std::vector<std::string> jobs, Time asked);
  void match(const std::vector<JobStatus>& states, Time asked);
  static bool is_missing(const Allocation& at, Time asked);
  void count_absent(Time asked);
  void judge(Allocation& at);
  void lose_contact(const std::string& why);
  void tell_accepted();
  void end(Allocation& at, const std::string& why);
  void give_back(Time now);
  void give_up(Allocation& at);
  void cancel_jobs();
  void defer_waiting(const Error& why);
  void clear_up();
  PilotPlace place_of(const Allocation& at) const;

  // pilot_nodes.cpp: connections, and which run goes where
  void connect(Time now);
  void exchange(Allocation& at, Node& node);
  void lose(Allocation& at, Node& node, const std::string& why);
  void take(Allocation& at, Node& node, const Message& message);
  void take_hello(Node& node, const Message& message);
  void take_of_run(Allocation& at, Node& node, Runs::iterator run, const Message& message);
  void place(Time now);
  void send(Run& run, Allocation& at, Node& node);
  void ask(Run& run);
  void send_cancel(const Run& run);
  void found(Run& run);
  void not_there(Runs::iterator run);
  void refused(Runs::iterator run, const Error& why);
  Message message_of(const Run& run, const char* is) const;
  std::int64_t used(const Node& node) const;

  // pilot_ends.cpp: the runs of an allocation that is over
  void settle(Time now);
  bool settle(Runs::iterator run, Time now);
  bool is_dead(Allocation& at, Node& node, Time now) const;
  bool is_silent(Life& life, const std::filesystem::path& file, const Allocation& at,
                 Time now) const;
  void never_began(Runs::iterator run);
  void read_directory(Run& run);
  void read_ended(Time now);

  SlurmOptions options_;
  std::string name_;
  LocalTargetOptions read_;  // how runs are read
  std::shared_ptr<Clock> clock_;
  std::unique_ptr<BatchSystem> system_;
  Commands commands_;
  BatchTiming timing_;
  std::filesystem::path commands_folder_;
  std::shared_ptr<LocalTarget>
      local_;  // reads the directories of runs that ended with their allocation
  WaitPoint point_;
  std::filesystem::path folder_;  // of all allocations; empty: not known yet
  std::filesystem::path agent_;
  std::string prefix_;      // of the jobs' names
  RunResources resources_;  // of the first run; those of a sweep are alike
  std::list<Allocation> allocations_;
  Runs runs_;
  std::int64_t reading_ = 0, made_ = 0;
  std::uint64_t marks_ = 0;
  std::vector<TargetEvent> told_;
  std::set<std::string> to_cancel_;  // jobs
  bool asking_ = false, history_ = true;
  std::string no_contact_;  // with Slurm, and why; empty: there is
  Time next_ask_{}, next_look_{};
};

/// What the makers of targets do.
Result<std::shared_ptr<ComputeTarget>> make_pilot_target(const SlurmOptions& options,
                                                         const std::string& name,
                                                         const LocalTargetOptions& runs,
                                                         std::shared_ptr<Clock> clock);

}  // namespace hdrive::compute::pilot
