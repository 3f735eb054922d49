// SPDX-License-Identifier: Apache-2.0
//
// What every compute target must do, whatever its runs are made of. One list of cases; a target takes part
// by saying, in a Fixture, how a run with a given behaviour is written for it.
#include "hdrive/target.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include "compute/batch/batch_target.h"
#include "compute/batch/command_system.h"
#include "compute/batch/slurm.h"
#include "compute/pilot/pilot_target.h"
#include "hdrive/targets.h"
#include "tests/catch.h"
#include "tests/support/fake_ssh.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/toy_queue.h"
#include "tests/support/toy_slurm.h"

namespace hdrive {
namespace {

using std::chrono::seconds;

// What the cases need runs to do.
enum class Behaviour {
  succeed,   // reports accuracy 1 to 3 and ends well
  fail,      // reports accuracy 1, says "broken" as its last words, and fails
  linger,    // reports accuracy 1 and lives until it is cancelled; then it ends soon
  silent,    // ends well without a report
  not_there  // cannot be started
};

class TestClock final : public Clock {
 public:
  Time now() override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

class Fixture {
 public:
  virtual ~Fixture() = default;
  virtual ComputeTarget& target() = 0;
  virtual Time now() = 0;
  virtual RunRequest request(RunId run, Behaviour behaviour) = 0;
  // Whether time passes only in `wait`, so that no other thread can do anything during one.
  virtual bool simulated() const { return false; }
  // Whether each run is several processes, of which what starts them has a word to say.
  virtual bool distributed() const { return false; }
  // As if the engine had ended and another one come. False: its runs end with it.
  virtual bool restart() { return false; }
};

Behaviour behaviour_of(const RunRequest& request) {
  return static_cast<Behaviour>(std::get<std::int64_t>(request.parameters.at(0).value));
}

RunRequest plain_request(RunId run, Behaviour behaviour) {
  RunRequest request;
  request.run = run;
  request.run_id = "HD_test_" + std::to_string(run);
  request.parameters = {{"behaviour", static_cast<std::int64_t>(behaviour)}};
  request.time_limit = std::chrono::hours{1};
  request.cancel_grace = seconds{20};
  return request;
}

SimulatedRun simulated_run(Behaviour behaviour) {
  SimulatedRun run;
  run.duration = seconds{10};
  const int reports = behaviour == Behaviour::succeed ? 3 : behaviour == Behaviour::silent ? 0 : 1;
  for (int i = 1; i <= reports; ++i)
    run.reports.emplace_back(seconds{i}, Metric{"accuracy", double(i), i, std::nullopt});
  if (behaviour == Behaviour::fail) {
    run.exit_code = 1;
    run.stderr_tail = "broken";
  }
  if (behaviour == Behaviour::linger) run.duration = std::chrono::hours{1000};
  run.cancel_delay = seconds{1};
  return run;
}

class SimulatedFixture final : public Fixture {
 public:
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return plain_request(run, behaviour);
  }
  bool simulated() const override { return true; }

 private:
  static Result<SimulatedRun> model(const RunRequest& request) {
    const Behaviour behaviour = behaviour_of(request);
    if (behaviour == Behaviour::not_there) return Error{"run", "there is no such program"};
    return simulated_run(behaviour);
  }

  std::shared_ptr<SimulatedClock> clock_ = std::make_shared<SimulatedClock>();
  std::shared_ptr<ComputeTarget> target_ = make_simulated_target(model, clock_);
};

class ClusterFixture final : public Fixture {
 public:
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return plain_request(run, behaviour);
  }
  bool simulated() const override { return true; }
  bool restart() override {
    target_ = cluster_.connect();
    return true;
  }

 private:
  static SimulatedClusterOptions options() {
    SimulatedClusterOptions options;
    options.outages = {{seconds{4}, seconds{9}}, {seconds{11}, seconds{30}}};
    return options;
  }

