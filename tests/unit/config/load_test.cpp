// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kMicrosoftsExample = R"(# hdconfig.yml
sampling:
    type: random # Supported options: Random, Grid, Bayesian
    parameter_space: # specify a name|expression|values tuple for each parameter.
    - name: --penalty # The name of a script parameter to generate values for.
      expression: choice # supported options: choice, randint, uniform, ...
      values: [0.5, 1, 1.5] # The list of values
policy:
    type: BanditPolicy # Supported options: BanditPolicy, MedianStoppingPolicy, ...
    evaluation_interval: 1 # Policy properties are policy specific.
    slack_factor: 0.2
primary_metric_name: Accuracy # The metric used when evaluating the policy
primary_metric_goal: Maximize # Maximize|Minimize
max_total_runs: 8 # The maximum number of runs to generate
max_concurrent_runs: 2 # The number of runs that can run concurrently.
max_duration_minutes: 100 # The maximum length of time to run the experiment before cancelling.
)";

TEST_CASE("HyperDrive's example file reads as it is meant") {
  const LoadedConfig loaded = parse(kMicrosoftsExample);
  CHECK(messages(loaded.problems) == "");
  REQUIRE(loaded.ok());
  SweepSpec expected;
  expected.sampling = {"random", {}};
  expected.space.parameters = {{"--penalty", Choice{{0.5, std::int64_t{1}, 1.5}}}};
  expected.policy = {"bandit", {{"evaluation_interval", std::int64_t{1}}, {"slack_factor", 0.2}}};
  expected.primary_metric = "Accuracy";
  expected.goal = Goal::maximize;
  expected.max_total_runs = 8;
  expected.max_concurrent_runs = 2;
  expected.max_duration = minutes(100);
  expected.source_directory = "/nowhere";
  CHECK(loaded.spec == expected);
  CHECK_FALSE(loaded.seed_given);
  CHECK(loaded.concurrency_given);
}

TEST_CASE("Every key of our own reaches its field") {
  const Folder folder;
  std::filesystem::create_directories(folder.path() / "src");
  const LoadedConfig loaded = parse_config(around(R"(
seed: 18446744073709551615
name: first try
experiment_name: digits
command: [python3, -c, pass, --epochs, 20, --flag, true]
append_parameters: false
source_directory: src/
environment_variables: {OMP_NUM_THREADS: 1, TEXT: "a b", EMPTY: ""}
max_run_duration_seconds: 1.5
cancel_grace_seconds: 0
max_lost_retries: 0
metric_patterns: 'acc=(\S+)'
stop_without_primary_metric: false
stop_when_all_fail: False
max_duration_minutes: 0.5
)"),
                                           "hdconfig.yml", folder.path());
  const SweepSpec& spec = loaded.spec;
  CHECK(loaded.ok());
  CHECK(loaded.seed_given);
  CHECK(spec.seed == 18446744073709551615U);
  CHECK(spec.name == "first try");
  CHECK(spec.experiment == "digits");
  CHECK(spec.command ==
        std::vector<std::string>{"python3", "-c", "pass", "--epochs", "20", "--flag", "true"});
  CHECK_FALSE(spec.append_parameters);
  CHECK(spec.source_directory == folder.path() / "src");
  CHECK(spec.environment_variables == std::map<std::string, std::string>{{"OMP_NUM_THREADS", "1"},
                                                                         {"TEXT", "a b"},
                                                                         {"EMPTY", ""}});
  CHECK(spec.max_run_duration == std::chrono::milliseconds(1500));
  CHECK(spec.cancel_grace == seconds(0));
  CHECK(spec.max_lost_retries == 0);
  CHECK(spec.metric_patterns == std::vector<std::string>{R"(acc=(\S+))"});
  CHECK_FALSE(spec.stop_without_primary_metric);
  CHECK_FALSE(spec.stop_when_all_fail);
  CHECK(spec.max_duration == seconds(30));
}

TEST_CASE("Enumerations are taken in any case") {
  const LoadedConfig loaded = parse(R"(
sampling:
  type: GRID
  parameter_space:
  - {name: x, expression: Choice, values: [1]}
policy: {type: medianstoppingpolicy}
primary_metric_name: loss
primary_metric_goal: MINIMIZE
max_total_runs: 1
)");
  CHECK(messages(loaded.problems) == "");
  CHECK(loaded.spec.sampling.name == "grid");
  CHECK(loaded.spec.policy.name == "median_stopping");
  CHECK(loaded.spec.goal == Goal::minimize);
}

TEST_CASE(
    "Without max_concurrent_runs the machine's processors count, and never more than the runs") {
  const LoadedConfig loaded = parse(R"(
sampling: {type: random, parameter_space: [{name: x, expression: uniform, values: [0, 1]}]}
primary_metric_name: loss
primary_metric_goal: minimize
max_total_runs: 1
)");
  CHECK(messages(loaded.problems) == "");
  CHECK_FALSE(loaded.concurrency_given);
  CHECK(loaded.spec.max_concurrent_runs == 1);
}

TEST_CASE("A policy left out, empty, or with interval 0 is what HyperDrive takes it for") {
  CHECK(parse(around("")).spec.policy == AlgorithmSpec{"no_termination", {}});
  CHECK(parse(around("policy:\n")).spec.policy == AlgorithmSpec{"no_termination", {}});
  const auto policy =
      parse(around("policy: {type: bandit, slack_amount: 1, evaluation_interval: 0}")).spec.policy;
  CHECK(policy ==
        AlgorithmSpec{"bandit", {{"evaluation_interval", std::int64_t{1}}, {"slack_amount", 1.0}}});
}

TEST_CASE("Aliases stand for what they name, and JSON is YAML") {
  const LoadedConfig loaded = parse(R"({"sampling": {"type": "random", "parameter_space": [
  {"name": "x", "expression": "choice", "values": [&o "a\u00e9\/", *o]}]},
  "primary_metric_name": "loss", "primary_metric_goal": "minimize", "max_total_runs": 3})");
  REQUIRE(loaded.ok());
  CHECK(loaded.spec.space.parameters[0].expression ==
        Expression(Choice{{std::string("aé/"), std::string("aé/")}}));
}

TEST_CASE("A file is read from disk, and what is wrong with its path is said") {
  const Folder folder;
  const auto file = folder.write("hdconfig.yml", "\xEF\xBB\xBF" + around("") + "\r\n");
  CHECK(load_config(file, no_command()).ok());
  CHECK(load_config(file, no_command()).spec.source_directory == folder.path());
  const auto missing = folder.path() / "hdconfg.yml";
  CHECK(messages(load_config(missing).problems) ==
        missing.string() + ": the file does not exist; did you mean \"hdconfig.yml\"?\n");
  CHECK(messages(load_config(folder.path()).problems) ==
        folder.path().string() + ": this is a directory; allowed: a file; did you mean \"" +
            file.string() + "\"?\n");
  const auto empty = folder.write("empty.yml", "# nothing\n");
  CHECK(messages(load_config(empty).problems) ==
        empty.string() +
            ":1:1: the file is empty; it needs at least sampling, primary_metric_name, "
            "primary_metric_goal, max_total_runs\n");
}

TEST_CASE("A file without a command is refused where runs are processes") {
  CHECK(told(around(""), {}) ==
        "hdconfig.yml: there is no command to run; give it after --, as in: hdrive run "
        "hdconfig.yml -- python train.py, or as the key \"command\"\n");
  CHECK(told(around(""), no_command()) == "");
}

}  // namespace
}  // namespace hdrive
