// SPDX-License-Identifier: Apache-2.0
//
// What a run finds when it starts: its directory, its environment, hdrive_run.
#include <sys/resource.h>

#include <thread>

#include "compute/embedded.h"
#include "compute/run_environment.h"
#include "compute/run_records.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

TEST_CASE("a run finds its directories and files through its environment") {
  LocalRuns runs;
  auto request =
      runs.script(0,
                  "pwd; test -d \"$HDRIVE_OUTPUTS_DIR\" && test -d \"$HDRIVE_LOGS_DIR\" && "
                  "test -d \"$HDRIVE_CHECKPOINT_DIR\" && test -f \"$HDRIVE_METRICS_FILE\" && cd "
                  "\"$HDRIVE_RUN_DIR\" && "
                  "test -f run.json && echo $HDRIVE_ATTEMPT $HDRIVE_RUN_ID $EXTRA");
  request.environment = {{"EXTRA", "more"}};
  CHECK(runs.run(request).exit_code == 0);
  CHECK(read(runs.run_directory(0) / "stdout.log") ==
        runs.directory().string() + "\n1 HD_test_0 more\n");
}

TEST_CASE("a run that was over before its beginning was heard of tells how long ago that was") {
  LocalRuns runs;
  const auto request = runs.script(0, "log x 1");
  runs.start(request);
  while (!fs::exists(request.directory / "exit.json")) std::this_thread::yield();
  const auto record = read_exit_record(request.directory);
  REQUIRE(runs.end_of(0).exit_code == 0);
  REQUIRE(runs.began.at(0).ran);
  CHECK(*runs.began.at(0).ran >= *(*record)->ended - *(*record)->started);
}

TEST_CASE("run.json tells what was started") {
  LocalRuns runs;
  auto request = runs.request(0, {"/bin/echo", "a \"b\""});
  request.parameters = {{"--lr", 0.5}};
  runs.run(request);
  const std::string text = read(runs.run_directory(0) / "run.json");
  CHECK_THAT(text, Contains("\"version\": 1") && Contains("\"run_id\": \"HD_test_0\"") &&
                       Contains("\"arguments\": [\"/bin/echo\", \"a \\\"b\\\"\"]") &&
                       Contains("{\"--lr\":0.5}"));
}

TEST_CASE("the sweep's own server is reached without a proxy") {
  RunRequest request;
  request.environment = {{"MLFLOW_TRACKING_URI", "http://127.0.0.1:20000/runs/0"}};
  const auto holds = [&](std::vector<const char*> inherited, const std::string& variable) {
    inherited.push_back(nullptr);
    const auto environment = run_environment(request, inherited.data(), "/p");
    return std::find(environment.begin(), environment.end(), variable) != environment.end();
  };
  CHECK(holds({"http_proxy=http://p:1"}, "no_proxy=127.0.0.1"));
  CHECK(holds({"HTTP_PROXY=http://p:1", "NO_PROXY=x"}, "NO_PROXY=x,127.0.0.1"));
  CHECK(!holds({"NO_PROXY=x"}, "NO_PROXY=x,127.0.0.1"));
  request.environment = {{"MLFLOW_TRACKING_URI", "http://elsewhere:20000"}};
  CHECK(!holds({"http_proxy=http://p:1"}, "no_proxy=127.0.0.1"));
}

TEST_CASE("another attempt finds its checkpoints, and the earlier attempt's files are kept aside") {
  LocalRuns runs;
  auto request =
      runs.script(0, "log first 1; echo one; echo kept > $HDRIVE_CHECKPOINT_DIR/model; exit 1");
  runs.run(request);
  request = runs.script(0, "log second 2; cat $HDRIVE_CHECKPOINT_DIR/model; echo $HDRIVE_ATTEMPT");
  request.attempt = 2;
  runs.exits.clear();
  runs.reports.clear();
  CHECK(runs.run(request).exit_code == 0);
  CHECK(runs.values(0) == std::map<std::string, double>{{"second", 2}});
  const fs::path directory = runs.run_directory(0), aside = directory / "attempt-1";
  CHECK(read(directory / "stdout.log") == "kept\n2\n");
  CHECK(read(aside / "stdout.log") == "one\n");
  CHECK_THAT(read(aside / "metrics.jsonl"), Contains("first"));
  CHECK_THAT(read(aside / "exit.json"), Contains("\"exit_code\": 1"));
}

