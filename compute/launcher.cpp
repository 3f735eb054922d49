// SPDX-License-Identifier: Apache-2.0
#include "compute/launcher.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "compute/embedded.h"
#include "compute/run_environment.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute {
namespace {

bool write_fully(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// The program as a file without a name. Its descriptor is kept away from the low numbers that the
// supervisor gives meanings to.
base::UniqueFd program_in_memory(int first_fd) {
  constexpr unsigned kExecutable = 0x10;  // MFD_EXEC, since Linux 6.3
  base::UniqueFd fd(::memfd_create("hdrive-supervisor", MFD_CLOEXEC | kExecutable));
  if (!fd && errno == EINVAL) fd = base::UniqueFd(::memfd_create("hdrive-supervisor", MFD_CLOEXEC));
  if (!fd || !write_fully(fd.get(), embedded_supervisor())) return {};
  return base::UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, first_fd));
}

// The program as a file in `directory`, complete before it gets its name.
Result<std::string> program_on_disk(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / ".hdrive-supervisor";
  if (auto written = base::write_file_atomically(path, embedded_supervisor()); !written)
    return written.error();
  if (::chmod(path.c_str(), 0755) != 0) return base::system_error(path, "make executable", errno);
  return path.string();
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

class SpawnAttributes {
 public:
  SpawnAttributes(int pipe, const std::vector<int>& kept) {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_adddup2(&actions, pipe, protocol::kPipeFd);
    int target = protocol::kPipeFd;
    for (const int fd : kept) posix_spawn_file_actions_adddup2(&actions, fd, ++target);
  }
  ~SpawnAttributes() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;

  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
};

// What this thread starts may use the processors `cpus` alone, until this is destroyed. posix_spawn
// has no word for it.
class BoundTo {
 public:
  explicit BoundTo(const std::vector<int>& cpus) : bound_(!cpus.empty()) {
    if (!bound_ || ::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : cpus) CPU_SET(cpu, &set);
    bound_ = ::sched_setaffinity(0, sizeof set, &set) == 0;
  }
  ~BoundTo() {
    if (bound_) ::sched_setaffinity(0, sizeof before_, &before_);
  }
  BoundTo(const BoundTo&) = delete;
  BoundTo& operator=(const BoundTo&) = delete;

 private:
  bool bound_;
  cpu_set_t before_{};
};

std::string kilobytes(std::size_t bytes) { return std::to_string((bytes + 1023) >> 10) + " kB"; }

std::size_t size_of(const std::vector<std::string>& texts) {
  std::size_t size = 0;
  for (const std::string& text : texts) size += text.size() + 1 + sizeof(char*);
  return size;
}

bool is_shorter(const std::string& a, const std::string& b) { return a.size() < b.size(); }

// Which of the two limits it is: that of one string, or that of all together.
std::string explain_too_long(const std::vector<std::string>& arguments,
                             const std::vector<std::string>& environment) {
  const auto argument = std::max_element(arguments.begin(), arguments.end(), is_shorter);
  const auto variable = std::max_element(environment.begin(), environment.end(), is_shorter);
  const std::string limit = " long, and the system takes " + kilobytes(kLongestString) + " in one";
  if (argument != arguments.end() && argument->size() >= kLongestString)
    return "its argument " + std::to_string(argument - arguments.begin() - protocol::kProgram) +
           " is " + kilobytes(argument->size()) + limit;
  if (variable != environment.end() && variable->size() >= kLongestString)
    return "its variable " + variable->substr(0, variable->find('=')) + " is " +
           kilobytes(variable->size()) + limit;
  return "its arguments and variables are " + kilobytes(size_of(arguments) + size_of(environment)) +
         ", and the system takes " + kilobytes(static_cast<std::size_t>(::sysconf(_SC_ARG_MAX))) +
         " in all (a quarter of ulimit -s); let the program read its parameters from run.json";
}

Error explain(int error, const std::vector<std::string>& arguments,
              const std::vector<std::string>& environment) {
  if (error == E2BIG)
    return {
        "",
        "the command with its environment is too long: " + explain_too_long(arguments, environment),
        Error::Kind::invalid};
  Error result = base::system_error("", "start a process", error);
  if (error == EAGAIN) result.what += "; the limit of processes is reached (ulimit -u)";
  return result;
}

}  // namespace

Launcher::Launcher(bool from_memory, int most_kept) {
  if (from_memory) memory_ = program_in_memory(kFirstFreeFd + most_kept);
  if (memory_) program_ = "/proc/self/fd/" + std::to_string(memory_.get());
}

Result<pid_t> Launcher::start(const std::vector<std::string>& arguments,
                              const std::vector<std::string>& environment, int pipe,
                              const std::filesystem::path& fallback, const std::vector<int>& kept,
                              const std::vector<int>& cpus) {
  const SpawnAttributes spawn(pipe, kept);
  const BoundTo bound(cpus);
  const std::vector<char*> argv = pointers(arguments), envp = pointers(environment);
  while (true) {
    int error = ENOENT;
    pid_t pid = 0;
    // "Text file busy": some other thread is just starting a process and holds the file open.
    for (int tries = 0; !program_.empty() && tries < 100; ++tries) {
      error = ::posix_spawn(&pid, program_.c_str(), &spawn.actions, &spawn.attributes, argv.data(),
                            envp.data());
      if (error != ETXTBSY) break;
    }
    if (!program_.empty() && error == 0) return pid;
    const bool refused = error == ENOENT || error == EACCES || error == EPERM || error == ENOEXEC;
    const bool on_disk = !memory_ && !program_.empty() && error != ENOENT;
    if (!refused || on_disk) return explain(error, arguments, environment);
    memory_.reset();
    auto file = program_on_disk(fallback);
    if (!file) return file.error();
    program_ = *std::move(file);
  }
}

}  // namespace hdrive::compute