  std::shared_ptr<SimulatedClock> clock_ = std::make_shared<SimulatedClock>();
  SimulatedCluster cluster_{[](const RunRequest& request) -> Result<SimulatedRun> {
                              if (behaviour_of(request) == Behaviour::not_there)
                                return Error{"run", "there is no such program"};
                              return simulated_run(behaviour_of(request));
                            },
                            options(), clock_};
  std::shared_ptr<ComputeTarget> target_ = cluster_.connect();
};

class InProcessFixture final : public Fixture {
 public:
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return plain_request(run, behaviour);
  }

 private:
  static void objective(RunContext& context) {
    const auto behaviour = static_cast<Behaviour>(static_cast<int>(context.number("behaviour")));
    const int reports = behaviour == Behaviour::succeed  ? 3
                        : behaviour == Behaviour::silent ? 0
                                                         : 1;
    for (int i = 1; i <= reports; ++i) context.report("accuracy", i, i);
    if (behaviour == Behaviour::fail) throw std::runtime_error("broken");
    while (behaviour == Behaviour::linger && !context.stop_requested()) std::this_thread::yield();
  }

  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::shared_ptr<ComputeTarget> target_ = make_in_process_target(objective, clock_);
};

class LocalFixture final : public Fixture {
 public:
  LocalFixture() {
    std::string name = (std::filesystem::temp_directory_path() / "hdrive_target_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    target_ = *make_local_target({}, clock_);
  }
  ~LocalFixture() override {
    target_.reset();
    // A run that was left alone may be at work there.
    std::error_code error;
    do std::filesystem::remove_all(directory_, error);
    while (error == std::errc::no_such_file_or_directory ||
           error == std::errc::directory_not_empty);
  }
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  bool restart() override {
    target_.reset();
    target_ = *make_local_target({}, clock_);
    return true;
  }
  RunRequest request(RunId run, Behaviour behaviour) override {
    static const std::map<Behaviour, std::string> scripts = {
        {Behaviour::succeed, "for i in 1 2 3; do log $i; done"},
        {Behaviour::fail, "log 1; echo broken >&2; exit 1"},
        {Behaviour::linger, "log 1; exec sleep 1000"},
        {Behaviour::silent, "exit 0"}};
    RunRequest request = plain_request(run, behaviour);
    request.directory = directory_ / "runs" / std::to_string(run);
    request.working_directory = directory_;
    if (behaviour == Behaviour::not_there)
      request.arguments = {"./no_such_program"};
    else
      request.arguments = {
          "/bin/sh", "-c",
          "log() { echo '{\"name\": \"accuracy\", \"value\": '$1', \"step\": '$1'}' "
          ">> \"$HDRIVE_METRICS_FILE\"; }; " +
              scripts.at(behaviour)};
    return request;
  }

 private:
  std::filesystem::path directory_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::shared_ptr<ComputeTarget> target_;
};

// The same runs on another machine, as far as the target can tell.
class SshFixture : public Fixture {
 public:
  explicit SshFixture(std::int64_t nodes = 1, const char* distortion = nullptr) : nodes_(nodes) {
    if (distortion) ssh_.distort(distortion);
    target_ = connect();
  }
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  bool restart() override {
    target_.reset();
    target_ = connect();
    return true;
  }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return local_.request(run, behaviour);
  }

 private:
  std::shared_ptr<ComputeTarget> connect() {
    SshOptions options;
    options.hosts = {{.host = "node1", .slots = 4 * nodes_},
                     {.host = "node2", .slots = 4 * nodes_}};
    options.directory = ssh_.directory();
    return *make_ssh_target(options, {}, clock_, nodes_);
  }

  std::int64_t nodes_;
  test::FakeSsh ssh_;
  LocalFixture local_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::shared_ptr<ComputeTarget> target_;
};

