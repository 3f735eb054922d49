// SPDX-License-Identifier: Apache-2.0
//
// The slurm target with `pilot: true` and a real Slurm.
#include <unistd.h>

#include <algorithm>
#include <set>

#include "hdrive/target_test.h"
#include "tests/clusters/slurm_jobs.h"

namespace hdrive {
namespace {

using namespace clusters;
using Catch::Contains;

class Pilots : public BatchJobs {
 public:
  explicit Pilots(const SlurmOptions& options = two_nodes()) { connect(options); }
  // None is left for the next test.
  ~Pilots() {
    target.reset();
    succeeds("scancel --me");
    CHECK(ends([] { return !succeeds("squeue --me --noheader | grep -q ."); }));
  }

  static SlurmOptions two_nodes() {
    SlurmOptions options;
    options.pilot = true;
    options.nodes = 2;
    options.cpus = 2;
    options.poll = std::chrono::milliseconds{500};
    options.idle = std::chrono::seconds{20};
    return options;
  }

  // A new engine.
  void connect(const SlurmOptions& options = two_nodes()) {
    connect_to([&] { return make_slurm_target(options, {}, clock); });
  }

  // With what the engine has stored of the runs.
  void resume(std::vector<RunRequest> requests) {
    for (RunRequest& request : requests)
      for (const TargetEvent& event : events)
        if (const auto* reported = std::get_if<RunReported>(&event);
            reported && reported->run == request.run)
          request.cursor = reported->cursor;
    connect();
    REQUIRE(target->adopt(requests));
  }

  // Without the target, which may be gone.
  template <class Condition>
  bool ends(Condition condition) {
    const Time deadline = clock->now() + std::chrono::minutes{1};
    while (!condition() && clock->now() < deadline) succeeds("timeout 0.1 tail -f /dev/null");
    return condition();
  }

