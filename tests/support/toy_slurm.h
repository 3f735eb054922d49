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
//   noarrays, fewjobs   arrays are refused: there are none, or a limit is in their way
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

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
echo RUNNING > jobs/$1/state
export SLURM_ARRAY_TASK_ID=${1#*_}
setsid sh -c 'echo $$ > "$0/pid"; exec sh "$1"' "$PWD/jobs/$1" "$(cat jobs/$1/script)" > "$(cat jobs/$1/log)" 2>&1
status=$?
read -r state < jobs/$1/state
case $state in RUNNING) if [ $status = 0 ]; then echo COMPLETED; else echo FAILED; fi > jobs/$1/state.new; mv jobs/$1/state.new jobs/$1/state;; esac
)sh");
    script("squeue", R"sh(
[ -e down ] && { echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1; }
[ -e forget ] && exit 0
for job in jobs/*/; do [ -s $job/state ] && echo "$(basename $job)|$(cat $job/state)|$(cat $job/name)"; done
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
    [ "$state" = RUNNING ] && kill -TERM $(cat jobs/$word/pid)
  fi;; esac; done
exit 0
)sh");
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
