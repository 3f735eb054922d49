// SPDX-License-Identifier: Apache-2.0
//
// The supervisor of one run: a small program between the engine and the training program.
//
// It starts the training program, owns its whole process tree (as a subreaper, in a session of its
// own), ends that tree when told to, and writes how it ended to exit.json. It lives on when the
// engine dies.
//
//   SIGTERM, SIGINT  end the tree: SIGTERM to all of it, SIGKILL to what is left after the grace period
//   SIGUSR1          SIGKILL to all of it now
//
// In a job of a batch system, where its engine is on another machine, it looks for a file that asks for the end as well,
// touches supervisor.json as a sign of life, and passes on what the job is warned with before its time is over:
//
//   SIGUSR2          SIGUSR1 to the program
//   SIGHUP           SIGTERM to the program
//
// Where the batch system kills a job's processes and misses some of them, it runs beside the job's shell in a session of
// its own, and takes the shell's end for SIGTERM.
//
// A run on a machine that its engine reaches over a network may hold to a lease: once that is over the engine counts the
// run as lost, and so the supervisor ends it before.
//
// It says that the tree is empty only when the kernel says that no child is left. Linked statically
// and kept free of the C++ library: there is one for each run, and each run waits for it to start.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compute/supervisor/lease.h"
#include "compute/supervisor/memory_group.h"
#include "compute/supervisor/outside.h"
#include "compute/supervisor/process_tree.h"
#include "compute/supervisor/processes.h"
#include "compute/supervisor/protocol.h"
#include "compute/supervisor/rank.h"
#include "compute/supervisor/record.h"

