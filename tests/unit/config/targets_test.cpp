// SPDX-License-Identifier: Apache-2.0
#include "hdrive/targets.h"

#include <fstream>

#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace hdrive {
namespace {

constexpr const char* kExample = R"(# The machines of the group.
targets:
  workstation: {type: ssh, hosts: [{host: node1, port: 2201, user: ada, identity_file: ~/.ssh/id, slots: 2}]}
  cluster: {type: slurm, partition: gpu, slots: 100}
)";

class File {
 public:
  explicit File(const std::string& text) { std::ofstream(path()) << text; }
  fs::path path() const { return folder_.path() / kTargetsFile; }
  LoadedTargets load() const { return load_targets({path()}); }

 private:
  test::TemporaryDirectory folder_;
};

std::string messages(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems)
    text += std::to_string(problem.line) + ":" + std::to_string(problem.column) + " " +
            problem.text + "\n";
  return text;
}

std::string problems_of(const std::string& text) { return messages(File(text).load().problems); }

const NamedTarget& target(const LoadedTargets& loaded, const std::string& name) {
  for (const NamedTarget& each : loaded.targets)
    if (each.name == name) return each;
  FAIL("no target " + name);
  return loaded.targets.front();
}

TEST_CASE("targets.yml names places and their options") {
  const LoadedTargets loaded = File(kExample).load();
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  REQUIRE(loaded.targets.size() == 2);
  CHECK(target(loaded, "workstation").line == 3);
  const auto& ssh = std::get<SshOptions>(target(loaded, "workstation").options);
  CHECK(ssh.hosts == std::vector<SshHost>{{"node1", 2201, "ada", "~/.ssh/id", 2, {}}});
  CHECK(ssh.lost_after == std::chrono::milliseconds(0));
  CHECK(target(loaded, "cluster").slots == 100);
  CHECK(std::get<SlurmOptions>(target(loaded, "cluster").options).partition == "gpu");
}

TEST_CASE("Hosts are names or mappings, and durations have units") {
  const LoadedTargets loaded = File(R"(targets:
  lab:
    type: SSH
    hosts: [node1, ada@node2, ada@node3:2203, "[fe80::1]:22", {host: ada@node4:22, slots: 3, gpus: [0, 1]}]
    lost_after: 10m
    python: /opt/venv/bin
    config_file: ssh.conf
  queue: {type: slurm, signal: SIGUSR1@120, poll: 2, directives: --exclusive}
  pilot: {type: slurm, pilot: true, nodes: 2, cpus: 16, time: 4h, idle: 5m}
  grid:
    type: command
    system: sge
    states: {hold: queued, gone: Cancelled}
    submit: "qsub -terse [-q '{queue}'] {options} {script}"
    queue: short
    options: [-l, hostname=node1]
    poll: PT1M
)")
                                   .load();
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  const auto& ssh = std::get<SshOptions>(target(loaded, "lab").options);
  CHECK(ssh.hosts == std::vector<SshHost>{{"node1", 0, "", "", 0, {}},
                                          {"node2", 0, "ada", "", 0, {}},
                                          {"node3", 2203, "ada", "", 0, {}},
                                          {"fe80::1", 22, "", "", 0, {}},
                                          {"node4", 22, "ada", "", 3, {"0", "1"}}});
  CHECK(ssh.lost_after == std::chrono::minutes(10));
  CHECK(ssh.python == "/opt/venv/bin");
  CHECK(ssh.config_file == target(loaded, "lab").file.parent_path() / "ssh.conf");
  const auto& grid = std::get<CommandOptions>(target(loaded, "grid").options);
  CHECK(grid.submit ==
        std::vector<std::string>{"qsub", "-terse", "[-q", "{queue}]", "{options}", "{script}"});
  CHECK(grid.states ==
        std::map<std::string, JobState>{{"hold", JobState::queued}, {"gone", JobState::canceled}});
  CHECK(grid.options == std::vector<std::string>{"-l", "hostname=node1"});
  CHECK(grid.poll == std::chrono::minutes(1));
  const auto& slurm = std::get<SlurmOptions>(target(loaded, "queue").options);
  CHECK(slurm.signal == "USR1");
  CHECK(slurm.signal_before == std::chrono::seconds(120));
  CHECK(slurm.directives == std::vector<std::string>{"--exclusive"});
  const auto& pilot = std::get<SlurmOptions>(target(loaded, "pilot").options);
  CHECK(pilot.pilot);
  CHECK(pilot.time == std::chrono::hours(4));
  CHECK(pilot.idle == std::chrono::minutes(5));
  CHECK(slots_of(target(loaded, "pilot")) == 32);
}