// Each of them over two machines: what both of its processes do counts once.
class GangFixture final : public SshFixture {
 public:
  GangFixture() : SshFixture(2) {}
  bool distributed() const override { return true; }
  RunRequest request(RunId run, Behaviour behaviour) override {
    RunRequest request = SshFixture::request(run, behaviour);
    request.resources.nodes = 2;
    request.distribution.type = DistributionType::pytorch;
    // Of two that fail the first decides: here it is always the same.
    if (behaviour == Behaviour::fail)
      request.arguments[2] = "[ $RANK = 1 ] && exec sleep 1000; " + request.arguments[2];
    return request;
  }
};

// Over something that says each answer twice.
class RepeatedFixture final : public SshFixture {
 public:
  RepeatedFixture() : SshFixture(1, "twice") {}
};

// Between the answers come those of the connection before, which an earlier engine may have had.
class LateFixture final : public SshFixture {
 public:
  LateFixture() : SshFixture(1, "late") {}
};

// And as jobs of a batch system.
class BatchFixture : public Fixture {
 public:
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  bool restart() override {
    target_.reset();
    target_ = connect();
    return true;
  }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return local_.request(run, behaviour);
  }

 protected:
  virtual std::unique_ptr<compute::BatchSystem> system() const = 0;
  std::shared_ptr<ComputeTarget> connect() const {
    compute::BatchTiming timing;
    timing.poll = std::chrono::milliseconds{100};
    timing.look = std::chrono::milliseconds{10};
    timing.beat = std::chrono::milliseconds{50};
    return *compute::BatchTarget::make(system(), {}, clock_, timing);
  }

  test::TemporaryDirectory directory_;
  LocalFixture local_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::shared_ptr<ComputeTarget> target_;
};

class SlurmFixture final : public BatchFixture {
 public:
  SlurmFixture() { target_ = connect(); }

 private:
  std::unique_ptr<compute::BatchSystem> system() const override {
    return *compute::make_slurm_system({}, slurm_.commands());
  }
  test::ToySlurm slurm_{directory_.path()};
};

// Within an allocation of two nodes.
class PilotFixture final : public Fixture {
 public:
  PilotFixture() { target_ = connect(); }
  ~PilotFixture() override {
    target_.reset();
    CHECK(slurm_.is_quiet());
  }
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  bool restart() override {
    target_.reset();
    target_ = connect();
    return true;
  }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return local_.request(run, behaviour);
  }

 private:
  std::shared_ptr<ComputeTarget> connect() const {
    SlurmOptions options;
    options.pilot = true;
    options.nodes = 2;
    options.cpus = 4;
    options.idle = seconds{2};  // of runs whose end nobody has heard
    compute::BatchTiming timing;
    timing.poll = std::chrono::milliseconds{100};
    timing.look = std::chrono::milliseconds{10};
    timing.beat = std::chrono::milliseconds{50};
    return *compute::pilot::PilotTarget::make(options, "pilot", {}, clock_, timing,
                                              slurm_.commands());
  }

  test::TemporaryDirectory directory_;
  test::ToySlurm slurm_{directory_.path()};
  LocalFixture local_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::shared_ptr<ComputeTarget> target_;
};

class CommandFixture final : public BatchFixture {
 public:
  CommandFixture() { target_ = connect(); }

 private:
  std::unique_ptr<compute::BatchSystem> system() const override {
    return *compute::make_command_system(queue_.options());
  }
  test::ToyQueue queue_{directory_.path()};
};

// Two clusters, the first of which has room for one run.
class SeveralFixture final : public Fixture {
 public:
  SeveralFixture() { connect(); }
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return plain_request(run, behaviour);
  }
  bool simulated() const override { return true; }
  bool restart() override {
    connect();
    return true;
  }

 private:
  void connect() {
    target_ = *make_several_targets(
        {{"small", small_.connect(), 1}, {"large", large_.connect(), 0}}, clock_);
  }
  static Result<SimulatedRun> model(const RunRequest& request) {
    if (behaviour_of(request) == Behaviour::not_there)
      return Error{"run", "there is no such program"};
    return simulated_run(behaviour_of(request));
  }
  static SimulatedClusterOptions options() {
    SimulatedClusterOptions options;
    options.outages = {{seconds{4}, seconds{9}}};
    return options;
  }

  std::shared_ptr<SimulatedClock> clock_ = std::make_shared<SimulatedClock>();
  SimulatedCluster small_{model, options(), clock_}, large_{model, {}, clock_};
  std::shared_ptr<ComputeTarget> target_;
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Fixture>()> make;
};