  std::string job() const { return last<RunAccepted>().handle; }
  static int allocations() {
    return succeeds("test $(squeue --me --noheader | wc -l) = 1") ? 1 : 0;
  }
};

TEST_CASE("runs start within one allocation on its two nodes, each once") {
  Pilots pilots;
  for (RunId run = 0; run < 4; ++run)
    pilots.start(pilots.request(run, "echo $SLURMD_NODENAME > node" + std::to_string(run) +
                                         "; log 1; " + Pilots::until("go") + "log 2; exit 3"));
  REQUIRE(pilots.wait_for_values(4));
  CHECK(Pilots::allocations() == 1);
  CHECK(pilots.target->capacity()->runs == 4);
  pilots.touch("go");
  REQUIRE(pilots.wait_for<RunExited>(4));
  CHECK(pilots.last<RunExited>().exit_code == 3);
  CHECK(pilots.count<RunAccepted>() == 4);
  CHECK(pilots.count<RunBegan>() == 4);
  std::set<std::string> nodes;
  for (RunId run = 0; run < 4; ++run)
    nodes.insert(text(pilots.path() / ("node" + std::to_string(run))));
  CHECK(nodes == std::set<std::string>{"n1\n", "n2\n"});
}

TEST_CASE("many short runs go through an allocation, and none through Slurm") {
  constexpr int kRuns = 200;
  Pilots pilots;
  int next = 0;
  const auto fill = [&] {
    for (; next < kRuns && next - pilots.count<RunExited>() < 4; ++next)
      pilots.start(pilots.request(next, "log " + std::to_string(next)));
  };
  REQUIRE(pilots.wait_until([&] {
    fill();
    return pilots.count<RunExited>() == kRuns;
  }));
  auto values = pilots.values();
  std::sort(values.begin(), values.end());
  REQUIRE(values.size() == kRuns);
  for (int run = 0; run < kRuns; ++run) CHECK(values[static_cast<std::size_t>(run)] == run);
  CHECK(Pilots::allocations() == 1);
}

TEST_CASE(
    "a run does not take itself for a task of Slurm's step, and gets its processors and GPUs") {
  SlurmOptions options = Pilots::two_nodes();
  options.nodes = 1;
  options.gres = "gpu:2";
  Pilots pilots(options);
  for (RunId run = 0; run < 2; ++run) {
    RunRequest request = pilots.request(
        run, "echo ${SLURM_NTASKS-none} ${SLURM_PROCID-none} $CUDA_VISIBLE_DEVICES > got" +
                 std::to_string(run) + "; log 1; " + Pilots::until("go"));
    request.resources.gpus = 1;
    pilots.start(request);
  }
  REQUIRE(pilots.wait_for_values(2));
  CHECK(std::set<std::string>{text(pilots.path() / "got0"), text(pilots.path() / "got1")} ==
        std::set<std::string>{"none none 0\n", "none none 1\n"});
  pilots.touch("go");
  REQUIRE(pilots.wait_for<RunExited>(2));
}

TEST_CASE("a cancelled run has its grace period, and nothing of it stays alive in its allocation") {
  Pilots pilots;
  pilots.start(pilots.request(0,
                              "setsid sleep 12346 & trap 'sleep 4; log 2; exit 5' TERM; log 1; "
                              "while :; do sleep 0.1; done"));
  pilots.start(pilots.request(1, "log 1; " + Pilots::until("go")));
  REQUIRE(pilots.wait_for_values(2));
  pilots.target->cancel(0, CancelMode::graceful);
  REQUIRE(pilots.wait_for<RunExited>());
  CHECK(pilots.last<RunExited>().exit_code == 5);
  CHECK(pilots.values() == std::vector<double>{1, 1, 2});
  CHECK_FALSE(succeeds("pgrep -f '^sleep 12346$' > /dev/null"));
  pilots.touch("go");
  REQUIRE(pilots.wait_for<RunExited>(2));
  CHECK(pilots.last<RunExited>().exit_code == 0);
}

TEST_CASE("an engine that is replaced finds its runs in the same allocation") {
  Pilots pilots;
  std::vector<RunRequest> requests;
  for (RunId run = 0; run < 3; ++run) {
    requests.push_back(
        pilots.request(run, "echo x >> starts; log 1; " + Pilots::until("go") + "log 2; exit 3"));
    pilots.start(requests.back());
  }
  REQUIRE(pilots.wait_for_values(3));
  pilots.resume(requests);
  pilots.touch("go");
  REQUIRE(pilots.wait_for<RunExited>(3));
  CHECK(pilots.last<RunExited>().exit_code == 3);
  CHECK(pilots.values() == std::vector<double>{2, 2, 2});
  CHECK(text(pilots.path() / "starts") == "x\nx\nx\n");
  pilots.start(pilots.request(3, "exit 0"));
  REQUIRE(pilots.wait_for<RunExited>(4));
  CHECK(Pilots::allocations() == 1);
}

TEST_CASE("a connection that is cut is made again, and runs go on meanwhile") {
  Pilots pilots;
  for (RunId run = 0; run < 4; ++run)
    pilots.start(pilots.request(run, "log 1; " + Pilots::until("go") + "log 2; exit 3"));
  REQUIRE(pilots.wait_for_values(4));
  shell("pkill -KILL -P " + std::to_string(::getpid()) + " srun");
  REQUIRE(pilots.wait_for<RunUnreachable>(4));
  pilots.touch("go");
  REQUIRE(pilots.wait_for<RunExited>(4));
  CHECK(pilots.count<RunReachable>() == 4);
  CHECK(pilots.last<RunExited>().exit_code == 3);
  auto values = pilots.values();
  std::sort(values.begin(), values.end());
  CHECK(values == std::vector<double>{1, 1, 1, 1, 2, 2, 2, 2});
}

TEST_CASE(
    "an allocation that is cancelled under it loses its runs, and the next attempt asks for "
    "another") {
  Pilots pilots;
  const RunRequest request =
      pilots.request(0, "setsid sleep 12347 & echo x >> starts; log 1; " + Pilots::until("go"));
  pilots.start(request);
  REQUIRE(pilots.wait_for_values(1));
  const std::string first = pilots.job();
  shell("scancel " + first);
  REQUIRE(pilots.wait_for<RunVanished>());
  CHECK_THAT(pilots.last<RunVanished>().note, Contains("job " + first));
  CHECK_FALSE(succeeds("pgrep -f '^sleep 12347$' > /dev/null"));
  RunRequest again = request;
  again.attempt = 2;
  pilots.start(again);
  REQUIRE(pilots.wait_for_values(2));
  CHECK(pilots.job() != first);
  pilots.touch("go");
  REQUIRE(pilots.wait_for<RunExited>());
  CHECK(text(pilots.path() / "starts") == "x\nx\n");
}

TEST_CASE("an allocation that nobody needs is given back") {
  SlurmOptions options = Pilots::two_nodes();
  options.idle = std::chrono::seconds{2};
  Pilots pilots(options);
  pilots.start(pilots.request(0, "exit 0"));
  REQUIRE(pilots.wait_for<RunExited>());
  CHECK(pilots.wait_until([] { return !succeeds("squeue --me --noheader | grep -q ."); }));
  // By its nodes themselves where no engine is.
  pilots.start(pilots.request(1, "log 1; " + Pilots::until("go")));
  REQUIRE(pilots.wait_for_values(1));
  pilots.target.reset();
  CHECK(succeeds("squeue --me --noheader | grep -q ."));
  pilots.touch("go");
  CHECK(pilots.ends([] { return !succeeds("squeue --me --noheader | grep -q ."); }));
}

TEST_CASE("while the controller is dead the runs of an allocation go on, end and are cancelled") {
  const std::string folder = ::getenv("HDRIVE_SLURM_FOLDER");
  Pilots pilots;
  pilots.start(pilots.request(0, "log 1; " + Pilots::until("go") + "exit 3"));
  pilots.start(pilots.request(1, "log 1; exec sleep 1000"));
  REQUIRE(pilots.wait_for_values(2));
  REQUIRE(pilots.wait_until([&] {
    return succeeds("grep -aq " + pilots.path().string() + " " + folder + "/state/job_state");
  }));
  shell("kill -KILL $(cat " + folder + "/slurmctld.pid)");
  pilots.touch("go");
  pilots.target->cancel(1, CancelMode::graceful);
  REQUIRE(pilots.wait_for<RunExited>(2));
  pilots.start(pilots.request(2, "log 5"));
  REQUIRE(pilots.wait_for<RunExited>(3));
  CHECK(pilots.last<RunExited>().exit_code == 0);
  shell("/usr/sbin/slurmctld");
  pilots.start(pilots.request(3, "log 6"));
  REQUIRE(pilots.wait_for<RunExited>(4));
}

TEST_CASE("Slurm's warning before an allocation's time is over reaches its runs") {
  Pilots pilots;
  pilots.start(
      pilots.request(0, "trap 'echo USR1 >> heard' USR1; trap 'echo USR2 >> heard' USR2; log 1; " +
                            Pilots::until("go")));
  REQUIRE(pilots.wait_for_values(1));
  shell("scancel --batch --signal=USR2 " + pilots.job());
  REQUIRE(pilots.wait_until([&] { return !text(pilots.path() / "heard").empty(); }));
  pilots.touch("go");
  REQUIRE(pilots.wait_for<RunExited>());
  CHECK(pilots.last<RunExited>().exit_code == 0);
  CHECK(text(pilots.path() / "heard") == "USR1\n");
}

TEST_CASE("a pilot is tried as every target is") {
  Pilots pilots;
  std::vector<std::string> failed;
  StopSignal stop;
  REQUIRE(test_target(*pilots.target, *pilots.clock, pilots.path() / "target-test", stop,
                      [&](const TargetTestStep& step) {
                        if (!step.passed) failed.push_back(step.name + ": " + step.detail);
                      }));
  CHECK(failed.empty());
}

TEST_CASE("a run that asks for more than a node of the allocation has is refused") {
  Pilots pilots;
  RunRequest large = pilots.request(0, "exit 0");
  large.resources.cpus = 3;
  pilots.start(large);
  REQUIRE(pilots.wait_for<RunExited>());
  CHECK(pilots.last<RunExited>().not_started);
  CHECK_THAT(pilots.last<RunExited>().note, Contains("3 processors, and it has 2"));
}

}  // namespace
}  // namespace hdrive