TEST_CASE(
    "What is wrong in targets.yml is told with its place, what is allowed and what was meant") {
  CHECK_THAT(problems_of("targets:\n  a: {type: shh, hosts: [x]}\n"),
             Contains("2:13 unknown type \"shh\" of the target \"a\"; allowed: local, ssh, slurm, "
                      "command; did you mean \"ssh\"?"));
  CHECK_THAT(problems_of("targets:\n  a: {type: ssh, host: node1}\n"),
             Contains("did you mean \"hosts\"?"));
  CHECK_THAT(problems_of("targets:\n  a: {type: ssh}\n"),
             Contains("key \"hosts\" is missing of the target \"a\" of type ssh"));
  CHECK_THAT(problems_of("targets:\n  a: {hosts: [x]}\n"),
             Contains("\"type\" of the target \"a\" is missing"));
  CHECK_THAT(problems_of("targets:\n  a: {type: ssh, hosts: [x:y]}\n"),
             Contains("a host is the text \"x:y\""));
  CHECK_THAT(problems_of("targets:\n  a: {type: ssh, hosts: [x, x]}\n"),
             Contains("\"x\" is listed twice"));
  CHECK_THAT(problems_of("targets:\n  a: {type: ssh, hosts: [{host: x, port: 70000}]}\n"),
             Contains("an integer from 1 to 65535"));
  CHECK_THAT(
      problems_of("targets:\n  a: {type: ssh, hosts: [x], lost_after: 3}\n"),
      Contains("2:42 \"lost_after\" is the integer 3; allowed: at least 30 seconds, such as 10m"));
  CHECK_THAT(problems_of("targets:\n  a: {type: slurm, signal: KILL}\n"), Contains("USR1 or TERM"));
  CHECK_THAT(problems_of("targets:\n  a: {type: slurm, nodes: 2}\n"),
             Contains("2:27 \"nodes\" is of the allocation that pilot: true asks for") &&
                 Contains("add pilot: true"));
  CHECK_THAT(problems_of("targets:\n  a: {type: slurm, pilot: true, time: 5}\n"),
             Contains("give at least 1m"));
  CHECK_THAT(problems_of("targets:\n  a: {type: command, system: sge, states: {r: runing}}\n"),
             Contains("did you mean \"running\"?"));
  CHECK_THAT(problems_of("targets:\n  a: {type: command, submit: 'qsub {script}'}\n"),
             Contains("2:3 \"status\" is missing, and no \"system\" is named that has one (the "
                      "target \"a\")"));
  CHECK_THAT(problems_of("targets:\n  a:\n    type: command\n    system: sge\n"
                         "    submit: qsub {script} {nmae}\n"),
             Contains("5:13 \"submit\": there is no placeholder {nmae}; allowed: {script}") &&
                 Contains("did you mean \"name\"?"));
  CHECK_THAT(problems_of("targets:\n  a: {type: command, system: slurm, submit: \"'\"}\n"),
             Contains("\"submit\": "));
  CHECK_THAT(problems_of("targets:\n  local: {type: slurm}\n"),
             Contains("is this machine, and always there"));
  CHECK_THAT(problems_of("targets:\n  a b: {type: slurm}\n"),
             Contains("a target is called \"a b\"; allowed"));
  CHECK_THAT(problems_of("target:\n  a: {type: slurm}\n"),
             Contains("unknown key \"target\"; allowed: targets"));
  CHECK_THAT(problems_of("- a\n"), Contains("the file is a list; allowed: a mapping"));
  CHECK(problems_of("") == "");
}

TEST_CASE("No secret is kept in targets.yml") {
  const std::string text =
      problems_of("targets:\n  a: {type: ssh, hosts: [{host: x, password: hunter2}]}\n");
  CHECK_THAT(text, Contains("2:36 \"password\": secrets are not kept in files"));
  CHECK_THAT(text, !Contains("unknown key"));
  CHECK_THAT(text, !Contains("hunter2"));
}

TEST_CASE("Of two targets with one name that of the first file counts") {
  const File mine("targets:\n  a: {type: slurm, partition: mine}\n"),
      theirs("targets:\n  a: {type: slurm, partition: theirs}\n  b: {type: slurm}\n");
  const LoadedTargets loaded =
      load_targets({"/nowhere/targets.yml", mine.path(), theirs.path(), mine.path()});
  REQUIRE(loaded.targets.size() == 2);
  CHECK(std::get<SlurmOptions>(target(loaded, "a").options).partition == "mine");
  REQUIRE(loaded.hidden.size() == 1);
  CHECK(loaded.hidden[0].file == theirs.path());
}