template <class T>
Kind kind(const char* name) {
  return {name, [] { return std::make_unique<T>(); }};
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {kind<SimulatedFixture>("simulated"),
                                        kind<ClusterFixture>("simulated cluster"),
                                        kind<InProcessFixture>("in-process"),
                                        kind<LocalFixture>("local"),
                                        kind<SshFixture>("ssh"),
                                        kind<GangFixture>("ssh, two hosts a run"),
                                        kind<RepeatedFixture>("ssh, each answer twice"),
                                        kind<LateFixture>("ssh, answers from before"),
                                        kind<SlurmFixture>("slurm"),
                                        kind<PilotFixture>("slurm pilot"),
                                        kind<CommandFixture>("command"),
                                        kind<SeveralFixture>("several")};
  return all;
}

// ---- reading events -----------------------------------------------------------------------------

RunId run_of(const TargetEvent& event) {
  return std::visit(
      [](const auto& e) -> RunId {
        if constexpr (std::is_same_v<std::decay_t<decltype(e)>, TargetNote>)
          return e.run.value_or(-1);
        else
          return e.run;
      },
      event);
}

bool is_end(const TargetEvent& event) {
  return std::holds_alternative<RunExited>(event) || std::holds_alternative<RunVanished>(event) ||
         std::holds_alternative<RunDeferred>(event) || std::holds_alternative<RunNotFound>(event);
}

// Everything told up to and with the end of `ends` runs; a minute at most.
std::vector<TargetEvent> until_ended(Fixture& fixture, int ends) {
  std::vector<TargetEvent> events;
  const Time deadline =
      fixture.now() + std::chrono::hours{fixture.simulated() ? 10000 : 0} + std::chrono::minutes{1};
  while (std::count_if(events.begin(), events.end(), is_end) < ends && fixture.now() < deadline)
    fixture.target().wait(deadline, {}, events);
  return events;
}

// Waits until the run has reported something.
void until_reported(Fixture& fixture, RunId run, std::vector<TargetEvent>& events) {
  const Time deadline = fixture.now() + std::chrono::minutes{1};
  const auto reported = [&](const TargetEvent& event) {
    return std::holds_alternative<RunReported>(event) && run_of(event) == run;
  };
  while (std::none_of(events.begin(), events.end(), reported) && fixture.now() < deadline)
    fixture.target().wait(deadline, {}, events);
}

// Not every target has a queue, or loses contact; where there is contact again is told by the next event, too.
bool is_told(const TargetEvent& event) {
  return !std::holds_alternative<RunAccepted>(event) &&
         !std::holds_alternative<RunUnreachable>(event) &&
         !std::holds_alternative<RunReachable>(event);
}

// "began, reported 1 2 3, exited 0": one run's events, those of the same kind joined.
std::string story(const std::vector<TargetEvent>& events, RunId run) {
  std::string result;
  bool reporting = false;
  for (const TargetEvent& event : events) {
    if (run_of(event) != run || !is_told(event)) continue;
    const auto* reported = std::get_if<RunReported>(&event);
    if (!reporting || !reported) result += result.empty() ? "" : ", ";
    if (reported && !reporting) result += "reported";
    reporting = reported != nullptr;
    if (reported)
      for (const Metric& metric : reported->metrics)
        result += " " + std::to_string(static_cast<int>(metric.value));
    if (std::holds_alternative<RunBegan>(event)) result += "began";
    if (const auto* exited = std::get_if<RunExited>(&event))
      result += exited->exit_code ? "exited " + std::to_string(*exited->exit_code)
                : exited->signal  ? "signal"
                                  : "not started";
    if (std::holds_alternative<RunVanished>(event)) result += "vanished";
    if (std::holds_alternative<RunNotFound>(event)) result += "not found";
    if (std::holds_alternative<RunDeferred>(event)) result += "deferred";
  }
  return result;
}

