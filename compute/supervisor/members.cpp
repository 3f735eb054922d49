// SPDX-License-Identifier: Apache-2.0
#include "compute/supervisor/members.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compute/supervisor/process_tree.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::supervisor {
namespace {

namespace protocol = compute::protocol;

constexpr int kTailBytes = 2048;
constexpr int kLookMs = 500;  // how often the notes of other nodes are looked for
constexpr char kNoMpi[] =
    " in PATH; distribution: mpi starts processes with mpirun, which comes with Open MPI and "
    "MPICH, or with the launcher "
    "that the distribution names";

long long now_ms() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1'000'000;
}

}  // namespace

void say(const char* format, const char* first, const char* second) {
  char text[1024];
  const int size = snprintf(text, sizeof text, format, first, second);
  if (size > 0 && write(STDERR_FILENO, text, strlen(text)) < 0) errno = 0;
}

Members::~Members() { free(members_); }

long long Members::left_ms() const { return ending_since_ + grace_ms_ - now_ms(); }

bool Members::make_room(int count) {
  members_ = static_cast<Member*>(calloc(static_cast<size_t>(count), sizeof(Member)));
  return members_ != nullptr;
}

bool Members::start(char** words, const Rank* rank) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return cannot_start(words[0], errno);
  const pid_t self = getpid(), pid = fork();
  if (pid == 0) become(words, rank, self, ends[1]);
  const int error = errno;
  close(ends[1]);
  int failure = 0;
  if (pid > 0 && read(ends[0], &failure, sizeof failure) != sizeof failure) failure = 0;
  close(ends[0]);
  if (pid < 0) return cannot_start(words[0], error);
  if (failure != 0) {
    waitpid(pid, nullptr, 0);
    return cannot_start(words[0], failure);
  }
  members_[count_].pid = pid;
  if (rank) members_[count_].rank = *rank;
  ++count_;
  ++alive_;
  return true;
}

int Members::wait_for_all(const sigset_t& signals, const Signals& told, long long grace_ms) {
  told_ = told;
  grace_ms_ = grace_ms;
  while (reap() && alive_ > 0) {
    if (!ending_ && (failed_ || all_done())) end();
    if (ending_ && left_ms() <= 0) {
      kill_descendants();
      grace_ms_ = 1000;
      ending_since_ = now_ms();
    }
    if (told_.starts_nodes && !failed_ && read_note("failed", &status_)) failed_ = true;
    const bool looks = told_.starts_nodes || (told_.is_node && plan_.servers > 0);
    const long long patience = looks ? kLookMs : 3'600'000, left = ending_ ? left_ms() : patience;
    const long long pause = left < patience ? left : patience;
    const timespec timeout{static_cast<time_t>(pause / 1000),
                           static_cast<long>(pause % 1000 * 1'000'000)};
    take(sigtimedwait(&signals, nullptr, &timeout));
  }
  if (told_.is_node && !failed_) all_done();  // which the others are waiting for
  if (told_.starts_nodes) read_note("failed", &status_);
  return status_;
}

void Members::name_note(char* path, size_t size, const char* name) const {
  snprintf(path, size, "%s/processes/%s", argv_[protocol::kRoleDirectory], name);
}

// To open the directory is to ask the file server: what is known of its names may be old.
bool Members::read_note(const char* name, int* number) const {
  char path[4200], text[16] = {};
  name_note(path, sizeof path, "");
  const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  const ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  close(directory);
  if (size > 0) *number = atoi(text);
  return size > 0;
}

// The first to say it is the one.
void Members::write_note(const char* name, int number) const {
  char path[4200], text[16];
  name_note(path, sizeof path, "");
  mkdir(path, 0700);
  name_note(path, sizeof path, name);
  const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const int size = snprintf(text, sizeof text, "%d\n", number);
  if (write(fd, text, static_cast<size_t>(size)) < 0) errno = 0;
  close(fd);
}

void Members::become(char** words, const Rank* rank, pid_t parent, int pipe) const {
  const auto give_up = [&] {
    const int error = errno;
    if (write(pipe, &error, sizeof error) < 0) errno = 0;
    _exit(kCannotStart);
  };
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kCannotStart);
  if (rank && !become_rank(plan_, *rank, argv_[protocol::kRoleDirectory])) give_up();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execvp(words[0], words);
  give_up();
  _exit(kCannotStart);
}