TEST_CASE("Targets are found by their names, and this machine always") {
  const LoadedTargets loaded = File(std::string(kExample) + "  broken: {type: ssh}\n").load();
  const auto found = find_targets(loaded, {"cluster", "local"});
  REQUIRE(found);
  CHECK((*found)[0].type == "slurm");
  CHECK((*found)[1].type == "local");
  const auto unknown = find_targets(loaded, {"clutser"});
  REQUIRE_FALSE(unknown);
  CHECK_THAT(unknown.error().message(),
             Contains("allowed: local, workstation, cluster; did you mean \"cluster\"?"));
  const auto broken = find_targets(loaded, {"broken"});
  REQUIRE_FALSE(broken);
  CHECK_THAT(broken.error().message(), Contains("key \"hosts\" is missing"));
}

// ---- files that name a target ---------------------------------------------------------------------

constexpr const char* kSweep =
    R"(sampling: {type: random, parameter_space: [{name: x, expression: uniform, values: [0, 1]}]}
primary_metric_name: m
primary_metric_goal: maximize
max_total_runs: 500
)";

// A project's folder with targets.yml.
class Project {
 public:
  explicit Project(const std::string& targets = kExample) { write(kTargetsFile, targets); }
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  LoadedConfig load(const std::string& text, ConfigOverrides overrides = {}) const {
    write("hdconfig.yml", text);
    overrides.needs_command = false;
    return load_config(path("hdconfig.yml"), overrides);
  }

 private:
  test::TemporaryDirectory folder_;
};

TEST_CASE("A sweep has as many runs at once as its targets have slots") {
  const Project project;
  const std::string sweep = kSweep;
  CHECK(project.load(sweep + "target: [workstation, cluster]\n").spec.max_concurrent_runs == 102);
  CHECK(project.load(sweep + "target: workstation\nmax_concurrent_runs: auto\n")
            .spec.max_concurrent_runs == 2);
  CHECK(
      project.load(sweep + "target: cluster\nmax_concurrent_runs: 7\n").spec.max_concurrent_runs ==
      7);
}

TEST_CASE(
    "A target that is not there is told where it is named, and stops a sweep that is to run") {
  const Project project;
  ConfigOverrides overrides;
  overrides.needs_files = true;
  const LoadedConfig loaded = project.load(std::string(kSweep) + "target: clutser\n", overrides);
  CHECK_FALSE(loaded.ok());
  CHECK_THAT(messages(loaded.problems),
             Contains("5:1 target clutser: there is no target of this name; allowed: local, "
                      "workstation, cluster; did you mean \"cluster\"?"));
}

TEST_CASE("Azure's files name targets, too") {
  const Project project;
  project.write("azureml.yml", "computes: {big-cluster: cluster, theirs: local}\n");
  const auto job = [&](const std::string& compute) {
    project.write("job.yml",
                  "type: command\ncommand: echo\nenvironment: azureml:none@latest\ncompute: " +
                      compute + "\n");
    return load_config(project.path("job.yml"));
  };
  CHECK(job("azureml:workstation").spec.targets == std::vector<std::string>{"workstation"});
  CHECK(job("azureml:big-cluster").spec.targets == std::vector<std::string>{"cluster"});
  CHECK(job("azureml:theirs").spec.targets.empty());
  CHECK_THAT(messages(job("azureml:none").problems), Contains("azureml:none"));

  project.write("train.runconfig", "script: train.py\ntarget: cluster\n");
  project.write("train.py", "");
  ConfigOverrides overrides;
  overrides.run_configuration = project.path("train.runconfig");
  CHECK(project.load(kSweep, overrides).spec.targets == std::vector<std::string>{"cluster"});
  CHECK(project.load(std::string(kSweep) + "target: local\n", overrides).spec.targets.empty());
}

// ---- changes of the file -------------------------------------------------------------------------

std::string edited(const std::string& text, const TargetEdit& edit) {
  const EditedTargets after = edit_targets(text, "targets.yml", edit);
  INFO(messages(after.problems));
  REQUIRE(after.problems.empty());
  return after.text;
}

std::string refused(const std::string& text, const TargetEdit& edit) {
  const EditedTargets after = edit_targets(text, "targets.yml", edit);
  CHECK(after.text.empty());
  return messages(after.problems);
}