TEST_CASE("files of an attempt that nobody knew of never replace those of another") {
  LocalRuns runs;
  auto request = runs.script(0, "log number $HDRIVE_ATTEMPT; exit 1");
  runs.run(request);
  request.attempt = 2;
  runs.exits.clear();
  runs.run(request);
  // The engine died with the machine before it had recorded that attempt 2 began.
  runs.exits.clear();
  runs.run(request);
  const fs::path directory = runs.run_directory(0);
  CHECK_THAT(read(directory / "attempt-1" / "metrics.jsonl"), Contains("1"));
  CHECK_THAT(read(directory / "attempt-1.2" / "metrics.jsonl"), Contains("2"));
  CHECK_THAT(read(directory / "metrics.jsonl"), Contains("2"));
}

TEST_CASE(
    "the environment takes the request's values over the engine's, and PYTHONPATH from both") {
  RunRequest request;
  request.directory = "/sweep/runs/0";
  request.environment = {{"A", "request"}, {"PYTHONPATH", "/mine"}, {"HDRIVE_RUN_DIR", "/wrong"}};
  const char* inherited[] = {"A=engine", "B=engine", "PYTHONPATH=/theirs", "HDRIVE_ATTEMPT=9",
                             nullptr};
  const auto environment = run_environment(request, inherited, "/sweep/runs/.python");
  const auto count = [&](const std::string& entry) {
    return std::count(environment.begin(), environment.end(), entry);
  };
  CHECK(count("A=request") == 1);
  CHECK(count("A=engine") == 0);
  CHECK(count("B=engine") == 1);
  CHECK(count("PYTHONPATH=/sweep/runs/.python:/mine") == 1);
  CHECK(count("HDRIVE_RUN_DIR=/sweep/runs/0") == 1);
  CHECK(count("HDRIVE_ATTEMPT=1") == 1);
  CHECK(count("HDRIVE_ATTEMPT=9") == 0);
}

TEST_CASE("Python prints without delay, unless somebody decided otherwise") {
  const auto unbuffered = [](std::vector<const char*> inherited) {
    inherited.push_back(nullptr);
    const auto environment = run_environment({}, inherited.data(), "/p");
    return std::count(environment.begin(), environment.end(), "PYTHONUNBUFFERED=1");
  };
  CHECK(unbuffered({}) == 1);
  CHECK(unbuffered({"PYTHONUNBUFFERED="}) == 0);
}

TEST_CASE("PYTHONPATH of the engine is kept where the request has none") {
  RunRequest request;
  const char* inherited[] = {"PYTHONPATH=/theirs", nullptr};
  const auto environment = run_environment(request, inherited, "/p");
  CHECK(std::count(environment.begin(), environment.end(), "PYTHONPATH=/p:/theirs") == 1);
}

TEST_CASE("the command's directory comes last on the PATH of a run") {
  const auto path = [](std::vector<const char*> inherited, const std::string& command) {
    inherited.push_back(nullptr);
    RunRequest request;
    for (const auto& entry : run_environment(request, inherited.data(), "/p", command))
      if (entry.starts_with("PATH=")) return entry;
    return std::string("none");
  };
  CHECK(path({"PATH=/mine:/bin"}, "/opt/hdrive/bin") == "PATH=/mine:/bin:/opt/hdrive/bin");
  CHECK(path({}, "/opt/hdrive/bin") == "PATH=/bin:/usr/bin:/opt/hdrive/bin");
  CHECK(path({"PATH=/mine"}, "") == "PATH=/mine");
  CHECK(path({}, "") == "none");
}

