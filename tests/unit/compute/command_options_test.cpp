// SPDX-License-Identifier: Apache-2.0
//
// What the templates and patterns of the command target mean, and what is wrong with them.
#include <algorithm>
#include <chrono>

#include "compute/batch/command_system.h"
#include "compute/batch/command_template.h"
#include "tests/catch.h"

namespace hdrive {
namespace {

using Catch::Contains;
using std::chrono::seconds;
using Words = std::vector<std::string>;

// ---- templates ----------------------------------------------------------------------------------

constexpr std::string_view kPlaces[] = {"name", "gpus", "jobs"};

TEST_CASE("a template leaves bracketed words out where a value is missing") {
  struct Row {
    Words words, without, with;
  };
  const Row rows[] = {
      {{"sub", "-N", "{name}"}, {"sub", "-N", "n"}, {"sub", "-N", "n"}},
      {{"sub", "[-l", "gpu={gpus}]", "x"}, {"sub", "x"}, {"sub", "-l", "gpu=2", "x"}},
      {{"sub", "[--gpu={gpus}]"}, {"sub"}, {"sub", "--gpu=2"}},
      {{"[", "-g", "{gpus}", "]"}, {}, {"-g", "2"}},
      {{"[-n", "{gpus}", "-R", "span[hosts=1]]"}, {}, {"-n", "2", "-R", "span[hosts=1]"}},
      {{"[[x]", "{{name}}", "a{{name}}b", "{ print }", "{a1}"},
       {"[x]", "{name}", "a{name}b", "{ print }", "{a1}"},
       {"[x]", "{name}", "a{name}b", "{ print }", "{a1}"}},
      {{"del", "{jobs}"}, {"del"}, {"del", "1", "2"}},
      {{"del", "--jobs={jobs}"}, {"del", "--jobs="}, {"del", "--jobs=1,2"}},
      {{"sub", ""}, {"sub", ""}, {"sub", ""}},
  };
  for (const Row& row : rows) {
    INFO(Catch::StringMaker<Words>::convert(row.words));
    const auto made = compute::CommandTemplate::make(row.words, kPlaces);
    REQUIRE(made);
    CHECK(made->fill({{"name", {"n"}}}) == row.without);
    CHECK(made->fill({{"name", {"n"}}, {"gpus", {"2"}}, {"jobs", {"1", "2"}}}) == row.with);
  }
}

TEST_CASE("what is wrong with a template is told") {
  const auto fault = [](const Words& words) {
    const auto made = compute::CommandTemplate::make(words, kPlaces);
    return made ? "" : made.error().what;
  };
  CHECK_THAT(
      fault({"sub", "{nmae}"}),
      Contains("no placeholder {nmae}; allowed: {name}, {gpus}, {jobs}; did you mean \"name\"?") &&
          Contains("write {{nmae}}"));
  CHECK_THAT(fault({"[-l", "{gpus}"}), Contains("opened and not closed"));
  CHECK_THAT(fault({"[-l", "x]"}), Contains("no placeholder is in the brackets"));
  CHECK_THAT(fault({"[-l", "{gpus}]]"}), Contains("do not fit"));
}

// ---- options ------------------------------------------------------------------------------------

std::string faults_of(const CommandOptions& options) {
  std::string text;
  for (const CommandFault& fault : command_faults(options))
    text += fault.key + ": " + fault.what + "\n";
  return text;
}

TEST_CASE("every ready system can be used as it is, and asks for all resources or says so") {
  for (const ReadySystem& each : ready_systems()) {
    INFO(each.name);
    CommandOptions options;
    options.system = each.name;
    if (each.name != "htcondor") options.queue = "short";
    options.options = {"-x"};
    CHECK(faults_of(options) == "");
    const auto system = *compute::make_command_system(options);
    compute::BatchJob job{"hd-a-1-1", "/r/job.sh", "/r", "/r/job.log", "7"};
    const Words words = *system->submit(job);
    CHECK(std::count(words.begin(), words.end(), "-x") == 1);
    CHECK(std::any_of(words.begin(), words.end(),
                      [](const std::string& word) { return word.find("/r/job.sh") != word.npos; }));
    job.time = seconds{3700};
    CHECK(system->submit(job)->size() > words.size());
    for (const auto& [word, state] : each.options.states) CHECK_FALSE(word.empty());
  }
}

TEST_CASE("what the ready systems print is read") {
  struct Row {
    const char *system, *submitted, *job, *status;
    JobState state;
  };
  const Row rows[] = {
      {"sge", "12\n", "12",
       "<JB_job_number>12</JB_job_number>\n<JAT_prio>0.5</JAT_prio>\n<JB_name>hd-a-1-1</JB_name>\n"
       "<state>qw</state>",
       JobState::queued},
      {"pbs", "12.head\n", "12.head",
       "Job Id: 12.head\n    Job_Name = hd-a-1-1\n    Job_Owner = ada@head\n    job_state = F\n",
       JobState::completed},
      {"lsf", "Job <12> is submitted to default queue <normal>.\n", "12", "12|PEND|hd-a-1-1\n",
       JobState::queued},
      {"htcondor", "12.0 - 12.0\n", "12.0", "12.0 5 hd-a-1-1\n", JobState::failed},
      {"flux", "ƒABC\n", "ƒABC", "ƒABC|CANCELED|hd-a-1-1\n", JobState::canceled},
      {"azure-batch", "hd-a-1-1-99\n", "hd-a-1-1-99", "hd-a-1-1-99\tactive\n", JobState::queued},
  };
  for (const Row& row : rows) {
    INFO(row.system);
    CommandOptions options;
    options.system = row.system;
    if (options.system == "azure-batch") options.queue = "short";
    const auto system = *compute::make_command_system(options);
    CHECK(*system->submitted({0, row.submitted, ""}) == row.job);
    const auto states = *system->states({0, row.status, ""}, {});
    REQUIRE(states.size() == 1);
    CHECK(states[0].job == row.job);
    CHECK(states[0].name == "hd-a-1-1");
    CHECK(states[0].state == row.state);
  }
}

TEST_CASE("options with which a target could not work are told with what would be right") {
  CommandOptions sge;
  sge.system = "sge";
  const auto with = [&](auto change) {
    CommandOptions options = sge;
    change(options);
    return faults_of(options);
  };
  CHECK(faults_of(sge) == "");
  CHECK_THAT(with([](auto& o) { o.system = "sgee"; }),
             Contains("system: unknown system \"sgee\"; allowed: sge, pbs, lsf, htcondor, flux, "
                      "azure-batch; did you mean \"sge\"?"));
  CHECK_THAT(faults_of({}), Contains("submit: \"submit\" is missing, and no \"system\" is named") &&
                                Contains("states: "));
  CHECK_THAT(with([](auto& o) { o.submit = {"qsub"}; }), Contains("does not say {script}"));
  CHECK_THAT(with([](auto& o) {
               o.submit = {"qsub", "{script}", "-c", "{cpus}"};
             }),
             Contains("has {cpus} outside of brackets"));
  CHECK_THAT(with([](auto& o) {
               o.submit = {"qsub", "{script}"};
               o.queue = "q", o.options = {"-x"};
             }),
             Contains("queue: \"submit\" has no place for \"queue\"") && Contains("{options}"));
  CHECK_THAT(with([](auto& o) { o.cancel = {"qdel"}; }),
             Contains("cancel: \"cancel\" says neither {jobs} nor {job}"));
  CHECK_THAT(with([](auto& o) { o.status = {"qstat", "{jobs}", "{job}"}; }), Contains("says both"));
  CHECK_THAT(with([](auto& o) {
               o.status = {"qstat", "{jbos}"};
             }),
             Contains("did you mean \"jobs\"?"));
  CHECK_THAT(with([](auto& o) { o.system = "azure-batch"; }), Contains("\"queue\" is missing"));
  CHECK_THAT(with([](auto& o) { o.job_pattern = "\\d+"; }), Contains("has no group"));
  CHECK_THAT(with([](auto& o) { o.busy_pattern = "("; }),
             Contains("busy_pattern: \"busy_pattern\" is no regular expression (RE2)"));
  CHECK_THAT(
      with([](auto& o) { o.state_pattern = "(?P<jobb>.)(?P<state>.)"; }),
      Contains("has no group \"job\"") &&
          Contains("has a group \"jobb\"; allowed: job, state, name; did you mean \"job\"?"));
  CHECK_FALSE(compute::make_command_system({}));
}

TEST_CASE("jobs that share no files are begun by a command, and name no folder of this machine") {
  CommandOptions options;
  options.system = "azure-batch";
  options.queue = "q";
  options.shared_files = false;
  REQUIRE(command_faults(options).empty());
  const auto system = compute::make_command_system(options);
  REQUIRE(system);
  CHECK_FALSE((*system)->shares_files());
  compute::BatchJob job{"hd-a-1-1", "/s/submit.sh", "/s", "/s/job.log", "7"};
  job.command = "echo eA== | base64 -d | python3";
  const auto words = (*system)->submit(job);
  REQUIRE(words);
  CHECK(std::count(words->begin(), words->end(), "/bin/sh -c 'echo eA== | base64 -d | python3'") ==
        1);
  const auto fault = [](CommandOptions wrong) {
    std::string text;
    for (const CommandFault& each : command_faults(wrong))
      text += each.key + ": " + each.what + "\n";
    return text;
  };
  options.system = "sge";
  CHECK_THAT(fault(options), Contains("names folders of this machine"));
  options.submit = {"qsub", "{script}"};
  options.queue.clear();
  CHECK(fault(options).empty());
  options.shared_files = true;
  options.submit = {"qsub", "{command}"};
  CHECK_THAT(fault(options), Contains("set shared_files: false"));
}

TEST_CASE("resources that a template has no place for are told before anything is submitted") {
  CommandOptions options;
  options.system = "flux";
  RunResources resources;
  resources.cpus = 2;
  resources.gpus = 1;
  CHECK_FALSE(resource_fault(options, resources));
  resources.memory = 1 << 20;
  CHECK_THAT(*resource_fault(options, resources),
             Contains("\"memory\"") && Contains("write {memory_mb} into it"));
  resources = {};
  resources.nodes = 2;
  CHECK_THAT(*resource_fault(options, resources), Contains("several nodes"));
}

TEST_CASE("amounts are written in the units that the template names") {
  CommandOptions options;
  options.system = "sge";
  options.submit = {"q",          "{script}",      "[{cpus}]",
                    "[{gpus}]",   "[{memory_mb}]", "[{memory_gb}]",
                    "[{time_s}]", "[{time_min}]",  "[{time_hms}]"};
  const auto system = *compute::make_command_system(options);
  compute::BatchJob job{"n", "/s", "/", "/l", "7"};
  CHECK(*system->submit(job) == Words{"q", "/s"});
  job.resources.cpus = 3;
  job.resources.gpus = 0.5;
  job.resources.memory = (std::uint64_t{5} << 30) + 1;
  job.resources.processes_per_node = 2;
  job.time = seconds{90'061};
  CHECK(*system->submit(job) ==
        Words{"q", "/s", "6", "1", "5121", "6", "90061", "1502", "25:01:01"});
}

}  // namespace
}  // namespace hdrive
