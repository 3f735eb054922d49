// SPDX-License-Identifier: Apache-2.0
//
// World: what is true, whatever an engine believes. Training processes that outlive engines, true time, a
// disk that may be full, people who type commands. An engine sees it through a clock, a target and a store
// that are the world's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/scenario.h"

namespace hdrive::simulation {

/// The engine dies here. Thrown out of the calls it makes, caught by whoever ran it.
struct Crash {};

/// What must never happen has happened.
struct Violation {
  std::string invariant;
  std::string what;
};

/// What a broken engine would do: to show that each invariant can be violated. Done to what passes between
/// the engine and the world, which is where a broken engine would show.
enum class Fault {
  none,
  lies_about_storing,   ///< acts on what it has not stored
  one_run_more,         ///< takes max_total_runs for one more
  one_slot_more,        ///< takes max_concurrent_runs for one more
  another_seed,         ///< draws from another seed
  another_policy,       ///< judges with another policy
  retries_too_often,    ///< takes max_lost_retries for one more
  impatient,            ///< takes runs for late too early
  starts_twice,         ///< starts each process twice
  forgets_processes,    ///< takes what is alive for gone
  forgets_to_cancel,    ///< says it cancelled, and does not
  cancels_unasked,      ///< cancels what nobody wants cancelled
  misreads_exits,       ///< takes failures for successes
  drops_metrics,        ///< loses the last metric of a report
  doubles_metrics,      ///< stores metrics twice
  drops_endings,        ///< does not store that runs ended
  drops_verdicts,       ///< does not store why it stops runs
  never_answers,        ///< does not answer requests
  ignores_pause,        ///< starts runs while it is paused
  deaf,                 ///< does not hear what the target tells
  one_run_less,         ///< takes max_total_runs for one less
  starts_unknown_runs,  ///< starts what was never proposed
  starts_on_full_disk,  ///< starts runs while nothing can be stored
  starts_after_stop,    ///< does not hear Ctrl-C
  ends_twice,           ///< stores each ending twice
  drops_proposals,      ///< leaves one proposal out
  repeats_itself,       ///< proposes the same again and again
  miscounts_time,       ///< takes a pause of hours for work
  edits_at_will,        ///< changes what must stay
  gives_up,             ///< ends with an error for no reason
  throws,               ///< lets an exception out
  blames_runs,          ///< takes what could not be started for a run that failed
  never_tires,          ///< goes on however many runs fail
  forgets_history,      ///< does not replay all of it
};

class Auditor;

/// One process of one attempt at a run. What it has done by a moment follows from the moment.
struct Process {
  RunId run = 0;
  int attempt = 1;
  SimulatedRun model;
  Assignment parameters;
  Time started{}, ends{};
  Duration grace{};
  Duration suspended_before{};  ///< how much the clock had jumped when it began
  std::optional<int> exit_code, signal;
  bool vanishes = false;
  bool over_time = false;
  bool asked = false, cancelled = false, killed = false;

  bool alive(Time now) const { return now < ends; }
  bool gone(Time now) const { return !alive(now) && vanishes; }
  std::size_t logged(Time now) const;
};

class World {
 public:
  World(const Scenario& scenario, Fault fault);

  const Scenario& scenario;
  const Fault fault;
  Auditor* auditor = nullptr;
  std::string trace;  ///< what happened, a line each; only where `tracing`
  bool tracing = false;

  // ---- time ------------------------------------------------------------------------------------
  Time now() const { return now_; }
  /// Moves on, through the incidents on the way.
  void advance(Time to);
  std::optional<Time> next_incident() const;
  Duration suspended{};  ///< by how much the machine's clock jumped ahead in all

  // ---- the engine's life -----------------------------------------------------------------------
  void begin_session(StopSignal stop, std::int64_t dies_after, Duration clock_offset);
  void end_session() { engine_alive = false; }
  bool engine_alive = false;
  StopSignal stop;
  /// A point at which an engine may die: throws Crash there.
  void point(const char* where);
  Time engine_time() const { return now_ + offset_ + suspended; }
  Time true_time(Time of_engine) const { return of_engine - offset_ - suspended; }
  std::int64_t waits = 0;

  // ---- processes -------------------------------------------------------------------------------
  std::map<std::pair<RunId, int>, Process> processes;
  Result<void> start(const RunRequest& request);
  void cancel(RunId run, int attempt, CancelMode mode);
  Process* find(RunId run, int attempt);
  std::int64_t alive() const;
  bool any_alive(RunId run) const;

  // ---- what others do --------------------------------------------------------------------------
  std::vector<Request> requests;               ///< left and not taken yet
  std::map<std::int64_t, Request> unanswered;  ///< taken in this session
  std::vector<Settings> offline_updates;       ///< made while no engine was alive
  bool disk_full() const { return now_ < disk_full_until_; }
  /// A full disk, that of the store too: its log may have room that was its own before.
  bool store_full() const {
    return disk_full() && disk_full_until_.time_since_epoch().count() / 1000 % 2 == 0;
  }
  bool locked() const { return now_ < locked_until_; }
  bool store_gone() const { return now_ < store_gone_until_; }
  bool program_gone() const { return now_ < program_gone_until_; }
  bool no_resources() const { return now_ < no_resources_until_; }
  /// The attempts of which the latest start was refused for a reason outside of them.
  std::set<std::pair<RunId, int>> refused_outside;
  /// What an invariant found inside a call of which the engine catches exceptions.
  std::optional<Violation> pending;
  /// The part that throws, once.
  bool throws_now(Scenario::Thrower part);
  bool has_thrown = false;  ///< in this session
  /// Something is asked before the engine has opened the sweep.
  void ask_early();
  bool store_failing = false;  ///< as the engine was told last
  bool stop_heard = false;     ///< it knows that it is to end

  Dice dice;

  void note(const std::string& text);

 private:
  void happen(const Incident& incident);
  void ask(Request request);
  void lose(Process& process);

  Time now_{std::chrono::seconds{1'600'000'000}};
  Time beginning_ = now_;
  std::size_t next_ = 0;  // incident
  Duration offset_{};
  Time disk_full_until_{}, locked_until_{}, store_gone_until_{}, program_gone_until_{},
      no_resources_until_{};
  std::int64_t calls_ = 0;  // of the part that throws
  std::int64_t points_left_ = 0;
  std::int64_t requests_made_ = 0;
};

/// The world as a target; one an engine.
std::shared_ptr<ComputeTarget> make_target(World& world);
std::shared_ptr<Clock> make_clock(World& world);
/// A store that fails, tears and stalls as the world has it.
std::shared_ptr<Store> make_store(World& world, std::shared_ptr<Store> inner);

}  // namespace hdrive::simulation