template <class Event>
Event only(const std::vector<TargetEvent>& events) {
  std::optional<Event> found;
  for (const TargetEvent& event : events)
    if (const auto* one = std::get_if<Event>(&event)) {
      CHECK_FALSE(found);
      found = *one;
    }
  REQUIRE(found);
  return *found;
}

bool ended_by_cancelling(const std::string& told) {
  return told == "began, reported 1, signal" || told == "began, reported 1, exited 0";
}

// Each target in a section of its own, with a fixture of its own.
#define FOR_EACH_TARGET()                                     \
  for (const Kind& each : kinds()) DYNAMIC_SECTION(each.name) \
  if (const auto fixture = each.make())

// ---- the cases ----------------------------------------------------------------------------------

TEST_CASE("a run begins, reports in order and exits once, in that order") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::succeed)));
    const auto events = until_ended(*fixture, 1);
    CHECK(story(events, 0) == "began, reported 1 2 3, exited 0");
    const auto first = std::find_if(events.begin(), events.end(), [](const auto& event) {
      return std::holds_alternative<RunReported>(event);
    });
    REQUIRE(first != events.end());
    const Metric& metric = std::get<RunReported>(*first).metrics.front();
    CHECK(metric.name == "accuracy");
    CHECK(metric.step == 1);
  }
}

TEST_CASE("nothing is told of a run after its end") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::succeed)));
    until_ended(*fixture, 1);
    std::vector<TargetEvent> events;
    fixture->target().cancel(0, CancelMode::graceful);
    fixture->target().wait(fixture->now() + std::chrono::milliseconds{50}, {}, events);
    CHECK(events.empty());
  }
}

TEST_CASE("a run without reports just begins and exits") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(4, Behaviour::silent)));
    CHECK(story(until_ended(*fixture, 1), 4) == "began, exited 0");
  }
}

TEST_CASE("a failing run tells its exit code and its last words after its metrics") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::fail)));
    const auto events = until_ended(*fixture, 1);
    CHECK(story(events, 0) == "began, reported 1, exited 1");
    const std::string words = only<RunExited>(events).stderr_tail;
    CHECK((fixture->distributed() ? words.substr(0, words.find('\n')) : words) == "broken");
  }
}

TEST_CASE("what cannot be started is refused, or told as not started, with a reason") {
  for (const Kind& each : kinds()) {
    if (std::string(each.name) == "in-process") continue;  // a function is always there
    DYNAMIC_SECTION(each.name) {
      const auto fixture = each.make();
      const auto started = fixture->target().start(fixture->request(0, Behaviour::not_there));
      if (!started) {
        CHECK_FALSE(started.error().what.empty());
        continue;
      }
      const auto events = until_ended(*fixture, 1);
      const auto told = story(events, 0);
      if (told == "deferred") {
        CHECK_FALSE(only<RunDeferred>(events).why.what.empty());
        continue;
      }
      const auto end = only<RunExited>(events);
      if (fixture->distributed()) {
        CHECK(told == "began, exited 127");
        CHECK_THAT(end.stderr_tail, Catch::Contains("cannot start ./no_such_program"));
        continue;
      }
      CHECK(told == "not started");
      CHECK(end.not_started);
      CHECK_FALSE(end.note.empty());
    }
  }
}

TEST_CASE("a run that is running is not started again") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::linger)));
    CHECK_FALSE(fixture->target().start(fixture->request(0, Behaviour::linger)));
    fixture->target().cancel(0, CancelMode::kill);
    CHECK(ended_by_cancelling([&] {
      std::string told = story(until_ended(*fixture, 1), 0);
      const bool never_could = told == "began, signal" || told == "not found";
      return never_could ? "began, reported 1, signal" : told;
    }()));
  }
}