namespace hdrive::supervisor {
namespace {

namespace protocol = compute::protocol;

constexpr long long kMillisecond = 1000;  // times are in microseconds
constexpr long long kSecond = 1000 * kMillisecond;
constexpr long long kNever = 1LL << 62;

long long time_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec / 1000;
}
long long now() { return time_of(CLOCK_MONOTONIC); }
long long least(long long a, long long b) { return a < b ? a : b; }

// Nothing of the engine's stays open: a supervisor that outlives it must not hold its terminal, its
// database or the other end of somebody's pipe. But for `kept` locks of the run's devices, which
// the program need not know of.
void let_go_of_descriptors(int kept) {
  const int first = protocol::kPipeFd + 1 + kept;
  constexpr int kMost = 1 << 16;  // of an engine with a raised limit
  if (syscall(SYS_close_range, first, ~0U, 0) != 0)
    for (int fd = first; fd < kMost; ++fd) close(fd);
  for (int fd = protocol::kPipeFd; fd < first; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
  if (null >= first) close(null);
}

// False: the job's shell is gone. What a shell starts beside it ignores SIGINT and SIGQUIT, which a program is not to
// inherit.
bool leave_shell(pid_t shell) {
  setsid();
  signal(SIGINT, SIG_DFL);
  signal(SIGQUIT, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  return getppid() == shell;
}

// ---- the training program -----------------------------------------------------------------------

struct Start {
  pid_t pid = 0;
  const char* failed_at = nullptr;  // what could not be done; null: it runs
  int error = 0;
};

// Shared with the child between vfork and exec.
const char* volatile failed_at;
volatile int failed_with;

[[noreturn]] void give_up(const char* step) {
  failed_with = errno;
  failed_at = step;
  _exit(127);
}

// The engine may have raised it for itself. A program that uses select() must not be given
// descriptors beyond those it can name.
void restore_file_limit(rlim_t soft) {
  rlimit limit{};
  if (soft == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 || soft >= limit.rlim_cur) return;
  limit.rlim_cur = soft;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// This program again, in another role (processes.h).
[[noreturn]] void become_processes(char** argv) {
  char name[] = "hdrive-processes", role[sizeof protocol::kProcessesRole];
  memcpy(role, protocol::kProcessesRole, sizeof role);
  size_t count = 0;
  while (argv[protocol::kProgram + count]) ++count;
  const size_t size = (protocol::kRoleProgram + count + 1) * sizeof(char*);
  char** words = static_cast<char**>(__builtin_alloca(size));  // the heap is the supervisor's
  words[0] = name;
  words[protocol::kRole] = role;
  words[protocol::kRolePlan] = argv[protocol::kProcesses];
  words[protocol::kRoleDirectory] = argv[protocol::kDirectory];
  words[protocol::kRoleGraceMs] = argv[protocol::kGraceMs];
  memcpy(words + protocol::kRoleProgram, argv + protocol::kProgram, (count + 1) * sizeof(char*));
  execv("/proc/self/exe", words);
  give_up("exec");
}

// In the child: it has this process's memory until exec, but signals, limits and directory of its
// own.
[[noreturn]] void become_program(char** argv, pid_t supervisor, int out, int err) {
  setpgid(0, 0);
  // Without its supervisor nobody would look after it; that may have been killed before this was
  // said.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(127);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  const char* directory = argv[protocol::kWorkingDir];
  if (*directory && chdir(directory) != 0) give_up("chdir");
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  restore_file_limit(static_cast<rlim_t>(atoll(argv[protocol::kFileLimit])));
  if (*argv[protocol::kProcesses]) become_processes(argv);
  execvp(argv[protocol::kProgram], argv + protocol::kProgram);
  give_up("exec");
}

// What an earlier attempt left may be a FIFO or a link: only a file is written to.
int open_log(const char* name) {
  constexpr int kSafely = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | kSafely, 0600);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0) return -1;
  if (S_ISREG(status.st_mode) && fcntl(fd, F_SETFL, O_APPEND) == 0) return fd;
  close(fd);
  errno = EINVAL;
  return -1;
}

Start start_program(char** argv) {
  if (!join_group(argv[protocol::kMemoryGroup])) return {0, "control group", errno};
  const int out = open_log("stdout.log");
  if (out < 0) return {0, "stdout.log", errno};
  const int err = open_log("stderr.log");
  if (err < 0) return {0, "stderr.log", errno};
  const pid_t supervisor = getpid();
  const pid_t pid = vfork();
  if (pid == 0) become_program(argv, supervisor, out, err);
  const int error = errno;
  close(out);
  close(err);
  if (pid < 0) return {0, "vfork", error};
  if (failed_at) return {0, failed_at, failed_with};  // the child is reaped with all others
  return {pid, nullptr, 0};
}

// supervisor.json. It is there before the program is: an engine that takes over finds the run by
// it, from the first moment in which there is something to find.
void describe_self(Record& record, char** argv) {
  record.number("version", protocol::kFileVersion);
  record.number("attempt", atoi(argv[protocol::kAttempt]));
  record.number("pid", getpid());
  record.number("start_time", own_start_time());
  record.text("boot_id", argv[protocol::kBootId]);
  record.number("pid_namespace", own_pid_namespace());
  record.number_later("program_pid");
  char host[65] = {};
  if (gethostname(host, sizeof host - 1) == 0 && strpbrk(host, "\"\\") == nullptr)
    record.text("host", host);
  record.seconds("started", time_of(CLOCK_REALTIME));
  if (*argv[protocol::kLease]) record.number("lease_grace_ms", atoll(argv[protocol::kGraceMs]));
}

long long make_token() {
  long long token = 0;
  if (syscall(SYS_getrandom, &token, sizeof token, 1 /* GRND_NONBLOCK */) != sizeof token)
    token = time_of(CLOCK_MONOTONIC) * getpid();
  return token & ((1LL << 53) - 1);  // as a JSON number that every reader takes exactly
}

void tell_who_runs(char** argv, pid_t program, long long token, long long started) {
  const protocol::Began began{atoll(argv[protocol::kRun]), atoi(argv[protocol::kAttempt]), program,
                              token, started};
  // Nobody may be listening (any more), or somebody who is busy: never wait for them.
  if (write(protocol::kPipeFd, &began, sizeof began) < 0) errno = 0;
  close(protocol::kPipeFd);
}

// Whether what it starts has processes on other machines, which a look at this one's does not find.
bool starts_nodes(const char* text) {
  Plan plan;
  return plan.read(text) && plan.nodes > 1 && plan.node < 0;
}

// ---- watching it --------------------------------------------------------------------------------

class Watch {
 public:
  Watch(pid_t program, char** argv, const Lease& lease)
      : program_(program),
        lease_(lease),
        lease_at_(lease.is_given() ? now() : kNever),
        grace_(atoll(argv[protocol::kGraceMs]) * kMillisecond),
        beat_(atoll(argv[protocol::kBeatMs]) * kMillisecond),
        distributed_(*argv[protocol::kProcesses] != 0),
        over_nodes_(distributed_ && starts_nodes(argv[protocol::kProcesses])) {
    const long long limit = atoll(argv[protocol::kTimeLimitMs]) * kMillisecond;
    if (limit > 0) limit_at_ = now() + limit + grace_ + protocol::kTimeLimitMarginMs * kMillisecond;
    if (beat_ > 0) beat_at_ = now();
    snprintf(cancel_file_, sizeof cancel_file_, "%s%d", protocol::kCancelPrefix,
             atoi(argv[protocol::kAttempt]));
  }

  // Returns when the program and all its descendants are gone.
  void until_empty(const sigset_t& signals) {
    while (reap()) {
      act();
      const long long pause = wake_at() - now();
      if (pause <= 0) continue;
      const timespec timeout{static_cast<time_t>(pause / kSecond),
                             static_cast<long>(pause % kSecond * 1000)};
      take(sigtimedwait(&signals, nullptr, pause >= kNever / 2 ? nullptr : &timeout));
    }
  }

  int status = 0;           // of the program, as wait gives it
  bool over_time = false;   // ended here, because no engine did
  bool lease_over = false;  // ended here, because the engine was out of reach for too long
  bool cancelled = false;   // told to end while the program ran
  bool killed = false;      // told to end at once
  int leftovers = 0;        // processes it left behind and that had to be ended

 private:
  enum class Phase { running, ending, killing };

  // False when there is no child left.
  bool reap() {
    const bool ran = program_ != 0;
    while (true) {
      int child_status = 0;
      const pid_t pid = waitpid(-1, &child_status, WNOHANG);
      if (pid < 0) return false;
      if (pid == 0) break;
      if (pid != program_) continue;
      status = child_status;
      program_ = 0;
    }
    if (ran && program_ == 0) end_leftovers();
    return true;
  }

  void end_leftovers() {
    if (phase_ == Phase::running) {
      end_within(least(grace_, protocol::kLeftoverGraceMs * kMillisecond));
      leftovers = terminate_descendants();
    } else {
      terminate_descendants();  // those the program started on its way out
    }
  }

  void act() {
    if (now() >= beat_at_) beat();
    if (phase_ == Phase::running && now() >= limit_at_) {
      over_time = true;
      end_gracefully();
    }
    if (phase_ == Phase::running && now() >= lease_at_) {
      lease_at_ = now() + protocol::kLeaseLookMs * kMillisecond;
      lease_over = lease_.is_over();
      if (lease_over) end_gracefully();
    }
    if (phase_ == Phase::ending && now() >= kill_at_) phase_ = Phase::killing;
    if (phase_ == Phase::killing && now() >= kill_at_) {
      kill_descendants();
      pause_ = looking_is_cheap() ? least(pause_ * 2, kSecond / 4)
                                  : protocol::kExpensiveLookMs * kMillisecond;
      kill_at_ = now() + pause_;
    }
  }

  long long wake_at() const {
    return least(beat_at_, phase_ == Phase::running ? least(limit_at_, lease_at_) : kill_at_);
  }

  void beat() {
    beat_at_ = now() + beat_;
    if (++beats_ % protocol::kBeatsPerTouch == 0 &&
        utimensat(AT_FDCWD, "supervisor.json", nullptr, AT_SYMLINK_NOFOLLOW) != 0)
      errno = 0;
    // To open the directory is to ask the file server: what is known of its names may be old.
    const int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (here >= 0) close(here);
    const int fd = open(cancel_file_, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    char how = 0;
    if (read(fd, &how, 1) == 1) take(how == 'k' ? SIGUSR1 : SIGTERM);
    close(fd);
  }

  void warn_program(int signal) const {
    if (beat_ > 0 && program_ != 0 && phase_ == Phase::running) kill(program_, signal);
  }
  void end_gracefully() {
    end_within(grace_);
    if (over_nodes_ && program_ != 0)
      kill(program_, SIGTERM);
    else
      terminate_descendants();
  }

  void end_within(long long time) {
    phase_ = Phase::ending;
    kill_at_ = now() + time;
  }

  void take(int signal) {
    if (signal == SIGUSR2) warn_program(distributed_ ? SIGUSR2 : SIGUSR1);
    if (signal == SIGHUP) warn_program(distributed_ ? SIGHUP : SIGTERM);
    if (signal == SIGUSR1) {
      killed = true;
      cancelled = cancelled || program_ != 0;
      phase_ = Phase::killing;
      kill_at_ = now();
    }
    if ((signal == SIGTERM || signal == SIGINT) && phase_ == Phase::running) {
      cancelled = true;
      end_gracefully();
    }
  }

  pid_t program_;  // 0 once it is gone
  Lease lease_;
  long long lease_at_;  // when it is looked at
  long long grace_, limit_at_ = kNever;
  long long beat_, beat_at_ = kNever;  // how often it gives a sign of life; the next time
  bool distributed_;                   // what it started passes warnings on
  bool over_nodes_;                    // and knows how to end what it has started on other machines
  long long beats_ = 0;
  char cancel_file_[40];
  long long kill_at_ = kNever;      // the next SIGKILL
  long long pause_ = kMillisecond;  // between rounds of SIGKILL
  Phase phase_ = Phase::running;
};

// ---- how it ended -------------------------------------------------------------------------------

long long microseconds(const timeval& time) { return time.tv_sec * kSecond + time.tv_usec; }

bool will_have_room() { return errno == ENOSPC || errno == EDQUOT; }
// What somebody may put right, or what passes.
bool may_pass() {
  constexpr int kErrors[] = {EACCES, EPERM, EROFS, EMFILE, ENFILE, ENOMEM, EIO};
  for (const int error : kErrors)
    if (errno == error) return true;
  return false;
}

// A full disk will have room again, and the run is not lost for it. SIGUSR1 ends the waiting, also
// one that came before it began (`killed`), and where no program ran each signal does.
bool write_when_possible(Record& record, const char* directory, bool ran, bool killed,
                         const sigset_t& signals) {
  const long long until = now() + protocol::kRecordPatienceMs * kMillisecond;
  // The program may have taken the directory's permissions away.
  while (!record.write("exit.json", ".exit.json") &&
         !(errno == EACCES && chmod(directory, 0700) == 0 &&
           record.write("exit.json", ".exit.json"))) {
    if (killed || (!will_have_room() && !(may_pass() && now() < until))) return false;
    const timespec pause{1, 0};
    const int signal = sigtimedwait(&signals, nullptr, &pause);
    if (signal == SIGUSR1 || (!ran && (signal == SIGTERM || signal == SIGINT))) return false;
  }
  return true;
}

bool write_end(char** argv, const Start& start, const Watch& watch, long long began,
               long long token, const sigset_t& signals) {
  Record record;
  record.number("version", protocol::kFileVersion);
  record.number("attempt", atoi(argv[protocol::kAttempt]));
  record.number("pid", start.pid);  // 0: it never ran
  if (start.failed_at) {
    record.text("not_started", start.failed_at);
    record.number("errno", start.error);
  } else if (WIFSIGNALED(watch.status)) {
    record.number("signal", WTERMSIG(watch.status));
  } else {
    record.number("exit_code", WEXITSTATUS(watch.status));
  }
  record.boolean("canceled", watch.cancelled);
  record.boolean("over_time", watch.over_time);
  if (watch.lease_over) record.boolean("lease_over", true);
  record.number("leftovers", watch.leftovers);
  if (const long long killed = killed_for_memory(argv[protocol::kMemoryGroup]))
    record.number("oom_kills", killed);
  record.seconds("started", began);
  record.seconds("ended", time_of(CLOCK_REALTIME));
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  record.seconds("user_seconds", microseconds(usage.ru_utime));
  record.seconds("system_seconds", microseconds(usage.ru_stime));
  record.number("max_rss_kb", usage.ru_maxrss);
  record.number("token", token);
  return write_when_possible(record, argv[protocol::kDirectory], !start.failed_at, watch.killed,
                             signals);
}

int supervise(char** argv) {
  let_go_of_descriptors(atoi(argv[protocol::kKeptFds]));
  prctl(PR_SET_NAME, protocol::kSupervisorName);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  // All signals are blocked (the engine starts it so, that none comes too early), these are taken.
  constexpr int kSignals[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGCHLD};
  sigset_t all, signals;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigemptyset(&signals);
  for (const int number : kSignals) sigaddset(&signals, number);
  const pid_t shell = atoi(argv[protocol::kShell]);
  if (shell != 0 && !leave_shell(shell)) return protocol::kNoClaim;
  if (chdir(argv[protocol::kDirectory]) != 0) return protocol::kNoDirectory;
  Lease lease(argv[protocol::kLease]);
  if (lease.is_over()) return protocol::kNoLease;
  Record self;
  describe_self(self, argv);
  const int claimed = self.write_claimed("supervisor.json", argv[protocol::kClaim]);
  if (claimed < 0) return protocol::kNoClaim;

  const long long began = time_of(CLOCK_REALTIME);
  const Start start = start_program(argv);
  Watch watch(start.pid, argv, lease);
  if (!start.failed_at) self.fill(claimed, start.pid);
  close(claimed);
  const long long token = make_token();
  if (!start.failed_at) tell_who_runs(argv, start.pid, token, began);
  watch.until_empty(signals);
  end_outside(signals);
  return write_end(argv, start, watch, began, token, signals) ? protocol::kDone
                                                              : protocol::kNoRecord;
}

}  // namespace
}  // namespace hdrive::supervisor

int main(int argc, char** argv) {
  using namespace hdrive;
  if (supervisor::is_of_processes(argc, argv)) return supervisor::run_processes(argc, argv);
  return argc > compute::protocol::kProgram ? supervisor::supervise(argv)
                                            : compute::protocol::kWrongArguments;
}
