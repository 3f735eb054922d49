// SPDX-License-Identifier: Apache-2.0
#include "compute/remote/ssh_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "compute/remote/agent_image.h"

namespace hdrive::compute::remote {
namespace {

constexpr std::string_view kMark = "@hdrive ";

// A word of a shell's command, whatever it holds.
std::string shell_word(std::string_view word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// The directory as a word in which the host's shell finds the home folder.
std::string directory_word(const std::string& directory) {
  if (directory.empty()) return "\"$HOME\"/.hdrive-runs";
  if (directory == "~") return "\"$HOME\"";
  if (directory.starts_with("~/")) return "\"$HOME\"/" + shell_word(directory.substr(2));
  return shell_word(directory);
}

// What a POSIX shell does there. The program comes in on its input after it has said `send`, and
// nothing else does before the agent speaks, so that it is no harm if `head` reads ahead.
constexpr const char* kScript = R"(d={0}
say() {{ echo "@hdrive $*"; }}
no() {{ say no "$@"; exit 1; }}
u=$(uname -sm)
[ "$u" = "Linux x86_64" ] || no machine "$u"
umask 077
mkdir -p "$d/agent" 2>/dev/null && [ -w "$d/agent" ] || no folder "$d"
d=$(cd "$d" && pwd -P) || no folder "$d"
f=$d/agent/{1}
if ! [ -x "$f" ]; then
  t=$f.$(uname -n).$$
  say send
  head -c {2} >"$t" 2>/dev/null && chmod 700 "$t" || {{ rm -f "$t"; no room "$d"; }}
  "$t" check {1} 2>/dev/null
  case $? in
    0) ;;
    126) rm -f "$t"; no exec "$d" ;;
    *) rm -f "$t"; no whole "$d" ;;
  esac
  mv -f "$t" "$f"
fi
say begin
exec "$f" serve "$d" "$1" "${{SSH_CONNECTION:-}}"
)";

// Whether ssh may ask for a password on the terminal.
bool may_ask(const SshOptions& options) {
  return std::any_of(options.ssh_options.begin(), options.ssh_options.end(),
                     [](const std::string& option) {
                       const std::string text = base::fold(option);
                       return text == "batchmode=no";
                     });
}

bool says(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

struct Advice {
  std::string_view part, advice;
};
constexpr Advice kAdvice[] = {
    {"Permission denied",
     "give `identity_file`, load the key into ssh-agent (ssh-add), or allow a password with "
     "ssh_options: [BatchMode=no]"},
    {"Host key verification failed",
     "connect once by hand with `ssh`, and confirm that it is the right machine"},
    {"Could not resolve hostname", "is the name of the host right?"},
    {"Connection refused", "is sshd running there, and is `port` right?"},
    {"timed out", "is the machine on, and does its firewall let ssh through?"},
    {"No route to host", "is the machine on, and in a network that reaches here?"},
};

}  // namespace

std::string label_of(const SshHost& host) {
  return host.port == 0 ? host.host : host.host + ":" + std::to_string(host.port);
}

std::vector<std::string> ssh_command(const SshOptions& options, const SshHost& host) {
  std::vector<std::string> words = {"ssh", "-T"};
  const auto add = [&](const char* option, const std::string& value) {
    if (value.empty()) return;
    words.emplace_back(option);
    words.push_back(value);
  };
  add("-F", options.config_file.string());
  // Of what is given twice ssh takes the first.
  for (const std::string& option : options.ssh_options) add("-o", option);
  for (const char* option :
       {"BatchMode=yes", "ConnectTimeout=15", "ServerAliveInterval=5", "ServerAliveCountMax=3",
        "ClearAllForwardings=yes", "ControlPath=none"})
    add("-o", option);
  if (host.port != 0) add("-p", std::to_string(host.port));
  add("-l", host.user);
  add("-i", host.identity_file.string());
  words.emplace_back("--");
  words.push_back(host.host);
  // Whatever shell the user has there: all of them take quoted words.
  words.push_back("exec sh -c " +
                  shell_word(fmt::format(fmt::runtime(kScript), directory_word(options.directory),
                                         agent_digest(), agent_image().size())));
  return words;
}

Way ssh_way(const SshOptions& options, const SshHost& host) {
  Way way;
  way.command = [words = ssh_command(options, host)](std::uint64_t connection) {
    std::vector<std::string> command = words;
    command.back() += " hdrive " + std::to_string(connection);
    return command;
  };
  way.own_session = !may_ask(options);
  way.missing = "there is no `ssh` in PATH; install an SSH client (openssh-client)";
  way.explain = explain_ssh;
  return way;
}

ShellLine meaning_of(std::string_view line) {
  using Kind = ShellLine::Kind;
  // Behind a greeting that does not end its line, too.
  const auto at = line.find(kMark);
  if (at == line.npos) return {};
  const std::string_view text = base::trim(line.substr(at + kMark.size()));
  if (text == "send") return {Kind::wanted, ""};
  if (text == "begin") return {Kind::begins, ""};
  const auto rest = [&](std::string_view what) {
    return std::string(base::trim(text.substr(what.size())));
  };
  if (text.starts_with("no machine"))
    return {Kind::refused,
            "it is \"" + rest("no machine") + "\", and hdrive's runs need Linux on x86_64"};
  if (text.starts_with("no folder"))
    return {Kind::refused, "the folder " + rest("no folder") +
                               " cannot be made or written there; give another `directory`"};
  if (text.starts_with("no room"))
    return {Kind::refused,
            "hdrive's agent cannot be written to " + rest("no room") + "; is its disk full?"};
  if (text.starts_with("no exec"))
    return {Kind::refused, "programs in " + rest("no exec") +
                               " may not be executed (a file system mounted noexec); give another "
                               "`directory`"};
  if (text.starts_with("no whole"))
    return {Kind::refused, "hdrive's agent did not arrive whole in " + rest("no whole")};
  return {};
}

std::string explain_ssh(std::string_view printed, int status) {
  std::string last;
  for (const std::string_view line : base::split(printed, '\n'))
    if (!base::trim(line).empty()) last = std::string(base::trim(line));
  if (last.empty()) return fmt::format("the connection broke (ssh ended with status {})", status);
  for (const auto& [part, advice] : kAdvice)
    if (says(last, part)) return last + "; " + std::string(advice);
  return last;
}

}  // namespace hdrive::compute::remote
