// SPDX-License-Identifier: Apache-2.0
//
// Grid Engine's commands as shell scripts over a folder, with its manners: a script is copied when it is submitted, an
// ended job is forgotten at once, and qdel kills a job's process group and nothing else of it. A job starts at once,
// unless it is held. Files in the folder are faults:
//
//   down    no command gets an answer
//   hold    submitted jobs wait
//   error   submitted jobs get into Grid Engine's error state, Eqw
//   refuse  a submission is refused for good
//   forget  qstat names no job
//   lose    the next submission gets there, and its answer doesn't
//   twice   the next submission makes two jobs
#pragma once

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "hdrive/targets.h"

namespace hdrive::test {

class ToyQueue {
 public:
  explicit ToyQueue(const std::filesystem::path& folder) : folder_(folder) {
    std::filesystem::create_directories(folder_ / "bin");
    std::filesystem::create_directories(folder_ / "jobs");
    const std::string away =
        "[ -e down ] && { echo 'error: commlib error: got select error (Connection refused)' >&2; "
        "exit 1; }\n";
    script("qsub", away + R"sh(
[ -e refuse ] && { echo 'Unable to run job: unknown resource "nosuch"' >&2; exit 1; }
echo "$*" >> submitted
while [ $# -gt 1 ]; do case $1 in -N) name=$2;; -o) log=$2;; esac; shift; done
add() {
  exec 9>lock; flock 9
  id=$(($(cat last 2>/dev/null || echo 100) + 1)); echo $id > last
  exec 9>&-
  mkdir jobs/$id; echo "$name" > jobs/$id/name; cp "$1" jobs/$id/script; echo "$log" > jobs/$id/log
  if [ -e hold ]; then echo qw > jobs/$id/state
  elif [ -e error ]; then echo Eqw > jobs/$id/state
  else ./bin/toy-run $id < /dev/null > /dev/null 2>&1 & fi
}
add "$1"
if [ -e twice ]; then rm twice; first=$id; add "$1"; id=$first; fi
if [ -e lose ]; then rm lose; echo 'error: commlib error: got read error' >&2; exit 1; fi
echo $id
)sh");
    script("toy-run", R"sh(
echo r > jobs/$1/state
setsid sh -c 'echo $$ > "$0/pid"; exec sh "$0/script"' "$PWD/jobs/$1" > "$(cat jobs/$1/log)" 2>&1
[ "$(cat jobs/$1/state)" = r ] && rm jobs/$1/state
exit 0
)sh");
    script("qstat", away + R"sh(
echo "<?xml version='1.0'?>"
[ -e forget ] && exit 0
for job in jobs/*/; do
  state=$(cat $job/state 2> /dev/null) && echo "<job_list>
    <JB_job_number>$(basename $job)</JB_job_number>
    <JB_name>$(cat $job/name)</JB_name>
    <state>$state</state>"
done
exit 0
)sh");
    // The same for one job, as other systems have it.
    script("jstat", away + R"sh(
echo "$*" >> asked
[ -e jobs/$1/state ] || { echo "unknown job $1" >&2; exit 3; }
echo "$1 is $(cat jobs/$1/state)"
)sh");
    script("qdel", away + R"sh(
for job; do
  echo "$job" >> deleted
  rm -f jobs/$job/state
  [ -e jobs/$job/pid ] && kill -KILL -$(cat jobs/$job/pid)
done
exit 0
)sh");
  }

  /// The ready system, with these commands.
  CommandOptions options() const {
    const auto& all = ready_systems();
    const auto sge = std::find_if(all.begin(), all.end(),
                                  [](const ReadySystem& each) { return each.name == "sge"; });
    CommandOptions options;
    options.system = "sge";
    options.submit = sge->options.submit;
    options.status = sge->options.status;
    options.cancel = sge->options.cancel;
    for (auto* words : {&options.submit, &options.status, &options.cancel})
      words->front() = command(words->front());
    return options;
  }
  std::string command(const std::string& name) const { return (folder_ / "bin" / name).string(); }

  void set(const std::string& fault, bool on = true) const {
    if (on)
      std::ofstream(folder_ / fault) << "\n";
    else
      std::filesystem::remove(folder_ / fault);
  }
  /// What a job is, from its folder: "name", "state", "pid"; empty: not known.
  std::string of_job(const std::string& job, const std::string& what) const {
    return first_line("jobs/" + job + "/" + what);
  }
  /// "submitted": the words of the first qsub; "deleted": the first job of qdel's.
  std::string first_line(const std::string& file) const {
    std::ifstream stream(folder_ / file);
    std::string line;
    std::getline(stream, line);
    return line;
  }
  /// Whether any job is there.
  bool is_busy() const {
    const std::filesystem::directory_iterator jobs(folder_ / "jobs");
    return std::any_of(begin(jobs), end(jobs), [](const auto& job) {
      return std::filesystem::exists(job.path() / "state");
    });
  }
  /// Starts a job that was held, and returns when it has ended.
  bool run_held(const std::string& job) const {
    return ::system((command("toy-run") + " " + job).c_str()) == 0;
  }

 private:
  void script(const std::string& name, const std::string& text) const {
    const auto path = folder_ / "bin" / name;
    std::ofstream(path) << "#!/bin/sh\ncd '" << folder_.string() << "' || exit 1\n" << text;
    if (::chmod(path.c_str(), 0755) != 0) throw std::runtime_error("cannot make a script");
  }

  std::filesystem::path folder_;
};

}  // namespace hdrive::test