TEST_CASE("an ended run can be started again as another attempt") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::fail)));
    until_ended(*fixture, 1);
    RunRequest again = fixture->request(0, Behaviour::succeed);
    again.attempt = 2;
    REQUIRE(fixture->target().start(again));
    const auto events = until_ended(*fixture, 1);
    CHECK(story(events, 0) == "began, reported 1 2 3, exited 0");
    CHECK(only<RunExited>(events).attempt == 2);
  }
}

TEST_CASE("a cancelled run ends, and a second cancel changes nothing") {
  FOR_EACH_TARGET() {
    std::vector<TargetEvent> events;
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::linger)));
    until_reported(*fixture, 0, events);
    fixture->target().cancel(0, CancelMode::graceful);
    fixture->target().cancel(0, CancelMode::graceful);
    const auto rest = until_ended(*fixture, 1);
    events.insert(events.end(), rest.begin(), rest.end());
    CHECK(ended_by_cancelling(story(events, 0)));
  }
}

TEST_CASE("a killed run ends, also after it was asked to end") {
  FOR_EACH_TARGET() {
    std::vector<TargetEvent> events;
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::linger)));
    until_reported(*fixture, 0, events);
    fixture->target().cancel(0, CancelMode::graceful);
    fixture->target().cancel(0, CancelMode::kill);
    fixture->target().cancel(0, CancelMode::kill);
    const auto rest = until_ended(*fixture, 1);
    events.insert(events.end(), rest.begin(), rest.end());
    CHECK(ended_by_cancelling(story(events, 0)));
  }
}

TEST_CASE("cancelling a run that was never started does nothing") {
  FOR_EACH_TARGET() {
    fixture->target().cancel(77, CancelMode::graceful);
    fixture->target().cancel(77, CancelMode::kill);
    std::vector<TargetEvent> events;
    fixture->target().wait(fixture->now(), {}, events);
    CHECK(events.empty());
  }
}

TEST_CASE("several runs at once each have their own story") {
  FOR_EACH_TARGET() {
    constexpr int kRuns = 6;
    for (RunId run = 0; run < kRuns; ++run)
      REQUIRE(fixture->target().start(
          fixture->request(run, run % 2 ? Behaviour::fail : Behaviour::succeed)));
    const auto events = until_ended(*fixture, kRuns);
    for (RunId run = 0; run < kRuns; ++run)
      CHECK(story(events, run) ==
            (run % 2 ? "began, reported 1, exited 1" : "began, reported 1 2 3, exited 0"));
  }
}

TEST_CASE("a requested stop ends a wait that has nothing to tell") {
  for (const Kind& each : kinds()) {
    DYNAMIC_SECTION(each.name) {
      const auto fixture = each.make();
      std::stop_source stop;
      std::jthread other;
      if (fixture->simulated())
        stop.request_stop();
      else
        other = std::jthread([&] { stop.request_stop(); });
      const Time begin = fixture->now();
      std::vector<TargetEvent> events;
      fixture->target().wait(begin + std::chrono::hours{1}, stop.get_token(), events);
      CHECK(events.empty());
      CHECK(fixture->now() < begin + std::chrono::minutes{5});
    }
  }
}

TEST_CASE("a wait without events ends at its deadline, not before") {
  FOR_EACH_TARGET() {
    const Time deadline = fixture->now() + std::chrono::milliseconds{30};
    std::vector<TargetEvent> events;
    fixture->target().wait(deadline, {}, events);
    CHECK(events.empty());
    CHECK(fixture->now() >= deadline);
    CHECK(fixture->now() < deadline + seconds{10});
  }
}

TEST_CASE("a wait whose deadline is over returns at once, and events are appended") {
  FOR_EACH_TARGET() {
    std::vector<TargetEvent> events = {TargetNote{std::nullopt, "from before"}};
    fixture->target().wait(fixture->now() - seconds{1}, {}, events);
    REQUIRE(events.size() == 1);
    CHECK(std::get<TargetNote>(events.front()).note == "from before");
  }
}

