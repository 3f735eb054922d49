// SPDX-License-Identifier: Apache-2.0
#include "compute/supervisor/processes.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

#include "compute/supervisor/members.h"
#include "compute/supervisor/process_tree.h"
#include "compute/supervisor/protocol.h"
#include "compute/supervisor/rank.h"

namespace hdrive::supervisor {
namespace {

namespace protocol = compute::protocol;

constexpr long long kSrunMs = 2000;  // how long it may take to tell that all nodes are done

// ---- the roles ----------------------------------------------------------------------------------

int number_in(const char* name, int otherwise) {
  const char* text = getenv(name);
  return text && *text ? atoi(text) : otherwise;
}
int first_number(const char* const* names, int otherwise) {
  for (; *names; ++names)
    if (getenv(*names)) return number_in(*names, otherwise);
  return otherwise;
}

// This process ends as that one did, so that its supervisor sees the same.
int end_as(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  const rlimit none{};
  setrlimit(RLIMIT_CORE, &none);
  signal(WTERMSIG(status), SIG_DFL);
  sigset_t all;
  sigemptyset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  raise(WTERMSIG(status));
  return 128 + WTERMSIG(status);
}

sigset_t take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGCHLD})
    sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// The names of the job's nodes, as Slurm writes them one a line, with commas between them.
void find_hosts() {
  FILE* names = popen("scontrol show hostnames", "r");
  if (!names) return;
  static char text[1 << 16];
  const size_t size = fread(text, 1, sizeof text - 1, names);
  pclose(names);
  text[size] = 0;
  for (char* at = text; *at; ++at)
    if (*at == '\n') *at = at[1] ? ',' : 0;
  if (*text) setenv("HDRIVE_HOSTS", text, 1);
}

// A path under which what is started by others finds this program, as long as this process lives.
void own_path(char* path, size_t size) {
  const ssize_t length = readlink("/proc/self/exe", path, size - 1);
  if (length > 0) path[length] = 0;
  if (length <= 0 || access(path, X_OK) != 0) snprintf(path, size, "/proc/%d/exe", getpid());
}

// The words of a command that starts this program again in another role.
class Words {
 public:
  void add(const char* word) {
    if (count_ < kMost) words_[count_++] = const_cast<char*>(word);
  }
  void add_split(char* text) {
    for (char* word = strtok(text, " "); word; word = strtok(nullptr, " ")) add(word);
  }
  void add_role(const char* program, const char* role, char** argv) {
    add(program);
    add(role);
    for (char** word = argv + protocol::kRolePlan; *word; ++word) add(*word);
  }
  void replace(const char* word, char* by) {
    for (int i = 0; i < count_; ++i)
      if (words_[i] == word) words_[i] = by;
  }
  char** get() {
    words_[count_] = nullptr;
    return words_;
  }
  bool fits() const { return count_ < kMost; }

 private:
  static constexpr int kMost = 1 << 14;
  char* words_[kMost + 1];
  int count_ = 0;
};

Words words;  // large

int start_by(const Plan& plan, char** argv, const Members::Signals& told) {
  const sigset_t signals = take_signals();
  Members members(plan, argv);
  if (!words.fits()) say("hdrive: the command of a distributed run has too many words%s\n", "");
  if (!words.fits() || !members.make_room(1) || !members.start(words.get(), nullptr))
    return kCannotStart;
  return end_as(members.wait_for_all(signals, told, atoll(argv[protocol::kRoleGraceMs]) + kSrunMs));
}

int start_by_mpi(const Plan& plan, char** argv) {
  static char launcher[1024], count[16], path[4096];
  snprintf(launcher, sizeof launcher, "%s", plan.launcher);
  snprintf(count, sizeof count, "%d", plan.processes());
  own_path(path, sizeof path);
  words.add_split(launcher);
  words.add("-n");
  words.add(count);
  words.add_role(path, protocol::kProcessRole, argv);
  // More processes than processors, and root in a container, are the user's own affair.
  for (const char* name : {"OMPI_MCA_rmaps_base_oversubscribe", "OMPI_ALLOW_RUN_AS_ROOT",
                           "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "PRTE_ALLOW_RUN_AS_ROOT",
                           "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM"})
    setenv(name, "1", 0);
  setenv("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe", 0);
  setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 0);
  // It passes them on. Of one node the supervisor tells all processes itself.
  return start_by(plan, argv, {plan.nodes > 1, SIGTERM, SIGUSR1, SIGTERM});
}

