// SPDX-License-Identifier: Apache-2.0
//
// Slurm's commands as shell scripts over a folder, so that what speaks to Slurm is tested without it. A job starts at
// once, unless it is held. Files in the folder are faults:
//
//   down    no command gets an answer
//   hold    submitted jobs wait
//   forget  squeue names no job
//   lose    the next submission gets there, and its answer doesn't
//   twice   the next submission makes two jobs
//   accounting   sacct works, and forgets nothing
//   nostep  srun starts nothing
//   noarrays, fewjobs   arrays are refused: there are none, or a limit is in their way
//
// srun starts steps on this machine, as many as the job's script asks for, on nodes toy1, toy2 and so on. What it has
// started is ended with its job: all that SIGTERM reaches and does not ignore. Each node has four processors.
#pragma once

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace hdrive::test {

class ToySlurm {
 public:
  explicit ToySlurm(const std::filesystem::path& folder) : folder_(folder) {
    std::filesystem::create_directories(folder_ / "bin");
    std::filesystem::create_directories(folder_ / "jobs");
    script("sbatch", R"sh(
[ -e down ] && { echo 'sbatch: error: Unable to contact slurm controller (connect failure)' >&2; exit 1; }
array= wrap=
for word do case $word in
  --job-name=*) name=${word#*=};; --output=*) log=${word#*=};; --array=*) array=${word#*=};; --wrap=*) wrap=${word#*=};;
esac; script=$word; done
[ -n "$array" ] && [ -e noarrays ] && { echo 'sbatch: error: Invalid job array specification' >&2; exit 1; }
[ -n "$array" ] && [ -e fewjobs ] && { echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1; }
make() {
  mkdir jobs/$1; echo "$name" > jobs/$1/name; echo "$script" > jobs/$1/script; echo "$log" > jobs/$1/log
  if [ -n "$wrap" ]; then echo "$wrap" > jobs/$1/wrapped; echo "$PWD/jobs/$1/wrapped" > jobs/$1/script; fi
  if [ -e hold ]; then echo PENDING > jobs/$1/state; else ./bin/toy-run $1 < /dev/null > /dev/null 2>&1 & fi
}
add() {
  exec 9>lock; flock 9
  id=$(($(cat last 2>/dev/null || echo 100) + 1)); echo $id > last
  exec 9>&-
  if [ -z "$array" ]; then make $id; else for index in $(echo $array | tr , ' '); do make ${id}_$index; done; fi
}
add
if [ -e twice ]; then rm twice; first=$id; add; id=$first; fi
if [ -e lose ]; then rm lose; echo 'sbatch: error: Socket timed out on send/recv operation' >&2; exit 1; fi
echo $id
)sh");
    // The job, and its state when it is over. A number of 128 and more: a signal.
    script("toy-run", R"sh(
exec 8>>running; flock -s 8
echo RUNNING > jobs/$1/state
export SLURM_ARRAY_TASK_ID=${1#*_}
export SLURM_JOB_ID=$1
setsid sh -c 'echo $$ > "$0/pid"; exec sh "$1"' "$PWD/jobs/$1" "$(cat jobs/$1/script)" > "$(cat jobs/$1/log)" 2>&1
status=$?
read -r state < jobs/$1/state
case $state in RUNNING) if [ $status = 0 ]; then echo COMPLETED; else echo FAILED; fi > jobs/$1/state.new; mv jobs/$1/state.new jobs/$1/state;; esac
)sh");
    script("squeue", R"sh(
[ -e down ] && { echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1; }
echo >> asked
[ -e forget ] && exit 0
for job in jobs/*/; do [ -s $job/state ] && echo "$(basename $job)|$(cat $job/state)|$(cat $job/name)|$(cat $job/left 2>/dev/null)"; done
exit 0
)sh");
    script("sacct", R"sh(
[ -e accounting ] || { echo 'Slurm accounting storage is disabled' >&2; exit 1; }
for job in jobs/*/; do echo "$(basename $job)|$(cat $job/state)|$(cat $job/name)"; done
)sh");
    script("scancel", R"sh(
[ -e down ] && { echo 'scancel: error: Unable to contact slurm controller (connect failure)' >&2; exit 1; }
signal=; batch=
for word do case $word in --signal=*) signal=${word#*=};; --batch) batch=1;; *)
  echo "$word $signal" >> cancelled
  if [ -n "$signal" ]; then kill -$signal $(cat jobs/$word/pid)
  else
    read -r state < jobs/$word/state; echo CANCELLED > jobs/$word/state
    [ "$state" = RUNNING ] && if [ -e jobs/$word/steps ]; then ./bin/toy-end $word; else kill -TERM $(cat jobs/$word/pid); fi
  fi;; esac; done
exit 0
)sh");
    // A step of a job's script on all of its nodes, or with --jobid one on a node of it.
    script("srun", R"sh(
[ -e nostep ] && { echo 'srun: error: Unable to create step: Required node not available' >&2; exit 1; }
nodes=1 node= job=$SLURM_JOB_ID
while :; do case $1 in
  --nodes=*) nodes=${1#*=};; --nodelist=*) node=${1#*=};; --jobid=*) job=${1#*=} own=1;; --*) ;; *) break;;
esac; shift; done
if [ -n "$own" ]; then
  [ -e down ] && { echo 'srun: error: Unable to confirm allocation for job: Unable to contact slurm controller' >&2; exit 1; }
  [ "$(cat jobs/$job/state 2>/dev/null)" = RUNNING ] || { echo "srun: error: Invalid job id $job" >&2; exit 1; }
  echo $$ >> bridges
  exec "$@"
fi
: > jobs/$job/steps
export TOY_JOB=$job SLURM_CPUS_ON_NODE=4 SLURM_NTASKS=$nodes
at=0
while [ $((at += 1)) -le $nodes ]; do SLURMD_NODENAME=toy$at "$@" & steps="$steps $!"; echo $! >> jobs/$job/steps; done
for step in $steps; do wait $step || status=$?; done
exit ${status:-0}
)sh");
    // All processes of a job: those with its number in their environment, which the job's own shell has not.
    script("toy-end", R"sh(
for process in /proc/[0-9]*; do
  tr '\0' '\n' < $process/environ 2>/dev/null | grep -qx TOY_JOB=$1 && kill -TERM ${process#/proc/}
done 2>/dev/null
exit 0
)sh");
  }

  /// As if Slurm had ended a job with that word for its state.
  void end(const std::string& job, const std::string& state) const {
    set_state(job, state);
    if (::system((commands() / "toy-end").string().append(" " + job).c_str()) != 0)
      throw std::runtime_error("cannot end a job");
  }

  /// How much of its time a job has left, as squeue writes it.
  void set_left(const std::string& job, const std::string& left) const {
    std::ofstream(folder_ / "jobs" / job / "left") << left << "\n";
  }
  /// Starts a job that was held.
  void begin(const std::string& job) const {
    const std::string program = (commands() / "toy-run").string();
    if (::system((program + " " + job + " < /dev/null > /dev/null 2>&1 &").c_str()) != 0)
      throw std::runtime_error("cannot start a job");
  }
  /// The processes of its steps, or those of steps that others began with srun, oldest first.
  std::vector<pid_t> steps_of(const std::string& job) const {
    return numbers_in(folder_ / "jobs" / job / "steps");
  }
  std::vector<pid_t> bridges() const { return numbers_in(folder_ / "bridges"); }
  /// How often squeue has answered.
  std::uintmax_t answers() const {
    std::error_code error;
    const auto size = std::filesystem::file_size(folder_ / "asked", error);
    return error ? 0 : size;
  }
  /// What scancel was told, a line each: "101 ".
  std::string cancelled() const {
    std::ifstream file(folder_ / "cancelled");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// Waits until nothing that belongs to a job is alive but what has closed its descriptors: supervisors and their runs.
  bool is_quiet() const {
    return ::system(("flock -w 60 " + (folder_ / "running").string() + " true").c_str()) == 0;
  }

  std::filesystem::path commands() const { return folder_ / "bin"; }

  void set(const std::string& fault, bool on = true) const {
    if (on)
      std::ofstream(folder_ / fault) << "\n";
    else
      std::filesystem::remove(folder_ / fault);
  }

  /// What a job is, from its folder: "name", "state", "pid"; empty: not known.
  std::string of_job(const std::string& job, const std::string& what) const {
    return line_of(folder_ / "jobs" / job / what);
  }
  /// As if Slurm had done something to it.
  void set_state(const std::string& job, const std::string& state) const {
    std::ofstream(folder_ / "jobs" / job / "state.new") << state << "\n";
    std::filesystem::rename(folder_ / "jobs" / job / "state.new", folder_ / "jobs" / job / "state");
  }
  int submitted() const {
    const std::string last = line_of(folder_ / "last");
    return last.empty() ? 0 : std::stoi(last) - 100;
  }

 private:
  static std::vector<pid_t> numbers_in(const std::filesystem::path& path) {
    std::vector<pid_t> numbers;
    std::ifstream file(path);
    for (pid_t number = 0; file >> number;) numbers.push_back(number);
    return numbers;
  }
  static std::string line_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
  }

  void script(const std::string& name, const std::string& text) const {
    const auto path = folder_ / "bin" / name;
    std::ofstream(path) << "#!/bin/sh\ncd '" << folder_.string() << "' || exit 1\n" << text;
    if (::chmod(path.c_str(), 0755) != 0) throw std::runtime_error("cannot make a script");
  }

  std::filesystem::path folder_;
};

}  // namespace hdrive::test