TEST_CASE("a Python script imports hdrive_run, reads its parameters and logs") {
  if (::access("/usr/bin/python3", X_OK) != 0) return;  // nothing to try it with
  LocalRuns runs;
  auto request =
      runs.request(0, {"/usr/bin/python3", "-c",
                       "import hdrive_run as h, os\n"
                       "h.log('twice', h.params['lr'] * 2, step=3)\n"
                       "h.log('none', float('nan')); h.log('much', float('inf'))\n"
                       "h.log('caf\\u00e9 \"x\"', 1)\n"
                       "assert h.is_active and h.attempt == 1 and h.run_id == 'HD_test_0'\n"
                       "assert os.path.isdir(h.outputs_dir) and os.path.isdir(h.logs_dir)\n"});
  request.parameters = {{"--lr", 0.25}};
  const auto end = runs.run(request);
  INFO(end.stderr_tail);
  CHECK(end.exit_code == 0);
  const auto values = runs.values(0);
  CHECK(values.at("twice") == 0.5);
  CHECK(std::isnan(values.at("none")));
  CHECK(std::isinf(values.at("much")));
  CHECK(values.count("caf\xC3\xA9 \"x\"") == 1);
  CHECK(runs.reports.front().metrics.front().step == 3);
}

TEST_CASE("beside hdrive_run lies what stands in for azureml") {
  const TemporaryDirectory directory;
  REQUIRE(install_run_modules(directory.path()));
  CHECK_THAT(read(directory.path() / "azureml" / "__init__.py"), Contains("HDRIVE_AZUREML_SDK"));
  CHECK_THAT(read(directory.path() / "azureml" / "_context.py"), Contains("class Run:"));
  for (const char* name : {"_errors.py", "_modules.py"})
    CHECK(fs::file_size(directory.path() / "azureml" / name) > 0);
}

TEST_CASE("hdrive_run is installed once and replaced when it is another version") {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "new" / "hdrive_run.py";
  REQUIRE(install_run_modules(file.parent_path()));
  CHECK(read(file) == embedded_run_module());
  CHECK_THAT(read(file), Contains("def log(name, value, step=None):"));
  const auto before = fs::last_write_time(file);
  REQUIRE(install_run_modules(file.parent_path()));
  CHECK(fs::last_write_time(file) == before);
  write(file, "old");
  REQUIRE(install_run_modules(file.parent_path()));
  CHECK(read(file) == embedded_run_module());
}

TEST_CASE("where starting from memory is refused, supervisors start from a file") {
  LocalRuns runs({}, true, /*from_memory=*/false);
  CHECK(runs.run(runs.script(0, "log a 1; exit 2")).exit_code == 2);
  CHECK(runs.run(runs.script(1, "exit 3")).exit_code == 3);
  CHECK(runs.values(0).at("a") == 1);
  CHECK(fs::exists(runs.directory() / "runs" / ".hdrive-supervisor"));
}

TEST_CASE("what an outer run or a try by hand has set is not found by a run") {
  RunRequest request;
  request.environment = {{"AZUREML_SWEEP_lr", "0.5"}};
  const char* inherited[] = {"AZUREML_SWEEP_lr=9",
                             "AZUREML_SWEEP_beta1=0.5",
                             "AZUREML_RUN_ID=outer",
                             "HDRIVE_ATTEMPT=7",
                             "HDRIVE_HOME=/mine",
                             "AZUREML_OTHER=kept",
                             nullptr};
  const auto environment = run_environment(request, inherited, "/p");
  const auto count = [&](const std::string& beginning) {
    return std::count_if(environment.begin(), environment.end(),
                         [&](const std::string& entry) { return entry.starts_with(beginning); });
  };
  CHECK(count("AZUREML_SWEEP_lr=0.5") == 1);
  CHECK(count("AZUREML_SWEEP_") == 1);
  CHECK(count("AZUREML_RUN_ID") == 0);
  CHECK(count("HDRIVE_ATTEMPT=7") == 0);
  CHECK(count("HDRIVE_HOME=/mine") == 1);
  CHECK(count("AZUREML_OTHER=kept") == 1);
}

