// SPDX-License-Identifier: Apache-2.0
//
// SshTarget: runs on machines that are reached by SSH. On each of them an agent (agent.h) has a
// local target; this side says which run goes where, keeps the sweep's own copy of the run
// directories, and knows at any time what each host has been asked and has answered. Made by
// make_ssh_target; used on the sweep's thread, except that a stop token may wake `wait` from any.
//
// What a host has of a run is the truth. A connection that breaks changes nothing of it: the next
// one asks, and only what was never there is started.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "compute/intake.h"
#include "compute/local.h"
#include "compute/remote/connection.h"
#include "compute/remote/wire.h"
#include "compute/wait_point.h"
#include "hdrive/targets.h"

namespace hdrive::compute::remote {

class SshTarget final : public ComputeTarget {
 public:
  /// How long after its lease and its grace period a run may take to be gone: a machine that is busy
  /// to the utmost, the command that ends a container, clocks that do not go alike.
  static constexpr Duration kFenceMargin = std::chrono::minutes{1};

  /// `fence_margin` is another in tests only.
  static Result<std::shared_ptr<SshTarget>> make(const SshOptions& options,
                                                 const LocalTargetOptions& runs,
                                                 std::shared_ptr<Clock> clock,
                                                 Duration fence_margin = kFenceMargin);

  Result<void> start(const RunRequest& request) override;
  Result<void> adopt(std::span<const RunRequest> requests) override;
  std::optional<TargetCapacity> capacity() const override;
  void cancel(RunId run, CancelMode mode) override;
  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override;
  Readiness readiness() override;
  std::string describe() const override;

  // ---- for runs over several hosts (gang_target.h), of which this target has one ----

  /// Whether the host takes a part of this run: so many of its slots are free.
  struct Room {
    std::int64_t slots = 0;
    bool connecting = false;  ///< it may say more soon
    std::string why;          ///< there is no connection
  };
  Room room(RunId run) const;
  /// Runs like this one are to come: a connection is wanted.
  void expect(const RunRequest& request);
  /// By which the other hosts reach this one.
  std::string address() const;
  /// Tells a run's part on the host where the others are, in the order of their nodes. Without a
  /// port it chooses one that is free there. The answer comes with the events.
  void gather(RunId run, const std::vector<std::string>& addresses, std::optional<int> port);
  struct Gathered {
    RunId run = 0;
    int attempt = 1;
    Result<int> port;
  };
  std::vector<Gathered> take_gathered() { return std::exchange(gathered_, {}); }
  /// What another node says to this one: a file of the run directory there.
  void pass_on(RunId run, const std::string& path);

 private:
  struct Host {
    SshHost options;
    std::string label;
    std::unique_ptr<Connection> link;
    enum class State {
      down,        // until next_try
      connecting,  // ssh has begun; the agent has not spoken
      greeted,     // it has, and is to be told for which sweep it works
      opening,     // it has been told
      ready
    };
    State state = State::down;
    Time next_try{}, since{};
    Duration pause{};
    bool tried = false;
    std::string why;         // it is down
    std::int64_t slots = 0;  // 0: not known yet
    std::int64_t processors = 1;
    std::vector<std::string> gpus;  // that were found there
    std::string address;            // as it says
    // Snapshots by id: whether they are there, or are being asked about.
    std::map<std::string, bool> snapshots;
    // When a lease was granted last, whether or not that has arrived; it counts from before.
    std::optional<Time> granted;
    // Runs that were told as lost, until the host says that nothing is left of them there. They are
    // started elsewhere meanwhile.
    std::map<RunId, RunRequest> abandoned;
  };

  struct Run {
    RunRequest request;
    enum class Stage {
      waiting,    // for a host; nothing is anywhere
      preparing,  // for its snapshot to be on its host
      sent,       // no answer yet
      asked,      // whether it is there: its host, or all of them where nobody knows which
      live,       // there
      fetched     // it has ended and is read from its own directory here
    };
    Stage stage = Stage::waiting;
    std::optional<std::size_t> host;
    std::set<std::size_t> not_on;  // hosts that have answered
    bool unconfirmed = false;      // it was sent, and the connection broke before the answer
    bool accepted = false, began = false, unreachable = false, collecting = false;
    std::optional<CancelMode> cancel;
    // It holds to the lease, and may take so long to end after that. Nothing: it does not, or
    // nobody has told.
    std::optional<Duration> lease_grace;
    std::optional<Time> ask_again;  // its host could not tell whether it is there
    // What it logs with MLflow arrives here, and not on its host. Until it is fetched.
    std::unique_ptr<Intake> mlflow;
  };
  using Runs = std::map<RunId, Run>;

  SshTarget(const SshOptions& options, const LocalTargetOptions& runs, std::shared_ptr<Clock> clock,
            Duration fence_margin);
  Result<void> prepare();

  Result<void> check(const RunRequest& request) const;
  void note_sweep(const RunRequest& request);
  std::int64_t used(std::size_t host) const;
  std::optional<std::size_t> roomiest(RunId run) const;
  bool any_connecting() const;
  Error why_nowhere() const;

  void connect(Time now);
  void exchange(std::size_t host);
  void lose(std::size_t host, const Error& why);
  void open(Host& host);
  void take(std::size_t host, const Message& message);
  void take_hello(Host& host, const Message& message);
  void take_opened(std::size_t host, const Message& message);
  void take_missing(std::size_t host, const Message& message);
  void take_gathered(const Message& message);
  void take_of_run(std::size_t host, const std::string& is, Runs::iterator run,
                   const Message& message);

  void place();
  void submit(RunId id, Run& run, std::size_t host);
  void send_start(Run& run);
  void ask(Run& run, std::size_t host);
  void send_cancel(RunId id, const Run& run);
  bool leases() const { return options_.lost_after.count() > 0; }
  void grant(Host& host, const Message& message);
  std::optional<Time> dead_by(const Run& run) const;
  void give_up(Time now);
  void clear_up(Host& host);
  void found(std::size_t host, Run& run);
  void not_found(std::size_t host, Runs::iterator run);
  void refused(Runs::iterator run, Error why);
  void store(std::size_t host, Run& run, const Message& message);
  void collected(std::size_t host, Runs::iterator run);
  void out_of_reach(Run& run, const std::string& why);
  void forget(Runs::iterator run);
  RunRequest with_variables(const RunRequest& request) const;
  void follow_mlflow(Run& run, base::UniqueFd file);
  void read_mlflow(Time now);
  void read_mlflow(RunId id, Run& run, bool last, IntakeBudget& budget);
  void read_rest_of_mlflow(RunId id, Run& run);
  static void note_position(Run& run, std::string& cursor, bool of_agent);
  void read_fetched(Time now);
  Time next_moment(Time deadline) const;

  SshOptions options_;
  LocalTargetOptions read_;  // how runs are read
  std::shared_ptr<Clock> clock_;
  Duration fence_margin_;
  std::shared_ptr<LocalTarget> local_;  // reads the directories of runs that have ended
  WaitPoint point_;
  std::vector<Host> hosts_;
  Runs runs_;
  std::vector<TargetEvent> told_;
  std::vector<Gathered> gathered_;
  std::string sweep_;
  RunResources resources_;  // of the first run; those of a sweep are alike
  std::int64_t fetched_ = 0;
  Time next_mlflow_{};
  std::string buffer_;   // of all that is read here
  bool wanted_ = false;  // a run was refused for want of a connection
};

}  // namespace hdrive::compute::remote