int start_by_srun(const Plan& plan, char** argv) {
  static char nodes[32], tasks[32], cpus[48], path[4096], grace[24];
  snprintf(nodes, sizeof nodes, "--nodes=%d", plan.nodes);
  snprintf(tasks, sizeof tasks, "--ntasks=%d", plan.nodes);
  snprintf(cpus, sizeof cpus, "--cpus-per-task=%d",
           number_in("SLURM_CPUS_PER_TASK", 1) * plan.per_node);
  own_path(path, sizeof path);
  const long long grace_ms = atoll(argv[protocol::kRoleGraceMs]);
  snprintf(grace, sizeof grace, "%lld",
           grace_ms - grace_ms / 4);  // done before srun is killed here
  const char* const command[] = {"srun",         nodes,
                                 tasks,          "--ntasks-per-node=1",
                                 cpus,           "--cpu-bind=none",
                                 "--input=none", "--kill-on-bad-exit=1",
                                 "--export=ALL"};
  for (const char* word : command) words.add(word);
  words.add_role(path, protocol::kNodeRole, argv);
  words.replace(argv[protocol::kRoleGraceMs], grace);
  return start_by(plan, argv, {true, SIGUSR1, SIGUSR2, SIGUSR2, false, true});
}

// Ends whatever the processes have left behind.
void end_all(const sigset_t& signals) {
  for (long long pause = 1; waitpid(-1, nullptr, WNOHANG) >= 0;
       pause = pause < 100 ? pause * 2 : 100) {
    kill_descendants();
    const timespec time{0, static_cast<long>(pause * 1'000'000)};
    sigtimedwait(&signals, nullptr, &time);
  }
}

// `below_srun`: nobody else ends what is here.
int start_node(const Plan& plan, char** argv, int node, bool below_srun) {
  if (below_srun) prctl(PR_SET_CHILD_SUBREAPER, 1);
  const sigset_t signals = take_signals();
  Members members(plan, argv, node);
  if (!members.make_room(plan.per_node)) return kCannotStart;
  int first = node * plan.per_node;
  for (int local = 0; local < plan.per_node && first + local < plan.processes(); ++local) {
    const Rank rank{first + local, node, local};
    if (members.start(argv + protocol::kRoleProgram, &rank)) continue;
    if (!below_srun) return kCannotStart;
    members.fail(kCannotStart << 8);
    end_all(signals);
    return 0;
  }
  const int status =
      members.wait_for_all(signals, {below_srun, SIGTERM, SIGUSR1, SIGTERM, plan.nodes > 1},
                           atoll(argv[protocol::kRoleGraceMs]));
  if (!below_srun) return end_as(status);
  end_all(signals);
  return 0;
}

int become_process(const Plan& plan, char** argv) {
  constexpr const char* kRanks[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID",
                                    nullptr};
  constexpr const char* kLocals[] = {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID",
                                     "SLURM_LOCALID", nullptr};
  Rank rank;
  rank.rank = first_number(kRanks, 0);
  rank.local = first_number(kLocals, rank.rank % plan.per_node);
  rank.node = rank.rank / plan.per_node;
  char** program = argv + protocol::kRoleProgram;
  if (!become_rank(plan, rank, argv[protocol::kRoleDirectory])) {
    say("hdrive: cannot write the files of a process: %s\n", strerror(errno));
    return kCannotStart;
  }
  execvp(program[0], program);
  say("hdrive: cannot start %s: %s\n", program[0], strerror(errno));
  return kCannotStart;
}

}  // namespace

bool is_of_processes(int argc, char** argv) {
  if (argc <= protocol::kRoleProgram) return false;
  for (const char* role : {protocol::kProcessesRole, protocol::kNodeRole, protocol::kProcessRole})
    if (strcmp(argv[protocol::kRole], role) == 0) return true;
  return false;
}

int run_processes(int, char** argv) {
  Plan plan;
  if (!plan.read(argv[protocol::kRolePlan])) return protocol::kWrongArguments;
  const char* role = argv[protocol::kRole];
  if (strcmp(role, protocol::kProcessRole) == 0) return become_process(plan, argv);
  prctl(PR_SET_NAME, protocol::kProcessesRole);
  if (strcmp(role, protocol::kNodeRole) == 0)
    return start_node(plan, argv, number_in("SLURM_NODEID", 0), true);
  if (plan.node >= 0)
    return await_nodes(argv[protocol::kRoleDirectory], take_signals())
               ? start_node(plan, argv, plan.node, false)
               : end_as(SIGTERM);
  if (!choose_addresses(plan)) {
    say("hdrive: no port is free for the processes of the run: %s\n", strerror(errno));
    return kCannotStart;
  }
  if (plan.type == 'm') return start_by_mpi(plan, argv);
  if (plan.nodes == 1) return start_node(plan, argv, 0, false);
  find_hosts();
  return start_by_srun(plan, argv);
}

}  // namespace hdrive::supervisor
