// SPDX-License-Identifier: Apache-2.0
//
// The batch target over a toy in Slurm's place, whose faults are injected; and what Slurm's words mean.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "compute/batch/batch_target.h"
#include "compute/batch/job_script.h"
#include "compute/batch/slurm.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/toy_slurm.h"

namespace hdrive {
namespace {

using Catch::Contains;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool is_end(const TargetEvent& event) {
  return std::holds_alternative<RunExited>(event) || std::holds_alternative<RunVanished>(event) ||
         std::holds_alternative<RunDeferred>(event) || std::holds_alternative<RunNotFound>(event);
}

// One engine after another, and what they are told.
class Cluster {
 public:
  explicit Cluster(const SlurmOptions& options = {}, LocalTargetOptions runs = {})
      : options_(options), runs_(std::move(runs)) {
    connect();
  }

  void connect() {
    target.reset();
    compute::BatchTiming timing;
    timing.poll = milliseconds{50};
    timing.look = milliseconds{10};
    timing.beat = milliseconds{20};
    timing.patience = seconds{10};
    target = *compute::BatchTarget::make(*compute::make_slurm_system(options_, slurm.commands()),
                                         runs_, make_steady_clock(), timing);
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

  // What is told until one of these is; a minute at most.
  template <class... Wanted>
  std::vector<TargetEvent> until() {
    const auto clock = make_steady_clock();
    const Time deadline = clock->now() + std::chrono::minutes{1};
    std::vector<TargetEvent> events;
    const auto wanted = [](const TargetEvent& event) {
      return (std::holds_alternative<Wanted>(event) || ...);
    };
    while (std::none_of(events.begin(), events.end(), wanted) && clock->now() < deadline)
      target->wait(deadline, {}, events);
    return events;
  }
  std::vector<TargetEvent> until_end() {
    return until<RunExited, RunVanished, RunDeferred, RunNotFound>();
  }
  std::vector<TargetEvent> until_ends(int count) {
    std::vector<TargetEvent> events;
    const Time deadline = make_steady_clock()->now() + std::chrono::minutes{1};
    while (std::count_if(events.begin(), events.end(), is_end) < count &&
           make_steady_clock()->now() < deadline)
      target->wait(deadline, {}, events);
    REQUIRE(std::count_if(events.begin(), events.end(), is_end) == count);
    return events;
  }

  template <class Condition>
  bool wait_until(Condition condition) {
    const auto clock = make_steady_clock();
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
  test::ToySlurm slurm{directory.path() / "slurm"};
  std::shared_ptr<ComputeTarget> target;

 private:
  SlurmOptions options_;
  LocalTargetOptions runs_;
};

template <class Event>
Event the(const std::vector<TargetEvent>& events) {
  const auto found = std::find_if(events.begin(), events.end(), [](const TargetEvent& event) {
    return std::holds_alternative<Event>(event);
  });
  if (found == events.end()) FAIL("no such event was told");
  return std::get<Event>(*found);
}

TEST_CASE("a run's job is named after it and its id is the handle") {
  Cluster cluster;
  REQUIRE(cluster.target->start(cluster.request("exit 0")));
  const auto events = cluster.until_end();
  CHECK(the<RunAccepted>(events).handle == "101");
  CHECK(cluster.slurm.of_job("101", "name") == "hd-1a2b3c4d-0-1");
  CHECK(the<RunExited>(events).exit_code == 0);
}

TEST_CASE("a job gets the address by which its node reaches the sweep's server, if there is one") {
  const auto [advertised, seen] = GENERATE(table<bool, std::string>({
      {false, "none"},
      {true, "https://login1:5000/runs/0/attempts/1"},
  }));
  LocalTargetOptions runs;
  runs.environment = [](const RunRequest&) {
    return std::vector<std::pair<std::string, std::string>>{
        {"MLFLOW_TRACKING_URI", "http://127.0.0.1:5000/runs/0"}};
  };
  runs.elsewhere = [given = advertised](const RunRequest&) {
    const std::string url = "https://login1:5000/runs/0/attempts/1";
    return given ? std::optional(ServerAccess{{{"MLFLOW_TRACKING_URI", url}}, url, "secret", ""})
                 : std::nullopt;
  };
  Cluster cluster({}, runs);
  REQUIRE(cluster.target->start(cluster.request("echo ${MLFLOW_TRACKING_URI-none} > seen")));
  REQUIRE(the<RunExited>(cluster.until_end()).exit_code == 0);
  CHECK(cluster.text("seen") == seen + "\n");
}

TEST_CASE(
    "what a job logs with MLflow comes beside what it writes itself, and both are read once") {
  LocalTargetOptions runs;
  runs.elsewhere = [](const RunRequest&) { return ServerAccess{}; };
  Cluster cluster({}, runs);
  const RunRequest request = cluster.request(
      "echo '{\"name\": \"a\", \"value\": 1}' >> $HDRIVE_METRICS_FILE\n"
      "while [ ! -e go ]; do sleep 0.01; done");
  REQUIRE(cluster.target->start(request));
  const auto file = request.directory / "mlflow-metrics.jsonl";
  REQUIRE(std::filesystem::exists(file));
  std::ofstream(file, std::ios::app) << "{\"name\": \"b\", \"value\": 2}\n";
  std::vector<Metric> metrics;
  std::string cursor;
  const Time deadline = make_steady_clock()->now() + std::chrono::minutes{1};
  while (metrics.size() < 2 && make_steady_clock()->now() < deadline) {
    std::vector<TargetEvent> told;
    cluster.target->wait(deadline, {}, told);
    for (const TargetEvent& event : told)
      if (const auto* reported = std::get_if<RunReported>(&event)) {
        metrics.insert(metrics.end(), reported->metrics.begin(), reported->metrics.end());
        cursor = reported->cursor;
      }
  }
  REQUIRE(metrics.size() == 2);
  CHECK(position_from(cursor)->metrics == 26);
  CHECK(position_from(cursor)->mlflow == 26);
  std::ofstream(file, std::ios::app) << "{\"name\": \"b\", \"value\": 3}";
  std::ofstream{cluster.directory.path() / "go"};
  const auto events = cluster.until_end();
  const auto last = the<RunReported>(events);
  REQUIRE(last.metrics.size() == 1);
  CHECK(last.metrics[0].value == 3);
  const auto recorded = read_run_directory(request.directory, request.run, {});
  REQUIRE(recorded);
  CHECK(recorded->attempts.back().metrics.size() == 3);
  CHECK(recorded->attempts.back().position.mlflow == 51);
}

TEST_CASE("a controller that is down defers a submission, and nothing is left of the attempt") {
  Cluster cluster;
  cluster.slurm.set("down");
  const RunRequest request = cluster.request("exit 0");
  REQUIRE(cluster.target->start(request));
  const auto deferred = the<RunDeferred>(cluster.until_end());
  CHECK(deferred.why.kind == Error::Kind::busy);
  CHECK_THAT(deferred.why.what, Contains("Unable to contact slurm controller"));
  CHECK_FALSE(std::filesystem::exists(request.directory));
  cluster.slurm.set("down", false);
  REQUIRE(cluster.target->start(request));
  CHECK(the<RunExited>(cluster.until_end()).exit_code == 0);
}

TEST_CASE("a submission whose answer is lost starts its run once") {
  Cluster cluster;
  cluster.slurm.set("lose");
  const RunRequest request = cluster.request("echo x >> starts");
  REQUIRE(cluster.target->start(request));
  auto events = cluster.until_end();
  // Its job was quicker than the answer, or came too late and found no claim.
  if (std::holds_alternative<RunDeferred>(events.back())) {
    REQUIRE(cluster.target->start(request));
    events = cluster.until_end();
  }
  CHECK(the<RunExited>(events).exit_code == 0);
  CHECK(cluster.text("starts") == "x\n");
}

TEST_CASE("of two jobs for one run one starts it") {
  Cluster cluster;
  cluster.slurm.set("twice");
  REQUIRE(cluster.target->start(cluster.request("echo x >> starts")));
  CHECK(the<RunExited>(cluster.until_end()).exit_code == 0);
  REQUIRE(cluster.slurm.submitted() == 2);
  CHECK(cluster.text("starts") == "x\n");
}

// Three runs that are started together.
std::vector<RunRequest> three(const Cluster& cluster, const std::string& script) {
  std::vector<RunRequest> requests;
  for (const RunId run : {7, 9, 8}) {
    requests.push_back(cluster.request(script));
    requests.back().run = run;
    requests.back().directory = cluster.directory.path() / "runs" / std::to_string(run);
  }
  return requests;
}

std::map<RunId, std::string> handles(const std::vector<TargetEvent>& events) {
  std::map<RunId, std::string> result;
  for (const TargetEvent& event : events)
    if (const auto* accepted = std::get_if<RunAccepted>(&event))
      result[accepted->run] = accepted->handle;
  return result;
}

TEST_CASE("runs that start together are one job array, and each its own job of it") {
  Cluster cluster;
  for (const RunRequest& request : three(cluster, "echo $SLURM_ARRAY_TASK_ID >> ran; exit 3"))
    REQUIRE(cluster.target->start(request));
  const auto events = cluster.until_ends(3);
  CHECK(handles(events) == std::map<RunId, std::string>{{7, "101_0"}, {8, "101_1"}, {9, "101_2"}});
  CHECK(cluster.slurm.submitted() == 1);
  CHECK(cluster.slurm.of_job("101_1", "name") == "hd-1a2b3c4d-7+-1");
  for (const TargetEvent& event : events)
    if (const auto* exited = std::get_if<RunExited>(&event)) CHECK(exited->exit_code == 3);
  CHECK(cluster.text("ran").size() == 6);
  CHECK_FALSE(std::filesystem::exists(cluster.directory.path() / "runs/7/job.log"));
}

TEST_CASE("where an array is refused each run is submitted alone") {
  for (const char* fault : {"noarrays", "fewjobs"}) {
    DYNAMIC_SECTION(fault) {
      Cluster cluster;
      cluster.slurm.set(fault);
      for (const RunRequest& request : three(cluster, "exit 0"))
        REQUIRE(cluster.target->start(request));
      for (const TargetEvent& event : cluster.until_ends(3))
        if (is_end(event)) CHECK(std::get<RunExited>(event).exit_code == 0);
      CHECK(cluster.slurm.submitted() == 3);
    }
  }
}

TEST_CASE("a controller that is down defers all runs of an array") {
  Cluster cluster;
  cluster.slurm.set("down");
  for (const RunRequest& request : three(cluster, "exit 0"))
    REQUIRE(cluster.target->start(request));
  for (const TargetEvent& event : cluster.until_ends(3))
    if (is_end(event)) CHECK(std::get<RunDeferred>(event).why.kind == Error::Kind::busy);
  CHECK(cluster.slurm.submitted() == 0);
}

TEST_CASE("jobs of an array are found by name, and cancelled one by one") {
  Cluster cluster;
  cluster.slurm.set("hold");
  const auto requests = three(cluster, "exit 0");
  for (const RunRequest& request : requests) REQUIRE(cluster.target->start(request));
  cluster.until<RunAccepted>();
  cluster.connect();
  REQUIRE(cluster.target->adopt(requests));
  CHECK(handles(cluster.until<RunAccepted>()) ==
        std::map<RunId, std::string>{{7, "101_0"}, {8, "101_1"}, {9, "101_2"}});
  cluster.target->cancel(8, CancelMode::graceful);
  CHECK(the<RunNotFound>(cluster.until_end()).run == 8);
  CHECK(cluster.wait_until([&] { return cluster.text("slurm/cancelled") == "101_1 \n"; }));
}

TEST_CASE("an engine that died before it knew its job's id finds it by name") {
  Cluster cluster;
  cluster.slurm.set("hold");
  RunRequest request = cluster.request("exit 0");
  REQUIRE(cluster.target->start(request));
  cluster.until<RunAccepted>();
  cluster.connect();
  REQUIRE(request.handle.empty());
  REQUIRE(cluster.target->adopt(std::span(&request, 1)));
  CHECK(the<RunAccepted>(cluster.until<RunAccepted>()).handle == "101");
  cluster.target->cancel(0, CancelMode::graceful);
  the<RunNotFound>(cluster.until_end());
}

TEST_CASE("a waiting job that Slurm has forgotten is not found, and can start nothing later") {
  Cluster cluster;
  cluster.slurm.set("hold");
  RunRequest request = cluster.request("exit 0");
  REQUIRE(cluster.target->start(request));
  cluster.until<RunAccepted>();
  const std::string job_script = cluster.text("runs/0/job.sh");
  cluster.slurm.set("forget");
  the<RunNotFound>(cluster.until_end());
  REQUIRE_FALSE(job_script.empty());
  CHECK_FALSE(std::filesystem::exists(request.directory / "job.sh"));
}

TEST_CASE("a running job that Slurm has forgotten is followed to its end") {
  Cluster cluster;
  RunRequest request = cluster.request("until [ -e ../../go ]; do sleep 0.01; done; exit 3");
  request.working_directory = request.directory;
  REQUIRE(cluster.target->start(request));
  cluster.until<RunBegan>();
  cluster.slurm.set("forget");
  cluster.connect();
  request.handle = "101";
  REQUIRE(cluster.target->adopt(std::span(&request, 1)));
  the<RunBegan>(cluster.until<RunBegan>());
  std::ofstream(cluster.directory.path() / "go") << "\n";
  CHECK(the<RunExited>(cluster.until_end()).exit_code == 3);
}

TEST_CASE("a waiting run is out of reach while the controller is down, and reachable afterwards") {
  Cluster cluster;
  cluster.slurm.set("hold");
  REQUIRE(cluster.target->start(cluster.request("exit 0")));
  cluster.until<RunAccepted>();
  cluster.slurm.set("down");
  CHECK_THAT(the<RunUnreachable>(cluster.until<RunUnreachable>()).why,
             Contains("slurm controller"));
  cluster.slurm.set("down", false);
  the<RunReachable>(cluster.until<RunReachable>());
  cluster.target->cancel(0, CancelMode::kill);
  the<RunNotFound>(cluster.until_end());
}

TEST_CASE("a running run is cancelled though the controller is down") {
  for (const CancelMode mode : {CancelMode::graceful, CancelMode::kill}) {
    Cluster cluster;
    REQUIRE(cluster.target->start(cluster.request("exec sleep 1000")));
    cluster.until<RunBegan>();
    cluster.slurm.set("down");
    cluster.target->cancel(0, mode);
    CHECK(the<RunExited>(cluster.until_end()).signal ==
          (mode == CancelMode::kill ? SIGKILL : SIGTERM));
  }
}

TEST_CASE("the system's reasons for an end are told apart") {
  struct Row {
    const char* state;
    const char* note;
    bool vanishes, over_time;
  };
  const Row rows[] = {{"PREEMPTED", "taken from its nodes", true, false},
                      {"NODE_FAIL", "taken from its nodes", true, false},
                      {"TIMEOUT", "used up its time", false, true},
                      {"CANCELLED", "by somebody else", false, false}};
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.state) {
      Cluster cluster;
      REQUIRE(cluster.target->start(cluster.request("exec sleep 1000")));
      cluster.until<RunBegan>();
      cluster.slurm.set_state("101", row.state);
      ::kill(std::stoi(cluster.slurm.of_job("101", "pid")), SIGTERM);
      const auto events = cluster.until_end();
      if (row.vanishes) {
        CHECK_THAT(the<RunVanished>(events).note, Contains(row.note) && Contains(row.state));
        continue;
      }
      CHECK_THAT(the<RunExited>(events).note, Contains(row.note) && Contains(row.state));
      CHECK(the<RunExited>(events).over_time == row.over_time);
    }
  }
}

TEST_CASE("a job that Slurm puts back into the queue is its run's next attempt, and not its own") {
  for (const int signal : {SIGTERM, SIGKILL}) {
    Cluster cluster;
    REQUIRE(cluster.target->start(cluster.request("exec sleep 1000")));
    cluster.until<RunBegan>();
    cluster.slurm.set_state("101", "PENDING");
    ::kill(std::stoi(cluster.slurm.of_job("101", "pid")), signal);
    CHECK_THAT(the<RunVanished>(cluster.until_end()).note,
               Contains("put back into the queue") && Contains("(PENDING)"));
    CHECK(cluster.wait_until([&] { return cluster.text("slurm/cancelled") == "101 \n"; }));
  }
}

TEST_CASE(
    "a program that heard of its job's end before its supervisor did is taken from its node all "
    "the same") {
  Cluster cluster;
  REQUIRE(cluster.target->start(cluster.request("echo $$ > program; exec sleep 1000")));
  cluster.until<RunBegan>();
  REQUIRE(cluster.wait_until([&] { return cluster.text("program").ends_with('\n'); }));
  cluster.slurm.set_state("101", "PENDING");
  ::kill(std::stoi(cluster.text("program")), SIGTERM);
  CHECK_THAT(the<RunVanished>(cluster.until_end()).note, Contains("put back into the queue"));
}

TEST_CASE("what squeue has forgotten sacct tells, where accounting is set up") {
  Cluster cluster;
  cluster.slurm.set("accounting");
  REQUIRE(cluster.target->start(cluster.request("exec sleep 1000")));
  cluster.until<RunBegan>();
  cluster.slurm.set_state("101", "TIMEOUT");
  cluster.slurm.set("forget");
  ::kill(std::stoi(cluster.slurm.of_job("101", "pid")), SIGTERM);
  const auto exited = the<RunExited>(cluster.until_end());
  CHECK(exited.over_time);
  CHECK_THAT(exited.note, Contains("(TIMEOUT)"));
}

TEST_CASE("a run whose supervisor was killed is lost, or out of memory where Slurm says so") {
  for (const char* state : {"FAILED", "OUT_OF_MEMORY"}) {
    DYNAMIC_SECTION(state) {
      Cluster cluster;
      REQUIRE(cluster.target->start(cluster.request("exec sleep 1000")));
      cluster.until<RunBegan>();
      cluster.slurm.set_state("101", state);
      ::kill(std::stoi(cluster.slurm.of_job("101", "pid")), SIGKILL);
      const auto events = cluster.until_end();
      if (std::string(state) == "FAILED") {
        CHECK_THAT(the<RunVanished>(events).note, Contains("job 101 ended without exit.json"));
      } else {
        CHECK(the<RunExited>(events).signal == SIGKILL);
        CHECK_THAT(the<RunExited>(events).note, Contains("more memory than it had asked for"));
      }
    }
  }
}

TEST_CASE("a job that ends before its run tells why by its log") {
  SlurmOptions options;
  options.setup = {"echo no such module >&2", "exit 9"};
  Cluster cluster(options);
  REQUIRE(cluster.target->start(cluster.request("exit 0")));
  const auto exited = the<RunExited>(cluster.until_end());
  CHECK(exited.not_started);
  CHECK_THAT(exited.note, Contains("ended before the run began (FAILED)"));
  CHECK_THAT(exited.stderr_tail, Contains("no such module"));
}

TEST_CASE("the warning before a job's time is over reaches the script as asked") {
  for (const auto& [signal, sent] : {std::pair{"USR1", SIGUSR2}, std::pair{"TERM", SIGHUP}}) {
    SlurmOptions options;
    options.signal = signal;
    Cluster cluster(options);
    const std::string script = std::string("trap 'echo told; exit 4' ") + signal +
                               "; echo x > ../../ready; while :; do sleep 0.01; done";
    RunRequest request = cluster.request(script);
    request.working_directory = request.directory;
    REQUIRE(cluster.target->start(request));
    cluster.until<RunBegan>();
    const auto clock = make_steady_clock();
    const Time deadline = clock->now() + std::chrono::minutes{1};
    std::vector<TargetEvent> events;
    while (cluster.text("ready").empty() && clock->now() < deadline)
      cluster.target->wait(clock->now() + milliseconds{10}, {}, events);
    ::kill(std::stoi(cluster.slurm.of_job("101", "pid")), sent);
    CHECK(the<RunExited>(cluster.until_end()).exit_code == 4);
    CHECK(cluster.text("runs/0/stdout.log") == "told\n");
  }
}

TEST_CASE("what a run asks for is said in sbatch's words") {
  SlurmOptions options;
  options.partition = "gpu";
  options.gres = "lscratch:10";
  options.signal = "TERM";
  options.signal_before = milliseconds{90'500};
  options.directives = {"--exclusive"};
  compute::BatchJob job{"hd-a-1-1", "/r/50%/job.sh", "/r/50%", "/r/50%/job.log", ""};
  job.resources.cpus = 4;
  job.resources.gpus = 0.5;
  job.resources.memory = std::uint64_t{3} << 30;
  job.resources.nodes = 2;
  job.time = seconds{61};
  const auto system = *compute::make_slurm_system(options);
  CHECK(*system->submit(job) ==
        std::vector<std::string>{"sbatch", "--parsable", "--no-requeue", "--open-mode=append",
                                 "--job-name=hd-a-1-1", "--chdir=/r/50%",
                                 "--output=/r/50%%/job.log", "--partition=gpu", "--nodes=2",
                                 "--ntasks-per-node=1", "--cpus-per-task=4", "--mem=3145728K",
                                 "--gres=lscratch:10,gpu:1", "--time=2", "--signal=B:HUP@91",
                                 "--exclusive", "/r/50%/job.sh"});
}

TEST_CASE("options of Slurm that contradict the target are refused with what is allowed") {
  SlurmOptions options;
  options.signal = "KILL";
  CHECK_THAT(compute::make_slurm_system(options).error().message(), Contains("write USR1 or TERM"));
}

TEST_CASE("Slurm's states are read, also those of arrays and of sacct") {
  const auto system = *compute::make_slurm_system({});
  const auto states = *system->states(
      {0, "7_2|PENDING|hd-a-40+-1\n8|CANCELLED by 1000|b\n9|SIGNALING|c\n10|OUT_OF_MEMORY|d\n", ""},
      {});
  REQUIRE(states.size() == 4);
  CHECK(states[0].job == "7_2");
  CHECK(states[0].name == "hd-a-42-1");
  CHECK(states[0].state == JobState::queued);
  CHECK(states[1].state == JobState::canceled);
  CHECK(states[2].state == JobState::running);
  CHECK(states[3].end == compute::JobEnd::memory);
  CHECK_FALSE(
      system->states({1, "", "slurm_load_jobs error: Unable to contact slurm controller"}, {}));
  CHECK_FALSE(system->submitted({0, "no number", ""}));
  // What sbatch says on a machine that has its configuration from the controller.
  CHECK(system->submitted({1, "", "sbatch: fatal: Could not establish a configuration source"})
            .error()
            .kind == Error::Kind::busy);
  CHECK(*system->submitted({0, "1234;cluster\n", ""}) == "1234");
}

TEST_CASE("a job's script keeps what the job has and adds what the run needs") {
  RunRequest request;
  request.run_id = "HD_a_0";
  request.directory = "/r/it's";
  request.arguments = {"python3", "a b.py", ""};
  request.environment = {{"HDRIVE_PATH_FIRST", "/venv/bin"}};
  compute::JobScript parts;
  parts.supervisor = "/r/.hdrive-supervisor";
  parts.python = "/r/.python";
  parts.claim = ".start-1";
  const std::string text = *compute::job_script(request, parts);
  CHECK_THAT(text, Contains("cd '/r/it'\\''s' || exit 65\n"));
  CHECK_THAT(text, Contains("export PATH='/venv/bin'\"${PATH:+:$PATH}\"\n"));
  CHECK_THAT(text, Contains("export PYTHONPATH='/r/.python'\"${PYTHONPATH:+:$PYTHONPATH}\"\n"));
  CHECK_THAT(text, Contains("'.start-1' '' 'python3' 'a b.py' '' 3> /dev/null\n"));
  request.environment = {{"A-B", "1"}};
  CHECK_THAT(compute::job_script(request, parts).error().message(), Contains("A-B"));
}

}  // namespace
}  // namespace hdrive