bool Members::cannot_start(const char* program, int error) const {
  if (error == ENOENT)
    say("hdrive: cannot start %s: there is no such program%s\n", program,
        strchr(program, '/')               ? ""
        : plan_.type == 'm' && count_ == 0 ? kNoMpi
                                           : " in PATH");
  else
    say("hdrive: cannot start %s: %s\n", program, strerror(error));
  return false;
}

// Parameter servers serve until all workers have ended, those of other nodes included.
bool Members::all_done() {
  for (int i = 0; i < count_; ++i)
    if (members_[i].pid != 0 && !is_server(members_[i])) return false;
  if (!told_.is_node || plan_.type != 't') return true;
  char name[24];
  int ignored = 0;
  const int nodes = (plan_.workers + plan_.per_node - 1) / plan_.per_node;  // that have workers
  snprintf(name, sizeof name, "done-%d", node_);
  if (!said_done_ && node_ < nodes) write_note(name, 0);
  said_done_ = true;
  for (int node = 0; node < nodes; ++node) {
    snprintf(name, sizeof name, "done-%d", node);
    if (!read_note(name, &ignored)) return false;
  }
  return true;
}

// False when there is no child left.
bool Members::reap() {
  while (true) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0) return false;
    if (pid == 0) return true;
    for (int i = 0; i < count_; ++i)
      if (members_[i].pid == pid) ended(members_[i], status);
  }
}

void Members::ended(Member& member, int status) {
  member.pid = 0;
  --alive_;
  if (status == 0 || failed_) return;
  if (ending_ && !told_to_end_) return;  // a server that was ended
  failed_ = true;
  if (told_.starts_nodes && read_note("failed", &status_)) return;
  status_ = status;
  if (told_.is_node) write_note("failed", status);
  if (!told_to_end_ && plan_.processes() > 1 && plan_.type != 'm') tell_who_failed(member, status);
}

void Members::tell_who_failed(const Member& member, int status) const {
  char who[80], how[80];
  snprintf(who, sizeof who, "%d of %d", member.rank.rank, plan_.processes());
  if (WIFSIGNALED(status))
    snprintf(how, sizeof how, "was ended by signal %d", WTERMSIG(status));
  else
    snprintf(how, sizeof how, "ended with exit code %d", WEXITSTATUS(status));
  if (member.rank.rank > 0) repeat_stderr(member.rank.rank);
  say("hdrive: process %s %s; the others are ended\n", who, how);
}

void Members::repeat_stderr(int rank) const {
  char path[4200], text[kTailBytes];
  name_file(path, sizeof path, argv_[protocol::kRoleDirectory], rank, "stderr.log");
  const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  const off_t size = lseek(fd, 0, SEEK_END), from = size > kTailBytes ? size - kTailBytes : 0;
  const ssize_t count = pread(fd, text, sizeof text, from);
  close(fd);
  if (count <= 0) return;
  char number[16];
  snprintf(number, sizeof number, "%d", rank);
  say("hdrive: the last that process %s wrote to stderr:\n", number);
  if (write(STDERR_FILENO, text, static_cast<size_t>(count)) < 0) errno = 0;
  if (text[count - 1] != '\n') say("\n", "");
}

void Members::signal_all(int signal) const {
  for (int i = 0; i < count_; ++i)
    if (members_[i].pid != 0) kill(members_[i].pid, signal);
}

void Members::end() {
  ending_ = true;
  ending_since_ = now_ms();
  signal_all(told_.end);
  if (!told_.starts_nodes) signal_all(SIGCONT);
}

void Members::take(int signal) {
  int ignored = 0;
  if (signal == SIGHUP && told_.starts_nodes) write_note("warned", SIGTERM);
  const bool to_end = signal == SIGHUP || (told_.is_node && read_note("warned", &ignored));
  if (signal == SIGUSR2 || signal == SIGHUP) signal_all(to_end ? told_.warn_to_end : told_.warn);
  if (signal != SIGTERM && signal != SIGINT && signal != SIGUSR1) return;
  told_to_end_ = true;
  if (told_.ends && !ending_) end();
}

}  // namespace hdrive::supervisor
