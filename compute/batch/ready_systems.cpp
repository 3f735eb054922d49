// SPDX-License-Identifier: Apache-2.0
//
// Batch systems whose commands are known, as what a user would write for them in targets.yml. A new one is a new row.
#include <utility>

#include "hdrive/targets.h"

namespace hdrive {
namespace {

using States = std::map<std::string, JobState>;

// The same state for several words.
States states(std::initializer_list<std::pair<JobState, std::initializer_list<const char*>>> rows) {
  States result;
  for (const auto& [state, words] : rows)
    for (const char* word : words) result[word] = state;
  return result;
}

// qstat forgets a job at its end, and qacct knows of it only later: what becomes of a run its directory tells. qdel ends
// a job's process group and leaves what has a session of its own.
ReadySystem grid_engine() {
  CommandOptions own;
  own.submit = {"qsub",        "-terse",
                "-V",          "-r",
                "n",           "-S",
                "/bin/sh",     "-N",
                "{name}",      "-j",
                "y",           "-o",
                "{log}",       "-wd",
                "{directory}", "[-q",
                "{queue}]",    "[-pe",
                "smp",         "{cpus}]",
                "[-l",         "gpu={gpus}]",
                "[-l",         "mem_free={memory_mb}M]",
                "[-l",         "h_rt={time_s}]",
                "{options}",   "{script}"};
  own.status = {"qstat", "-xml"};
  own.cancel = {"qdel", "{jobs}"};
  own.job_pattern = R"(^(\d+))";
  // Its tables cut names off.
  own.state_pattern = R"((?s)<JB_job_number>(?P<job>\d+)<.*?<JB_name>(?P<name>[^<]*)<)"
                      R"(.*?<state>(?P<state>[^<]*)<)";
  own.busy_pattern =
      "commlib error|unable to (send message to|contact|connect to) |qmaster|jobs are allowed|"
      "job_limit";
  own.states = states({{JobState::queued, {"qw", "hqw", "hRwq", "hRqw", "Rq", "hqwT"}},
                       {JobState::failed, {"Eqw", "Ehqw", "EhRqw", "EhRwq"}}});
  return {"sge", "Grid Engine", true, "8.1.9 of Debian 12", std::move(own)};
}

ReadySystem pbs() {
  CommandOptions own;
  own.submit = {"qsub",      "-V",
                "-r",        "n",
                "-S",        "/bin/sh",
                "-N",        "{name}",
                "-j",        "oe",
                "-o",        "{log}",
                "[-q",       "{queue}]",
                "[-l",       "ncpus={cpus}]",
                "[-l",       "ngpus={gpus}]",
                "[-l",       "mem={memory_mb}mb]",
                "[-l",       "walltime={time_hms}]",
                "{options}", "{script}"};
  own.status = {"qstat", "-x", "-f", "-w", "{jobs}"};
  own.cancel = {"qdel", "{jobs}"};
  own.job_pattern = R"(^(\S+))";
  own.state_pattern = R"((?s)Job Id: (?P<job>\S+)\n.*?Job_Name = (?P<name>[^\n]+)\n)"
                      R"(.*?job_state = (?P<state>\w))";
  own.gone_pattern = "(?i)unknown job id|has finished";
  own.busy_pattern =
      "(?i)cannot connect to|connection refused|timed out|server.*(busy|shutting)|"
      "would exceed|job limit|maximum number of jobs";
  own.states = states({{JobState::queued, {"Q", "H", "W", "T"}},
                       {JobState::running, {"R", "E", "S", "U", "B"}},
                       {JobState::completed, {"F", "X", "C"}}});
  return {"pbs", "PBS", false, "OpenPBS 23", std::move(own)};
}

ReadySystem lsf() {
  CommandOptions own;
  own.submit = {"bsub",    "-J",          "{name}",    "-o",
                "{log}",   "-rn",         "[-q",       "{queue}]",
                "[-n",     "{cpus}",      "-R",        "span[hosts=1]]",
                "[-gpu",   "num={gpus}]", "[-M",       "{memory_mb}MB]",
                "[-W",     "{time_min}]", "{options}", "/bin/sh",
                "{script}"};
  own.status = {"bjobs", "-a", "-noheader", "-o", "jobid stat job_name delimiter='|'"};
  own.cancel = {"bkill", "{jobs}"};
  own.job_pattern = R"(Job <(\d+)>)";
  own.state_pattern = R"(^(?P<job>\d+)\|(?P<state>\w+)\|(?P<name>\S*))";
  own.gone_pattern = "No .*job found|is not found";
  own.busy_pattern =
      "(?i)lsf is down|cannot connect|connection refused|timed? ?out|job limit|try(ing)? "
      "(again|later)";
  own.states = states({{JobState::queued, {"PEND", "PSUSP", "WAIT", "PROV"}},
                       {JobState::running, {"RUN", "USUSP", "SSUSP"}},
                       {JobState::completed, {"DONE"}},
                       {JobState::failed, {"EXIT"}},
                       {JobState::lost, {"ZOMBI"}}});
  return {"lsf", "LSF", false, "IBM Spectrum LSF 10.1", std::move(own)};
}

// A job that HTCondor starts anew finds its claim gone and does nothing.
ReadySystem htcondor() {
  CommandOptions own;
  own.submit = {"condor_submit",
                "-terse",
                "-batch-name",
                "{name}",
                "universe=vanilla",
                "executable=/bin/sh",
                "transfer_executable=False",
                "should_transfer_files=NO",
                "getenv=True",
                "arguments={script}",
                "initialdir={directory}",
                "output={log}",
                "error={log}",
                "[request_cpus={cpus}]",
                "[request_gpus={gpus}]",
                "[request_memory={memory_mb}]",
                "[allowed_job_duration={time_s}]",
                "{options}",
                "/dev/null",
                "-queue",
                "1"};
  own.status = {"condor_q", "-nobatch", "-autoformat:j", "JobStatus", "JobBatchName"};
  own.cancel = {"condor_rm", "{jobs}"};
  own.job_pattern = R"(^(\d+\.\d+) )";
  own.state_pattern = R"(^(?P<job>\d+\.\d+) (?P<state>\d) (?P<name>\S*))";
  own.busy_pattern = "(?i)can't find address|failed to connect|communication|MAX_JOBS|exceeds? ";
  own.states = states({{JobState::queued, {"1"}},
                       {JobState::running, {"2", "6", "7"}},
                       {JobState::canceled, {"3"}},
                       {JobState::completed, {"4"}},
                       {JobState::failed, {"5"}}});
  return {"htcondor", "HTCondor", false, "HTCondor 23", std::move(own)};
}

ReadySystem flux() {
  CommandOptions own;
  own.submit = {"flux",
                "submit",
                "--ntasks=1",
                "--job-name={name}",
                "--output={log}",
                "--error={log}",
                "--cwd={directory}",
                "[--queue={queue}]",
                "[--cores-per-task={cpus}]",
                "[--gpus-per-task={gpus}]",
                "[--time-limit={time_s}s]",
                "{options}",
                "/bin/sh",
                "{script}"};
  own.status = {"flux",        "jobs",           "-a",
                "--no-header", "--count=100000", "--format={id.f58}|{{status}}|{{name}}"};
  own.cancel = {"flux", "cancel", "{jobs}"};
  own.job_pattern = R"(^(\S+))";
  own.state_pattern = R"(^(?P<job>\S+?)\|(?P<state>\w+)\|(?P<name>\S*))";
  own.busy_pattern = "(?i)flux_open|connect|timed out|broker|max.*jobs";
  own.states = states({{JobState::queued, {"DEPEND", "PRIORITY", "SCHED"}},
                       {JobState::running, {"RUN", "CLEANUP"}},
                       {JobState::completed, {"COMPLETED"}},
                       {JobState::failed, {"FAILED", "TIMEOUT"}},
                       {JobState::canceled, {"CANCELED"}}});
  return {"flux", "Flux", false, "flux-core 0.61", std::move(own)};
}

// A task of a job whose pool mounts the sweep's folder. Its id is made by whoever submits it, and never used again.
ReadySystem azure_batch() {
  CommandOptions own;
  own.submit = {"az",
                "batch",
                "task",
                "create",
                "--job-id",
                "{queue}",
                "--task-id",
                "{name}-{token}",
                "--command-line",
                "/bin/sh '{script}'",
                "--max-task-retry-count",
                "0",
                "[--max-wall-clock-time",
                "PT{time_s}S]",
                "{options}",
                "--query=id",
                "--output=tsv"};
  own.status = {
      "az",          "batch", "task", "list", "--job-id", "{queue}", "--query=[].[id,state]",
      "--output=tsv"};
  own.cancel = {"az", "batch", "task", "stop", "--job-id", "{queue}", "--task-id", "{job}"};
  own.job_pattern = R"(^(\S+))";
  own.state_pattern = R"(^(?P<job>(?P<name>hd-\w+-\d+-\d+)-\d+)\t(?P<state>\w+))";
  own.busy_pattern =
      "(?i)server ?busy|too many requests|timed out|connection|temporarily|az "
      "login|OperationTimedOut";
  own.states = states({{JobState::queued, {"active", "preparing"}},
                       {JobState::running, {"running"}},
                       {JobState::completed, {"completed"}}});
  return {"azure-batch", "Azure Batch", false, "az 2.60", std::move(own)};
}

}  // namespace

const std::vector<ReadySystem>& ready_systems() {
  static const std::vector<ReadySystem> table{grid_engine(), pbs(),  lsf(),
                                              htcondor(),    flux(), azure_batch()};
  return table;
}

}  // namespace hdrive
