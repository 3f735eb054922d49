// SPDX-License-Identifier: Apache-2.0
#include "workspace/git.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "base/text.h"
#include "hdrive/workspace.h"

extern char** environ;

namespace hdrive {
namespace {

namespace fs = std::filesystem;

// A repository on a slow disk must not hold up a sweep for long: what git has not said by then is
// left out.
constexpr int kPatienceMs = 10'000;
constexpr std::size_t kMostOutput = 1 << 16;

bool is_in_repository(const fs::path& folder) {
  std::error_code error;
  for (fs::path at = folder.lexically_normal();; at = at.parent_path()) {
    if (fs::exists(at / ".git", error)) return true;
    if (at == at.parent_path()) return false;
  }
}

// The environment of hdrive, without what would point git elsewhere (a hook's GIT_DIR), and so that
// it neither asks nor writes anything.
std::vector<std::string> git_environment() {
  std::vector<std::string> result = {"GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C"};
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view variable = *entry;
    if (!variable.starts_with("GIT_") && !variable.starts_with("LC_ALL="))
      result.emplace_back(variable);
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// What comes within the patience; nothing if that was not all, unless `enough` is all that is
// wanted.
std::optional<std::string> read_in_time(int fd, std::size_t enough) {
  std::string text;
  char buffer[4096];
  while (true) {
    pollfd ready{fd, POLLIN, 0};
    const int count = ::poll(&ready, 1, kPatienceMs);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    const ssize_t bytes = ::read(fd, buffer, sizeof buffer);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return std::nullopt;
    if (bytes == 0) return text;
    text.append(buffer, static_cast<std::size_t>(bytes));
    if (text.size() >= enough) return text;
  }
}

// What `git <words>` prints in the folder, without the end of the line. Nothing: it failed, or
// there is no git. Of output that is longer than `enough` the beginning does.
std::optional<std::string> git(const fs::path& folder, const std::vector<std::string>& words,
                               std::size_t enough = kMostOutput) {
  std::vector<std::string> arguments = {"git", "-c", "core.fsmonitor=false", "-C", folder.string()};
  arguments.insert(arguments.end(), words.begin(), words.end());
  auto environment = git_environment();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  const base::UniqueFd output(ends[0]);
  base::UniqueFd input(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, "git", &actions, nullptr, pointers(arguments).data(),
                                   pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  input.reset();
  if (error != 0) return std::nullopt;
  auto text = read_in_time(output.get(), enough);
  if (!text || text->size() >= enough) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!text || (text->size() < enough && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)))
    return std::nullopt;
  return std::string(base::trim(*text));
}

}  // namespace

std::string workspace::without_credentials(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == url.npos) return url;  // "git@host:path" has a user, and no secret
  const std::size_t host = scheme + 3;
  std::string end = url.substr(host);
  // The last '@' before the path: a password may contain others.
  const std::size_t at = end.substr(0, end.find('/')).rfind('@');
  const bool is_web = url.starts_with("http") || url.starts_with("ftp");
  if (at != end.npos) {
    const std::string user = end.substr(0, std::min(at, end.find(':')));
    end = (is_web ? "" : user + "@") + end.substr(at + 1);
  }
  if (is_web) end = end.substr(0, end.find_first_of("?#"));
  return url.substr(0, host) + end;
}

std::map<std::string, std::string> git_properties(const fs::path& folder) {
  std::map<std::string, std::string> properties;
  if (!is_in_repository(folder)) return properties;
  const auto set = [&](const char* azure, const char* mlflow, const std::string& value) {
    if (value.empty()) return;
    properties[std::string("azureml.git.") + azure] = value;
    if (mlflow) properties[std::string("mlflow.source.git.") + mlflow] = value;
  };
  const auto commit = git(folder, {"rev-parse", "HEAD"});
  if (commit) set("commit", "commit", *commit);
  if (const auto branch = git(folder, {"symbolic-ref", "--short", "HEAD"}))
    set("branch", "branch", *branch);
  // Without a remote git repeats the name it looked for.
  if (const auto url = git(folder, {"ls-remote", "--get-url"}); url && *url != "origin")
    set("repository_uri", "repoURL", workspace::without_credentials(*url));
  // What hdrive itself keeps there is no change of the source.
  if (const auto changes =
          git(folder, {"status", "--porcelain", "--", ".", ":(exclude,glob)**/.hdrive/**"}, 1))
    set("dirty", nullptr, changes->empty() ? "False" : "True");
  return properties;
}

}  // namespace hdrive