TEST_CASE("parameters too many for a variable are in run.json, and hdrive_run finds them") {
  if (::access("/usr/bin/python3", X_OK) != 0) return;  // nothing to try it with
  LocalRuns runs;
  auto request =
      runs.request(0, {"/usr/bin/python3", "-c",
                       "import hdrive_run as h, os\n"
                       "assert 'HDRIVE_PARAMETERS' not in os.environ\n"
                       "h.log('count', len(h.params)); h.log('last', h.params['p2999'])"});
  for (int i = 0; i < 3000; ++i)
    request.parameters.push_back({"--p" + std::to_string(i), std::string(50, 'x')});
  request.parameters.back().value = 0.25;
  const auto end = runs.run(request);
  INFO(end.stderr_tail);
  CHECK(end.exit_code == 0);
  CHECK(runs.values(0) == std::map<std::string, double>{{"count", 3000}, {"last", 0.25}});
}

TEST_CASE("a command too long for the system is refused with the limit, and leaves nothing") {
  LocalRuns runs;
  const auto message = [&](RunRequest request) {
    const auto started = runs.target().start(request);
    REQUIRE_FALSE(started);
    CHECK(started.error().kind == Error::Kind::invalid);
    CHECK_FALSE(fs::exists(request.directory));
    return started.error().message();
  };
  CHECK_THAT(message(runs.request(0, {"/bin/true", std::string(3 << 20, 'x')})),
             Contains("run 0") && Contains("argument 1 is 3072 kB") && Contains("128 kB in one"));
  auto request = runs.request(0, {"/bin/true"});
  request.environment = {{"LONG", std::string(200 << 10, 'x')}};
  CHECK_THAT(message(request), Contains("variable LONG is 201 kB"));
  request = runs.request(0, {"/bin/true"});
  request.arguments.resize(100, std::string(100'000, 'x'));
  CHECK_THAT(message(request), Contains("in all") && Contains("run.json"));
}

TEST_CASE("a zero byte in what a program is to be given is refused") {
  LocalRuns runs;
  auto request = runs.request(0, {"/bin/true", std::string("x\0y", 3)});
  auto started = runs.target().start(request);
  REQUIRE_FALSE(started);
  CHECK_THAT(started.error().message(), Contains("argument 1") && Contains("zero byte"));
  request = runs.request(0, {"/bin/true"});
  request.environment = {{"NAME", std::string("x\0y", 3)}};
  started = runs.target().start(request);
  REQUIRE_FALSE(started);
  CHECK_THAT(started.error().message(), Contains("\"NAME\"") && Contains("zero byte"));
}

TEST_CASE(
    "the engine takes as many descriptors as it may, and its runs get what was there before") {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit few = before;
  few.rlim_cur = 200;
  ::setrlimit(RLIMIT_NOFILE, &few);
  LocalRuns runs;
  rlimit now{};
  ::getrlimit(RLIMIT_NOFILE, &now);
  CHECK(now.rlim_cur == before.rlim_max);
  runs.run(runs.script(0, "ulimit -Sn; ulimit -Hn"));
  CHECK(read(runs.run_directory(0) / "stdout.log") ==
        "200\n" + std::to_string(before.rlim_max) + "\n");
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_CASE("how many runs fit is known, with what allows no more") {
  LocalRuns runs;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit few = before;
  few.rlim_cur = 100;
  ::setrlimit(RLIMIT_NOFILE, &few);
  const auto capacity = runs.target().capacity();
  runs.start(runs.script(0, "exec sleep 1000"));
  const auto beside_one = runs.target().capacity();
  ::setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE(capacity);
  CHECK(capacity->runs > 5);
  CHECK(capacity->runs < 30);
  CHECK(capacity->limit == "100 open files (ulimit -n)");
  REQUIRE(beside_one);
  CHECK(std::abs(beside_one->runs - capacity->runs) <= 1);
}

TEST_CASE("a run that could not be started says of what kind that is, and leaves no attempt") {
  LocalRuns runs;
  const auto kind = [&](RunRequest request) {
    const Error why = runs.refusal_of(request);
    CHECK_FALSE(fs::exists(request.directory / "exit.json"));
    CHECK_FALSE(why.what.empty());
    runs.deferred.clear();
    return why.kind;
  };
  CHECK(kind(runs.request(0, {"./nothing"})) == Error::Kind::not_found);
  auto request = runs.request(0, {"/bin/true"});
  request.working_directory = runs.directory() / "gone";
  CHECK(kind(request) == Error::Kind::not_found);
  write(runs.directory() / "script", "exit 0");
  CHECK(kind(runs.request(0, {"./script"})) == Error::Kind::not_allowed);
  // The same attempt begins as if there had been no other.
  runs.run(runs.script(0, "echo $HDRIVE_ATTEMPT"));
  CHECK(read(runs.run_directory(0) / "stdout.log") == "1\n");
  CHECK_FALSE(fs::exists(runs.run_directory(0) / "attempt-0"));
}

TEST_CASE("where descriptors run out, starting fails with advice and leaves nothing running") {
  LocalRuns runs;
  runs.run(runs.script(100, "exit 0"));
  std::vector<base::UniqueFd> taken;
  const auto take_all = [&] {
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.emplace_back(fd);
  };
  struct rlimit before {};
  ::getrlimit(RLIMIT_NOFILE, &before);
  struct rlimit few = before;
  few.rlim_cur = 64;
  ::setrlimit(RLIMIT_NOFILE, &few);
  take_all();
  // One more descriptor at a time gets further each time; the run that starts in the end is no error.
  std::vector<std::string> errors;
  for (RunId run = 0; run < 8; ++run) {
    const auto started = runs.target().start(runs.script(run, "sleep 1000"));
    if (!started) CHECK(started.error().kind == Error::Kind::no_resources);
    if (!started) CHECK_FALSE(fs::exists(runs.run_directory(run)));
    if (started) {
      runs.target().cancel(run, CancelMode::kill);
      break;
    }
    errors.push_back(started.error().message());
    taken.pop_back();
  }
  taken.clear();
  ::setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE_FALSE(errors.empty());
  CHECK(errors.size() < 8);
  for (const std::string& error : errors) CHECK_THAT(error, Contains("ulimit -n"));
  CHECK(runs.wait_until([&] { return runs.exits.size() == 2; }));
}

TEST_CASE("a pattern that is not sound is refused when the target is made") {
  const auto made =
      make_local_target({{"acc: ([0-9"}, "accuracy", 20}, std::make_shared<RealClock>());
  REQUIRE_FALSE(made);
  CHECK_THAT(made.error().message(), Contains("acc: ([0-9"));
}

TEST_CASE("a run is told its slot and its devices, and what it asked for itself stands") {
  RunRequest request;
  request.slot = 3;
  request.gpus = {"1", "GPU-8f1c"};
  request.cpus = {4, 5};
  const char* inherited[] = {"CUDA_VISIBLE_DEVICES=0,1,2", "OMP_NUM_THREADS=64", "HDRIVE_SLOT=7",
                             nullptr};
  const auto with = [&](const std::string& variable) {
    const auto environment = run_environment(request, inherited, "/p");
    return std::count(environment.begin(), environment.end(), variable);
  };
  CHECK(with("HDRIVE_SLOT=3") == 1);
  CHECK(with("HDRIVE_SLOT=7") == 0);
  CHECK(with("CUDA_VISIBLE_DEVICES=1,GPU-8f1c") == 1);
  CHECK(with("CUDA_VISIBLE_DEVICES=0,1,2") == 0);
  CHECK(with("HIP_VISIBLE_DEVICES=1,GPU-8f1c") == 1);
  CHECK(with("CUDA_DEVICE_ORDER=PCI_BUS_ID") == 1);
  CHECK(with("OMP_NUM_THREADS=2") == 1);
  request.environment = {{"OMP_NUM_THREADS", "1"}};
  CHECK(with("OMP_NUM_THREADS=1") == 1);
  request.gpus.clear();
  CHECK(with("CUDA_VISIBLE_DEVICES=0,1,2") == 1);
}

}  // namespace
}  // namespace hdrive::compute