TEST_CASE("a run that was never started is not found, and can be started then") {
  FOR_EACH_TARGET() {
    const std::vector<RunRequest> requests{fixture->request(9, Behaviour::silent),
                                           fixture->request(12, Behaviour::silent)};
    REQUIRE(fixture->target().adopt(requests));
    const auto events = until_ended(*fixture, 2);
    CHECK(story(events, 9) == "not found");
    CHECK(story(events, 12) == "not found");
    REQUIRE(fixture->target().start(requests[0]));
    CHECK(story(until_ended(*fixture, 1), 9) == "began, exited 0");
  }
}

TEST_CASE("a run is accepted before it begins, once, by a name that is kept") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::succeed)));
    bool began = false;
    int accepted = 0;
    for (const TargetEvent& event : until_ended(*fixture, 1)) {
      began = began || std::holds_alternative<RunBegan>(event);
      if (const auto* it = std::get_if<RunAccepted>(&event)) {
        CHECK_FALSE(began);
        CHECK_FALSE(it->handle.empty());
        ++accepted;
      }
    }
    CHECK(accepted <= 1);
  }
}

// ---- an engine that comes later -----------------------------------------------------------------

// As the engine would have stored it.
void remember(const std::vector<TargetEvent>& events, RunRequest& request) {
  for (const TargetEvent& event : events) {
    if (run_of(event) != request.run) continue;
    if (const auto* accepted = std::get_if<RunAccepted>(&event)) request.handle = accepted->handle;
    if (const auto* reported = std::get_if<RunReported>(&event)) request.cursor = reported->cursor;
  }
}

TEST_CASE("runs go on without an engine, and the next one hears what the first did not") {
  FOR_EACH_TARGET() {
    constexpr int kRuns = 3;
    std::vector<RunRequest> requests;
    for (RunId run = 0; run < kRuns; ++run) {
      requests.push_back(fixture->request(run, Behaviour::succeed));
      REQUIRE(fixture->target().start(requests.back()));
    }
    std::vector<TargetEvent> before;
    for (RunId run = 0; run < kRuns; ++run) until_reported(*fixture, run, before);
    // What is told with the end the first engine may have heard, too.
    if (std::any_of(before.begin(), before.end(), is_end)) continue;
    if (!fixture->restart()) continue;
    for (RunRequest& request : requests) remember(before, request);
    REQUIRE(fixture->target().adopt(requests));
    const auto after = until_ended(*fixture, kRuns);
    for (RunId run = 0; run < kRuns; ++run) {
      std::vector<double> values;
      for (const std::vector<TargetEvent>* events : {&std::as_const(before), &after})
        for (const TargetEvent& event : *events)
          if (const auto* reported = std::get_if<RunReported>(&event);
              reported && reported->run == run)
            for (const Metric& metric : reported->metrics) values.push_back(metric.value);
      CHECK(values == std::vector<double>{1, 2, 3});
      CHECK_THAT(story(after, run), Catch::EndsWith("exited 0"));
    }
  }
}

TEST_CASE("a run that was found again is cancelled like one's own, and tells nothing twice") {
  for (const CancelMode mode : {CancelMode::graceful, CancelMode::kill}) {
    FOR_EACH_TARGET() {
      std::vector<RunRequest> requests{fixture->request(5, Behaviour::linger)};
      REQUIRE(fixture->target().start(requests[0]));
      std::vector<TargetEvent> before;
      until_reported(*fixture, 5, before);
      if (!fixture->restart()) {
        fixture->target().cancel(5, mode);
        until_ended(*fixture, 1);
        continue;
      }
      remember(before, requests[0]);
      REQUIRE(fixture->target().adopt(requests));
      fixture->target().cancel(5, mode);
      const std::string told = story(until_ended(*fixture, 1), 5);
      CHECK((told == "began, signal" || told == "signal"));
    }
  }
}

TEST_CASE("targets name themselves") {
  FOR_EACH_TARGET() { CHECK_FALSE(fixture->target().describe().empty()); }
}

}  // namespace
}  // namespace hdrive
