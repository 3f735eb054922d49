// SPDX-License-Identifier: Apache-2.0
//
// The command target over a toy in Grid Engine's place, whose faults are injected.
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "compute/batch/batch_target.h"
#include "compute/batch/command_system.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/toy_queue.h"

namespace hdrive {
namespace {

using Catch::Contains;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool ends_run(const TargetEvent& event) {
  return std::holds_alternative<RunExited>(event) || std::holds_alternative<RunVanished>(event) ||
         std::holds_alternative<RunDeferred>(event) || std::holds_alternative<RunNotFound>(event);
}

// One engine after another, and what they are told.
class Grid {
 public:
  Grid() : options(queue.options()) {}

  // An engine, with what `options` says now.
  void connect() {
    target.reset();
    compute::BatchTiming timing;
    timing.poll = milliseconds{50};
    timing.look = milliseconds{10};
    timing.beat = milliseconds{20};
    timing.patience = seconds{10};
    auto system = compute::make_command_system(options);
    REQUIRE(system);
    target = *compute::BatchTarget::make(*std::move(system), {}, clock, timing);
  }
  void start(const RunRequest& request) {
    if (!target) connect();
    REQUIRE(target->start(request));
  }

  RunRequest request(const std::string& script) const {
    RunRequest request;
    request.run_id = "HD_1a2b3c4d-test_0";
    request.arguments = {"/bin/sh", "-c", script};
    request.directory = directory.path() / "runs" / "0";
    request.working_directory = directory.path();
    request.time_limit = std::chrono::hours{1};
    request.cancel_grace = seconds{20};
    return request;
  }

  // What is told until `wanted` holds of something told; a minute at most.
  template <class Wanted>
  std::vector<TargetEvent> until(Wanted wanted) {
    const Time deadline = clock->now() + std::chrono::minutes{1};
    std::vector<TargetEvent> events;
    while (std::none_of(events.begin(), events.end(), wanted) && clock->now() < deadline)
      target->wait(deadline, {}, events);
    return events;
  }
  std::vector<TargetEvent> until_end() { return until(ends_run); }
  template <class Event>
  Event next() {
    const auto is_one = [](const TargetEvent& event) {
      return std::holds_alternative<Event>(event);
    };
    const auto events = until(is_one);
    const auto found = std::find_if(events.begin(), events.end(), is_one);
    if (found == events.end()) FAIL("no such event was told");
    return std::get<Event>(*found);
  }
  template <class Condition>
  bool wait_until(Condition condition) {
    const Time deadline = clock->now() + std::chrono::minutes{1};
    std::vector<TargetEvent> events;
    while (!condition() && clock->now() < deadline)
      target->wait(clock->now() + milliseconds{10}, {}, events);
    return condition();
  }