using Kind = TargetEdit::Kind;

TEST_CASE("A target is added behind the others, and the file stays as it was") {
  CHECK(edited(kExample,
               {Kind::add, "lab", {{"type", "ssh"}, {"hosts", "[ada@node2]"}, {"slots", "4"}}}) ==
        std::string(kExample) +
            "  lab:\n    type: ssh\n    hosts: [\"ada@node2\"]\n    slots: 4\n");
  CHECK(edited("", {Kind::add, "q", {{"type", "slurm"}}}) == "targets:\n  q:\n    type: slurm\n");
  CHECK(edited("# mine\ntargets: {}\n", {Kind::add, "q", {{"type", "slurm"}}}) ==
        "# mine\ntargets:\n  q:\n    type: slurm\n");
  CHECK(edited("targets:\n    a:\n        type: slurm\n# the end\n",
               {Kind::add, "q", {{"type", "slurm"}}}) ==
        "targets:\n    a:\n        type: slurm\n    q:\n      type: slurm\n# the end\n");
}

TEST_CASE("A target is changed key by key") {
  const std::string text =
      "targets:\n  a:\n    type: slurm  # ours\n    partition: gpu\n    setup:\n    - module load "
      "cuda\n  b: {type: slurm}\n";
  CHECK(edited(text, {Kind::change, "a", {{"partition", "cpu"}, {"slots", "3"}}}) ==
        "targets:\n  a:\n    type: slurm  # ours\n    partition: cpu\n    setup:\n    - module "
        "load cuda\n    slots: 3\n  b: {type: slurm}\n");
  CHECK(edited(text, {Kind::change, "b", {{"qos", "high"}}}) ==
        "targets:\n  a:\n    type: slurm  # ours\n    partition: gpu\n    setup:\n    - module "
        "load cuda\n  b:\n    type: slurm\n    qos: high\n");
  CHECK_THAT(edited(kExample, {Kind::change, "workstation", {{"hosts.0.port", "22"}}}),
             Contains("hosts: [{host: node1, port: 22, user: ada,"));
}

TEST_CASE("A list that stands below its key is changed whole") {
  const std::string text =
      "targets:\n  a:\n    type: slurm\n    setup:\n    - module load cuda\n    - cd /x\n    qos: "
      "low\n";
  CHECK(edited(text, {Kind::change, "a", {{"setup", "[module load gcc]"}}}) ==
        "targets:\n  a:\n    type: slurm\n    setup: [\"module load gcc\"]\n    qos: low\n");
}

TEST_CASE("A target is removed with its lines alone") {
  CHECK(edited(kExample, {Kind::remove, "workstation"}) ==
        "# The machines of the group.\ntargets:\n  cluster: {type: slurm, partition: gpu, slots: "
        "100}\n");
  const std::string one = edited("targets:\n  a:\n    type: slurm\n", {Kind::remove, "a"});
  CHECK(one == "targets:\n");
  CHECK(edited("targets:\n  bad: {type: x}\n", {Kind::remove, "bad"}) == "targets:\n");
}

TEST_CASE("A change that would be wrong changes nothing") {
  CHECK_THAT(refused(kExample, {Kind::add, "cluster", {{"type", "slurm"}}}),
             Contains("there is a target \"cluster\" already"));
  CHECK_THAT(refused(kExample, {Kind::add, "x", {{"type", "ssh"}}}),
             Contains("key \"hosts\" is missing"));
  CHECK_THAT(refused(kExample, {Kind::change, "clutser", {{"slots", "1"}}}),
             Contains("did you mean \"cluster\"?"));
  CHECK_THAT(refused(kExample, {Kind::change, "cluster", {{"slots", "none"}}}),
             Contains("\"slots\" is the text \"none\""));
  CHECK_THAT(refused(kExample, {Kind::add, "-x", {{"type", "slurm"}}}),
             Contains("a target is called \"-x\""));
  CHECK_THAT(refused("targets: {a: {type: slurm}}\n", {Kind::add, "b", {{"type", "slurm"}}}),
             Contains("in braces on one line"));
  CHECK_THAT(refused("targets: [\n", {Kind::add, "b", {{"type", "slurm"}}}), Contains("1:"));
  CHECK_THAT(refused("targets:\n  bad: {type: x}\n", {Kind::add, "b", {{"type", "slurm"}}}),
             Contains("unknown type \"x\""));
}

}  // namespace
}  // namespace hdrive
