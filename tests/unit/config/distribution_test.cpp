// SPDX-License-Identifier: Apache-2.0
//
// distribution, in hdconfig.yml and in v2 jobs.
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;
using Catch::Contains;

TEST_CASE("A distribution is a word, or a mapping that says more") {
  LoadedConfig loaded =
      parse(around("distribution: pytorch\nresources: {processes_per_node: 4}\n"));
  CHECK(messages(loaded.problems) == "");
  CHECK(loaded.spec.distribution.type == DistributionType::pytorch);
  CHECK(loaded.spec.processes_per_node == 4);
  CHECK(parse(to_hdconfig(loaded.spec)).spec == loaded.spec);

  loaded =
      parse(around("distribution: {type: tensorflow, worker_count: 3, parameter_server_count: 1, "
                   "metrics: all}\n"));
  CHECK(messages(loaded.problems) == "");
  CHECK(loaded.spec.distribution == Distribution{DistributionType::tensorflow, 3, 1, true, {}});
  CHECK(parse(to_hdconfig(loaded.spec)).spec == loaded.spec);

  loaded = parse(
      around("distribution: {type: MPI, processes_per_node: 2, launcher: srun --mpi=pmix}\n"));
  CHECK(messages(loaded.problems) == "");
  CHECK(loaded.spec.processes_per_node == 2);
  CHECK(loaded.spec.distribution.launcher == std::vector<std::string>{"srun", "--mpi=pmix"});
  CHECK(parse(to_hdconfig(loaded.spec)).spec == loaded.spec);

  CHECK(parse(around("distribution: none\n")).spec.distribution == Distribution{});
}

TEST_CASE("A distribution that cannot be is refused with what is allowed") {
  CHECK_THAT(
      told(around("distribution: pytorhc\n")),
      Contains("hdconfig.yml:9:15: \"distribution\" is the text \"pytorhc\"; allowed: pytorch, "
               "mpi, tensorflow or none; did you mean \"pytorch\"?"));
  CHECK_THAT(told(around("distribution: ray\n")), Contains("start Ray in the script itself"));
  CHECK_THAT(told(around("distribution: {type: mpi, worker_count: 2}\n")),
             Contains("\"worker_count\" is a key of type tensorflow alone"));
  CHECK_THAT(told(around("distribution: {type: pytorch, launcher: mpirun}\n")),
             Contains("\"launcher\" is a key of type mpi alone"));
  CHECK_THAT(told(around("distribution: {processes_per_node: 2}\n")), Contains("\"type\""));
  CHECK_THAT(told(around("distribution: {type: pytorch, metrics: rank0}\n")),
             Contains("allowed: rank_0 or all; did you mean \"rank_0\"?"));
  CHECK_THAT(told(around("distribution: {type: pytorch, processes_per_node: 2}\n"
                         "resources: {processes_per_node: 3}\n")),
             Contains("another number"));
  CHECK_THAT(told(around("distribution: {type: tensorflow, worker_count: 900, "
                         "parameter_server_count: 900}\n")),
             Contains("at most 1000"));
  CHECK_THAT(told(around("distribution: {type: mpi, launcher: [mpirun, \"a b\"]}\n")),
             Contains("words without blanks"));
}

TEST_CASE("A v2 job says the same, and is written so that it does") {
  const auto of_job = [](const std::string& trial) {
    return parse(
        "type: sweep\nsampling_algorithm: random\nsearch_space: {x: {type: uniform, "
        "min_value: 0, max_value: 1}}\nobjective: {primary_metric: loss, goal: minimize}\n"
        "limits: {max_total_trials: 3}\ntrial:\n  command: python train.py\n" +
        trial);
  };
  LoadedConfig loaded = of_job(
      "  distribution: {type: pytorch, process_count_per_instance: 4}\n"
      "  resources: {instance_count: 2}\n");
  CHECK(loaded.spec.distribution.type == DistributionType::pytorch);
  CHECK(loaded.spec.processes_per_node == 4);
  CHECK(loaded.spec.nodes_per_run == 2);
  loaded = of_job(
      "  distribution: {type: tensorflow, parameter_server_count: 1}\n"
      "  resources: {instance_count: 2}\n");
  CHECK(loaded.spec.distribution == Distribution{DistributionType::tensorflow, 2, 1, false, {}});
  CHECK_THAT(messages(of_job("  distribution: {type: ray}\n").problems),
             Contains("start Ray in the script itself"));
}

TEST_CASE("On this machine a run has one node, and its processes are started by somebody") {
  ConfigOverrides overrides;
  overrides.needs_files = true;
  const auto told_here = [&](const std::string& lines) {
    return messages(parse(around(lines), overrides).problems);
  };
  CHECK_THAT(told_here("resources: {nodes: 2}\n"),
             Contains("9:20: a run has 2 nodes, but this machine is one"));
  CHECK_THAT(told_here("resources: {processes_per_node: 2}\n"),
             Contains("9:33: a run has 2 processes, but nothing says what starts them"));
}

}  // namespace
}  // namespace hdrive