  std::string text(const std::string& file) const {
    std::ifstream stream(directory.path() / file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  test::TemporaryDirectory directory;
  test::ToyQueue queue{directory.path() / "queue"};
  CommandOptions options;
  std::shared_ptr<Clock> clock = make_steady_clock();
  std::shared_ptr<ComputeTarget> target;
};

TEST_CASE("a run is a job of any batch system, by its commands") {
  Grid grid;
  RunRequest request = grid.request("exit 7");
  request.resources.cpus = 2;
  request.time_limit = milliseconds{0};
  grid.start(request);
  CHECK(grid.target->describe() == "jobs of Grid Engine");
  CHECK(grid.next<RunAccepted>().handle == "101");
  CHECK(grid.queue.of_job("101", "name") == "hd-1a2b3c4d-0-1");
  CHECK(grid.next<RunExited>().exit_code == 7);
  const std::string words = grid.queue.first_line("submitted");
  CHECK_THAT(words, Contains("-N hd-1a2b3c4d-0-1 ") && Contains(" -pe smp 2 ") &&
                        Catch::EndsWith((request.directory / "job.sh").string()));
  CHECK_THAT(words, !Contains("gpu=") && !Contains("h_rt") && !Contains("["));
}

TEST_CASE("a system that is away defers a submission, and one that refuses it fails the run") {
  Grid grid;
  grid.queue.set("down");
  const RunRequest request = grid.request("exit 0");
  grid.start(request);
  const auto deferred = grid.next<RunDeferred>();
  CHECK(deferred.why.kind == Error::Kind::busy);
  CHECK_THAT(deferred.why.what, Contains("commlib error"));
  CHECK_FALSE(std::filesystem::exists(request.directory));
  grid.queue.set("down", false);
  grid.queue.set("refuse");
  grid.start(request);
  const auto refused = grid.next<RunExited>();
  CHECK(refused.not_started);
  CHECK_THAT(refused.note, Contains("unknown resource \"nosuch\""));
}

TEST_CASE("without busy_pattern each failing submission is waited for") {
  Grid grid;
  grid.options.system.clear();
  const auto sge = ready_systems().front().options;
  grid.options.job_pattern = sge.job_pattern;
  grid.options.state_pattern = sge.state_pattern;
  grid.options.states = sge.states;
  grid.queue.set("refuse");
  grid.start(grid.request("exit 0"));
  CHECK(grid.next<RunDeferred>().why.kind == Error::Kind::busy);
}

TEST_CASE("a submission whose answer is lost, and one that made two jobs, start their run once") {
  for (const char* fault : {"lose", "twice"}) {
    DYNAMIC_SECTION(fault) {
      Grid grid;
      grid.queue.set(fault);
      const RunRequest request = grid.request("echo x >> starts");
      grid.start(request);
      auto events = grid.until_end();
      // Its job was quicker than the answer, or came too late and found no claim.
      if (std::holds_alternative<RunDeferred>(events.back())) {
        grid.start(request);
        events = grid.until_end();
      }
      CHECK(std::get<RunExited>(events.back()).exit_code == 0);
      CHECK(grid.text("starts") == "x\n");
    }
  }
}

TEST_CASE("where names are told, an engine finds a job whose id it never knew") {
  Grid grid;
  grid.queue.set("hold");
  const RunRequest request = grid.request("exit 0");
  grid.start(request);
  grid.next<RunAccepted>();
  grid.connect();
  REQUIRE(grid.target->adopt(std::span(&request, 1)));
  CHECK(grid.next<RunAccepted>().handle == "101");
  grid.target->cancel(0, CancelMode::graceful);
  grid.next<RunNotFound>();
  CHECK(grid.wait_until([&] { return grid.queue.first_line("deleted") == "101"; }));
}

// Without names the job cannot be found, so that the run is submitted again; the first job then finds no claim.
TEST_CASE("where no name is told a second submission does no harm") {
  Grid grid;
  grid.options.state_pattern = "(?s)<JB_job_number>(?P<job>\\d+)<.*?<state>(?P<state>[^<]*)<";
  grid.queue.set("hold");
  const RunRequest request = grid.request("echo x >> starts");
  grid.start(request);
  grid.next<RunAccepted>();
  grid.connect();
  REQUIRE(grid.target->adopt(std::span(&request, 1)));
  grid.next<RunNotFound>();
  grid.start(request);
  CHECK(grid.next<RunAccepted>().handle == "102");
  REQUIRE(grid.queue.run_held("101"));
  CHECK(grid.text("starts").empty());
  REQUIRE(grid.queue.run_held("102"));
  CHECK(grid.next<RunExited>().exit_code == 0);
  CHECK(grid.text("starts") == "x\n");
}

TEST_CASE("what the system leaves alive of a job that it kills, the supervisor ends") {
  Grid grid;
  grid.start(
      grid.request("setsid sh -c 'echo $$ > child; exec sleep 12345' & trap 'echo told > heard; "
                   "exit 5' TERM; while :; do sleep 0.01; done"));
  grid.next<RunBegan>();
  REQUIRE(grid.wait_until([&] { return !grid.text("child").empty(); }));
  // As if somebody else had done it.
  REQUIRE(::system((grid.queue.command("qdel") + " 101").c_str()) == 0);
  const auto exited = grid.next<RunExited>();
  CHECK(exited.exit_code == 5);
  CHECK_THAT(exited.note, Contains("job 101 was ended by Grid Engine, or by somebody else"));
  CHECK(grid.text("heard") == "told\n");
  CHECK(::kill(std::stoi(grid.text("child")), 0) != 0);
}

TEST_CASE("a run is cancelled though the system is away") {
  for (const CancelMode mode : {CancelMode::graceful, CancelMode::kill}) {
    Grid grid;
    grid.start(grid.request("exec sleep 1000"));
    grid.next<RunBegan>();
    grid.queue.set("down");
    grid.target->cancel(0, mode);
    CHECK(grid.next<RunExited>().signal == (mode == CancelMode::kill ? SIGKILL : SIGTERM));
  }
}

TEST_CASE("what a job is warned with reaches its script as SIGUSR1") {
  for (const int sent : {SIGUSR1, SIGUSR2}) {
    Grid grid;
    grid.start(grid.request("trap 'exit 4' USR1; echo x > ready; while :; do sleep 0.01; done"));
    grid.next<RunBegan>();
    REQUIRE(grid.wait_until([&] { return !grid.text("ready").empty(); }));
    ::kill(std::stoi(grid.queue.of_job("101", "pid")), sent);
    CHECK(grid.next<RunExited>().exit_code == 4);
  }
}

TEST_CASE("SIGTERM to a job's shell ends its run in its own time") {
  Grid grid;
  grid.start(grid.request("trap 'exit 6' TERM; echo x > ready; while :; do sleep 0.01; done"));
  grid.next<RunBegan>();
  REQUIRE(grid.wait_until([&] { return !grid.text("ready").empty(); }));
  ::kill(std::stoi(grid.queue.of_job("101", "pid")), SIGTERM);
  CHECK(grid.next<RunExited>().exit_code == 6);
}

TEST_CASE("a program in a job can be interrupted, although its job's shell ignores that for it") {
  Grid grid;
  grid.start(grid.request("kill -INT $$"));
  CHECK(grid.next<RunExited>().signal == SIGINT);
}

TEST_CASE("a job in the system's error state fails its run and is taken out of the queue") {
  Grid grid;
  grid.queue.set("error");
  grid.start(grid.request("exit 0"));
  const auto exited = grid.next<RunExited>();
  CHECK(exited.not_started);
  CHECK_THAT(exited.note, Contains("ended before the run began (Eqw)"));
  CHECK(grid.wait_until([&] { return grid.queue.first_line("deleted") == "101"; }));
}

TEST_CASE("a job that ends before its run and is forgotten tells why by its log") {
  Grid grid;
  grid.options.setup = {"echo no such module >&2", "exit 9"};
  grid.start(grid.request("exit 0"));
  const auto exited = grid.next<RunExited>();
  CHECK(exited.not_started);
  CHECK_THAT(exited.note, Contains("job 101 ended before the run began"));
  CHECK_THAT(exited.stderr_tail, Contains("no such module"));
}

TEST_CASE("a waiting job that the system has forgotten is not found") {
  Grid grid;
  grid.queue.set("hold");
  grid.start(grid.request("echo x >> starts"));
  grid.next<RunAccepted>();
  grid.queue.set("forget");
  grid.next<RunNotFound>();
}

TEST_CASE("a word that means lost makes the run lost") {
  Grid grid;
  grid.options.states["r"] = JobState::running;
  grid.options.states["down"] = JobState::lost;
  grid.start(grid.request("exec sleep 1000"));
  grid.next<RunBegan>();
  std::ofstream(grid.directory.path() / "queue/jobs/101/state") << "down\n";
  ::kill(std::stoi(grid.queue.of_job("101", "pid")), SIGTERM);
  CHECK_THAT(grid.next<RunVanished>().note, Contains("was taken from its nodes (down)"));
}

TEST_CASE("a state_pattern that misses the job is told, and the run waits") {
  Grid grid;
  grid.options.state_pattern = "(?P<job>\\d+) (?P<state>\\w+)";
  grid.queue.set("hold");
  grid.start(grid.request("exit 0"));
  CHECK_THAT(grid.next<RunUnreachable>().why,
             Contains("<JB_job_number>101<") && Contains("mend state_pattern"));
}

TEST_CASE("a system that answers for one job at a time is asked for each") {
  Grid grid;
  grid.options.status = {grid.queue.command("jstat"), "{job}"};
  grid.options.state_pattern = "^(?P<job>\\d+) is (?P<state>\\w+)$";
  grid.options.gone_pattern = "unknown job";
  grid.queue.set("hold");
  grid.start(grid.request("exit 0"));
  grid.next<RunAccepted>();
  REQUIRE(grid.wait_until([&] { return grid.queue.first_line("asked") == "101"; }));
  grid.queue.set("down");
  CHECK_THAT(grid.next<RunUnreachable>().why, Contains("commlib error"));
  grid.queue.set("down", false);
  grid.next<RunReachable>();
  std::filesystem::remove(grid.directory.path() / "queue/jobs/101/state");
  grid.next<RunNotFound>();
}

TEST_CASE("what readiness tells is enough to follow a run by") {
  Grid grid;
  grid.start(grid.request("exit 0"));
  std::vector<TargetEvent> events;
  const Time deadline = grid.clock->now() + std::chrono::minutes{1};
  while (std::none_of(events.begin(), events.end(), ends_run) && grid.clock->now() < deadline) {
    const Readiness ready = grid.target->readiness();
    REQUIRE(ready.descriptor >= 0);
    REQUIRE(ready.latest > Time::min());
    const auto left = std::chrono::ceil<milliseconds>(
        std::max(std::min(ready.latest, deadline) - grid.clock->now(), Duration{0}));
    pollfd one{ready.descriptor, POLLIN, 0};
    REQUIRE(::poll(&one, 1, static_cast<int>(left.count())) >= 0);
    grid.target->wait(grid.clock->now(), {}, events);
  }
  CHECK(std::any_of(events.begin(), events.end(), ends_run));
  // Once the last question is answered nothing is left to be waited for.
  CHECK(grid.wait_until([&] { return grid.target->readiness().latest == Time::max(); }));
}

}  // namespace
}  // namespace hdrive
