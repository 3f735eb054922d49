// SPDX-License-Identifier: Apache-2.0
#include "config/target_schema.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "config/key_check.h"
#include "config/load.h"
#include "config/quantity.h"
#include "config/write.h"

namespace hdrive::config {
namespace {

namespace fs = std::filesystem;

constexpr double kMostSlots = 1e6;
constexpr const char* kCommandAllowed = "a command, or a list of its words";

template <class Options>
Options& options_of(TargetReader& reader) {
  return std::get<Options>(reader.target.options);
}

void report(TargetReader& reader, const Entry& entry, const std::string& allowed) {
  reader.problems.error(entry.value->place, "\"" + entry.key + "\" is " + describe(*entry.value) +
                                                "; allowed: " + allowed);
}

std::chrono::milliseconds read_duration(TargetReader& reader, const Entry& entry) {
  if (const auto duration = duration_of(*entry.value)) return *duration;
  report(reader, entry, kDurationAllowed);
  return {};
}

// A host that is merely busy may take as long as this to answer.
std::chrono::milliseconds read_lost_after(TargetReader& reader, const Entry& entry) {
  constexpr std::chrono::seconds kLeast{30};
  const auto duration = duration_of(*entry.value);
  if (duration && *duration >= kLeast) return *duration;
  report(
      reader, entry,
      "at least 30 seconds, such as 10m; leave it out to wait for a host however long it is away");
  return {};
}

// Texts and numbers, one or a list of them.
std::vector<std::string> read_lines(TargetReader& reader, const Entry& entry,
                                    const std::string& allowed) {
  const Node& node = *entry.value;
  std::vector<std::string> lines;
  const auto add = [&](const Node& item) {
    if (!item.is_scalar() || item.is(Node::Kind::null) || item.text.empty()) return false;
    lines.push_back(item.text);
    return true;
  };
  if (node.is(Node::Kind::list)) {
    for (const NodePtr& item : node.items)
      if (!add(*item))
        reader.problems.error(item->place, "an item of \"" + entry.key + "\" is " +
                                               describe(*item) + "; allowed: text");
  } else if (!add(node)) {
    report(reader, entry, allowed);
  }
  return lines;
}

// The words of a command.
std::vector<std::string> read_words_of(TargetReader& reader, const Entry& entry) {
  if (!entry.value->is(Node::Kind::text)) return read_lines(reader, entry, kCommandAllowed);
  auto words = split_words(entry.value->text);
  if (!words) {
    reader.problems.error(entry.value->place, "\"" + entry.key + "\": " + words.error().what);
    return {};
  }
  if (words->empty()) report(reader, entry, kCommandAllowed);
  return *std::move(words);
}

// Of this machine; "~" is the home folder, as in ssh's own configuration.
fs::path read_path(TargetReader& reader, const Entry& entry) {
  const fs::path path(entry.value->text);
  if (path.empty() || path.is_absolute() || entry.value->text[0] == '~') return path;
  return (reader.directory / path).lexically_normal();
}

void read_gpus_of(TargetReader& reader, const Entry& entry, std::vector<std::string>& gpus) {
  gpus = read_lines(reader, entry, "auto, or a list of GPU numbers such as [0, 1]");
  if (gpus.size() > 1 && std::find(gpus.begin(), gpus.end(), "auto") != gpus.end())
    report(reader, entry, "auto, or a list of GPU numbers such as [0, 1]");
}

// "ada@node1:2201"
bool read_address(std::string_view text, SshHost& host) {
  if (const std::size_t at = text.rfind('@'); at != text.npos) {
    host.user = text.substr(0, at);
    if (host.user.empty()) return false;
    text.remove_prefix(at + 1);
  }
  // An address of IPv6 has many colons, and its port behind brackets.
  std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return false;
    colon = end + 1 < text.size() && text[end + 1] == ':' ? end + 1 : text.npos;
    host.host = text.substr(1, end - 1);
  } else {
    if (colon != text.npos && text.find(':') != colon) colon = text.npos;
    host.host = text.substr(0, colon);
  }
  if (colon != text.npos) {
    const auto port = base::parse_number(text.substr(colon + 1));
    if (!port || *port < 1 || *port > 65'535 || *port != std::floor(*port)) return false;
    host.port = static_cast<int>(*port);
  }
  return !host.host.empty() && !host.host.starts_with('-');
}

void read_host_name(TargetReader& reader, const Entry& entry) {
  SshHost given;
  if (!read_address(entry.value->text, given))
    return report(reader, entry,
                  "a host's name or address, as in node1, ada@node1 or ada@node1:2201");
  reader.host->host = given.host;
  if (!given.user.empty()) reader.host->user = given.user;
  if (given.port != 0) reader.host->port = given.port;
}

std::vector<KeyInfo> rows_for(std::string_view type) {
  std::vector<KeyInfo> rows;
  for (const TargetKey& key : target_schema())
    if (key.type == type || (key.type == "any" && type != "ssh host")) rows.push_back(key.row);
  return rows;
}

// Reads what passes the checks, row by row.
void read_rows(TargetReader& reader, std::string_view type, const Node& map, Place place,
               const std::string& what) {
  const std::vector<KeyInfo> rows = rows_for(type);
  for (const auto& [row, entry] : check_mapping(rows, map, place, what, reader.problems))
    for (const TargetKey& key : target_schema())
      if ((key.type == type || key.type == "any") && key.row.name == row->name && key.read)
        key.read(reader, *entry);
}

void read_hosts(TargetReader& reader, const Entry& entry) {
  auto& hosts = options_of<SshOptions>(reader).hosts;
  for (const NodePtr& item : entry.value->items) {
    SshHost host;
    reader.host = &host;
    if (item->is(Node::Kind::map)) {
      read_rows(reader, "ssh host", *item, item->place, " of a host");
    } else if (!item->is(Node::Kind::text) || !read_address(item->text, host)) {
      reader.problems.error(item->place,
                            "a host is " + describe(*item) +
                                "; allowed: a name as in node1, ada@node1 or ada@node1:2201, or a "
                                "mapping with host, port, user, identity_file, slots and gpus");
    }
    reader.host = nullptr;
    const auto same = [&](const SshHost& other) {
      return !host.host.empty() && other.host == host.host && other.port == host.port &&
             other.user == host.user;
    };
    if (std::any_of(hosts.begin(), hosts.end(), same))
      reader.problems.error(item->place,
                            "the host " + in_quotes(host.host) +
                                " is listed twice; its slots say how many runs it takes");
    hosts.push_back(std::move(host));
  }
  if (entry.value->items.empty()) report(reader, entry, "a list of at least one host");
}

void read_states(TargetReader& reader, const Entry& entry) {
  static const std::vector<std::pair<std::string, JobState>> kStates{
      {"queued", JobState::queued},       {"running", JobState::running},
      {"completed", JobState::completed}, {"failed", JobState::failed},
      {"canceled", JobState::canceled},   {"lost", JobState::lost},
      {"unknown", JobState::unknown}};
  std::vector<std::string> names;
  for (const auto& [name, state] : kStates) names.push_back(name);
  for (const Entry& each : entry.value->entries) {
    const std::string word = base::lower(each.value->text);
    const auto found = std::find_if(kStates.begin(), kStates.end(), [&](const auto& state) {
      return state.first == (word == "cancelled" ? "canceled" : word);
    });
    if (found != kStates.end()) {
      options_of<CommandOptions>(reader).states[each.key] = found->second;
      continue;
    }
    const std::string hint = base::did_you_mean(each.value->text, names);
    reader.problems.error(each.value->place, "the state of " + in_quotes(each.key) + " is " +
                                                 describe(*each.value) +
                                                 "; allowed: " + base::join(names, ", ") +
                                                 (hint.empty() ? "" : ";" + hint));
  }
}

// "USR1@60", as sbatch's --signal has it.
void read_signal(TargetReader& reader, const Entry& entry) {
  auto& slurm = options_of<SlurmOptions>(reader);
  std::string_view text = entry.value->text;
  if (const std::size_t at = text.find('@'); at != text.npos) {
    const auto seconds = base::parse_number(text.substr(at + 1));
    if (!seconds || *seconds < 1 || *seconds > 65'535 || *seconds != std::floor(*seconds))
      return report(reader, entry,
                    "USR1 or TERM, with @ and seconds from 1 to 65535 behind it: USR1@120");
    slurm.signal_before = std::chrono::milliseconds(static_cast<std::int64_t>(*seconds) * 1'000);
    text = text.substr(0, at);
  }
  if (text.starts_with("SIG")) text.remove_prefix(3);
  if (text != "USR1" && text != "TERM")
    return report(reader, entry,
                  "USR1 or TERM, with @ and seconds from 1 to 65535 behind it: USR1@120");
  slurm.signal = text;
}

template <auto Member, class Options>
void read_text_into(TargetReader& reader, const Entry& entry) {
  options_of<Options>(reader).*Member = entry.value->text;
}

// clang-format off
std::vector<TargetKey> make_target_schema() {
  using K = KeyKind;
  using R = TargetReader;
  using E = Entry;
  std::vector<TargetKey> rows{
      {"any", {.name = "type", .kind = K::text, .required = true,
               .allowed = "the type of a target", .summary = "What kind of place it is; its options stand beside this key."}},
      {"any", {.name = "slots", .kind = K::integer, .default_text = "what it has room for", .default_in_words = true,
               .minimum = 1, .maximum = kMostSlots,
               .summary = "How many runs are there at once, those that wait in its queue included.",
               .elsewhere = {"max_runs", "max_concurrent_runs", "max_nodes", "max_instances"}},
       [](R& r, const E& e) { r.target.slots = *e.value->integer(); }},

      {"ssh", {.name = "hosts", .kind = K::list, .required = true,
               .allowed = "a list of hosts, each a name as in ada@node1:2201 or a mapping",
               .summary = "The machines; runs go to the one with most room.", .elsewhere = {"host", "nodes", "machines", "address"}},
       read_hosts},
      {"ssh", {.name = "directory", .kind = K::text, .default_text = "~/.hdrive-runs",
               .summary = "A folder on each host for what hdrive keeps there.", .elsewhere = {"workdir", "remote_directory", "path"}},
       read_text_into<&SshOptions::directory, SshOptions>},
      {"ssh", {.name = "config_file", .kind = K::text, .default_text = "~/.ssh/config",
               .summary = "ssh's configuration file.", .elsewhere = {"ssh_config", "config"}},
       [](R& r, const E& e) { options_of<SshOptions>(r).config_file = read_path(r, e); }},
      {"ssh", {.name = "ssh_options", .kind = K::any, .default_text = "[]", .allowed = "a list of ssh's options, such as ProxyJump=gate",
               .summary = "More options for ssh's `-o`.", .elsewhere = {"options"}},
       [](R& r, const E& e) {
         options_of<SshOptions>(r).ssh_options = read_lines(r, e, "a list of ssh's options, such as ProxyJump=gate"); }},
      {"ssh", {.name = "python", .kind = K::text, .default_text = "none", .default_in_words = true,
               .summary = "A folder on each host that is put in front of PATH, such as the `bin` of a virtual environment.",
               .elsewhere = {"path_prefix", "venv"}},
       read_text_into<&SshOptions::python, SshOptions>},
      {"ssh", {.name = "lost_after", .kind = K::any, .default_text = "never", .default_in_words = true,
               .allowed = "at least 30 seconds, or a number with s, m, h or d behind it",
               .summary = "How long a host may be out of reach before its runs are ended there by their supervisors and started elsewhere.",
               .elsewhere = {"timeout", "lost_timeout"}},
       [](R& r, const E& e) { options_of<SshOptions>(r).lost_after = read_lost_after(r, e); }},

      {"ssh host", {.name = "host", .kind = K::text, .required = true,
                    .summary = "Its name or address, or a Host of ssh's configuration file.", .elsewhere = {"name", "hostname"}},
       read_host_name},
      {"ssh host", {.name = "port", .kind = K::integer, .default_text = "ssh's own", .default_in_words = true, .minimum = 1, .maximum = 65'535,
                    .summary = "The port of its ssh server.", .elsewhere = {"ssh_port"}},
       [](R& r, const E& e) { r.host->port = static_cast<int>(*e.value->integer()); }},
      {"ssh host", {.name = "user", .kind = K::text, .default_text = "ssh's own", .default_in_words = true,
                    .summary = "Who logs in.", .elsewhere = {"username", "user_name"}},
       [](R& r, const E& e) { r.host->user = e.value->text; }},
      {"ssh host", {.name = "identity_file", .kind = K::text, .default_text = "ssh's own", .default_in_words = true,
                    .summary = "The private key to log in with.", .elsewhere = {"private_key_file", "key", "private_key", "identity"}},
       [](R& r, const E& e) { r.host->identity_file = read_path(r, e); }},
      {"ssh host", {.name = "slots", .kind = K::integer, .default_text = "as many as its processors and GPUs allow", .default_in_words = true,
                    .minimum = 1, .maximum = kMostSlots, .summary = "How many runs it takes at once."},
       [](R& r, const E& e) { r.host->slots = *e.value->integer(); }},
      {"ssh host", {.name = "gpus", .kind = K::any, .default_text = "auto", .allowed = "auto, or a list of GPU numbers such as [0, 1]",
                    .summary = "The GPUs that are handed out to runs which ask for one."},
       [](R& r, const E& e) { read_gpus_of(r, e, r.host->gpus); }},
      {"ssh host", {.name = "address", .kind = K::text, .default_text = "where its ssh server was reached", .default_in_words = true,
                    .summary = "By which name or address the other hosts reach it, for runs of several `nodes`.", .elsewhere = {"internal_address", "private_ip"}},
       [](R& r, const E& e) { r.host->address = e.value->text; }},

      {"slurm", {.name = "partition", .kind = K::text, .summary = "The partition (`sbatch -p`).", .elsewhere = {"queue"}},
       read_text_into<&SlurmOptions::partition, SlurmOptions>},
      {"slurm", {.name = "account", .kind = K::text, .summary = "The account that is charged (`-A`).", .elsewhere = {"project"}},
       read_text_into<&SlurmOptions::account, SlurmOptions>},
      {"slurm", {.name = "qos", .kind = K::text, .summary = "The quality of service (`-q`)."},
       read_text_into<&SlurmOptions::qos, SlurmOptions>},
      {"slurm", {.name = "constraint", .kind = K::text, .summary = "Features the nodes must have (`-C`).", .elsewhere = {"constraints", "features"}},
       read_text_into<&SlurmOptions::constraint, SlurmOptions>},
      {"slurm", {.name = "gres", .kind = K::text, .summary = "Generic resources of each node (`--gres`), such as gpu:a100:1; `resources` asks for plain GPUs."},
       read_text_into<&SlurmOptions::gres, SlurmOptions>},
      {"slurm", {.name = "cluster", .kind = K::text, .summary = "One of several clusters (`-M`)."},
       read_text_into<&SlurmOptions::cluster, SlurmOptions>},
      {"slurm", {.name = "directives", .kind = K::any, .default_text = "[]", .allowed = "a list of sbatch's options, such as --exclusive",
                 .summary = "More of sbatch's options, one an item.", .elsewhere = {"options", "sbatch_options", "extra"}},
       [](R& r, const E& e) {
         options_of<SlurmOptions>(r).directives = read_lines(r, e, "a list of sbatch's options, such as --exclusive"); }},
      {"slurm", {.name = "setup", .kind = K::any, .default_text = "[]", .allowed = "a list of lines of a shell script",
                 .summary = "Lines of the job's script in front of the run, such as `module load cuda`.", .elsewhere = {"prologue", "modules"}},
       [](R& r, const E& e) { options_of<SlurmOptions>(r).setup = read_lines(r, e, "a list of lines of a shell script"); }},
      {"slurm", {.name = "signal", .kind = K::text, .default_text = "none", .default_in_words = true, .allowed = "USR1 or TERM, with @ and seconds behind it",
                 .summary = "What the script is sent before its time is over, and how many seconds before: USR1@120."},
       read_signal},
      {"slurm", {.name = "poll", .kind = K::any, .default_text = "5s", .allowed = "seconds, or a number with s, m, h or d behind it",
                 .summary = "How often the queue is asked.", .elsewhere = {"poll_interval"}},
       [](R& r, const E& e) { options_of<SlurmOptions>(r).poll = read_duration(r, e); }},
      {"slurm", {.name = "pilot", .kind = K::boolean, .default_text = "false",
                 .summary = "Whether runs are started within one allocation, for sweeps of short runs, and not each as a job of its own. The next four keys are of it."},
       [](R& r, const E& e) { options_of<SlurmOptions>(r).pilot = e.value->boolean; }},
      {"slurm", {.name = "nodes", .kind = K::integer, .default_text = "1", .minimum = 1, .maximum = 10'000,
                 .summary = "How many nodes the allocation has.", .elsewhere = {"node_count", "num_nodes"}},
       [](R& r, const E& e) { options_of<SlurmOptions>(r).nodes = *e.value->integer(); }},
      {"slurm", {.name = "cpus", .kind = K::integer, .default_text = "whole nodes (--exclusive)", .default_in_words = true, .minimum = 1, .maximum = 100'000,
                 .summary = "Processors that the allocation has on each node.", .elsewhere = {"cpus_per_node"}},
       [](R& r, const E& e) { options_of<SlurmOptions>(r).cpus = *e.value->integer(); }},
      {"slurm", {.name = "time", .kind = K::any, .default_text = "the partition's", .default_in_words = true, .allowed = "seconds, or a number with s, m, h or d behind it",
                 .summary = "How long an allocation lasts; while there is work another one follows.", .elsewhere = {"walltime", "time_limit"}},
       [](R& r, const E& e) { options_of<SlurmOptions>(r).time = read_duration(r, e); }},
      {"slurm", {.name = "idle", .kind = K::any, .default_text = "60s", .allowed = "seconds, or a number with s, m, h or d behind it",
                 .summary = "How long an allocation without a run is kept for the next.", .elsewhere = {"idle_timeout", "idle_seconds_before_scaledown"}},
       [](R& r, const E& e) { options_of<SlurmOptions>(r).idle = read_duration(r, e); }},

      {"command", {.name = "system", .kind = K::text, .default_text = "none", .default_in_words = true,
                   .summary = "A ready batch system, from the table below; what stands beside it replaces a part.",
                   .elsewhere = {"scheduler", "batch_system"}},
       read_text_into<&CommandOptions::system, CommandOptions>},
      {"command", {.name = "submit", .kind = K::any, .allowed = kCommandAllowed,
                   .summary = "The command that submits a job; `{script}` is the job's script, [targets.md](targets.md#command) has the other placeholders.",
                   .elsewhere = {"submit_command"}},
       [](R& r, const E& e) { options_of<CommandOptions>(r).submit = read_words_of(r, e); }},
      {"command", {.name = "status", .kind = K::any, .allowed = kCommandAllowed,
                   .summary = "The command that tells the states of jobs: of those in `{jobs}`, of one in `{job}`, or of all there are.",
                   .elsewhere = {"status_command"}},
       [](R& r, const E& e) { options_of<CommandOptions>(r).status = read_words_of(r, e); }},
      {"command", {.name = "cancel", .kind = K::any, .allowed = kCommandAllowed,
                   .summary = "The command that ends the jobs in `{jobs}`, or one in `{job}`.", .elsewhere = {"cancel_command", "kill"}},
       [](R& r, const E& e) { options_of<CommandOptions>(r).cancel = read_words_of(r, e); }},
      {"command", {.name = "job_pattern", .kind = K::text,
                   .summary = "A regular expression (RE2) whose first group is the job's id in what `submit` prints."},
       read_text_into<&CommandOptions::job_pattern, CommandOptions>},
      {"command", {.name = "state_pattern", .kind = K::text,
                   .summary = "One with the groups `(?P<job>...)`, `(?P<state>...)` and, where there is one, `(?P<name>...)`, searched for again and again in what `status` prints."},
       read_text_into<&CommandOptions::state_pattern, CommandOptions>},
      {"command", {.name = "states", .kind = K::mapping, .default_text = "{}",
                   .summary = "What the system's words mean: each word and one of queued, running, completed, failed, canceled, lost and unknown. Any other word means running."},
       read_states},
      {"command", {.name = "gone_pattern", .kind = K::text,
                   .summary = "One for what `status` says when it fails only because it knows a job no more."},
       read_text_into<&CommandOptions::gone_pattern, CommandOptions>},
      {"command", {.name = "busy_pattern", .kind = K::text,
                   .summary = "One for what `submit` says when it fails and would not later on; any other failure is then the run's. Without it each failure is waited for."},
       read_text_into<&CommandOptions::busy_pattern, CommandOptions>},
      {"command", {.name = "queue", .kind = K::text, .summary = "What `{queue}` stands for.", .elsewhere = {"partition"}},
       read_text_into<&CommandOptions::queue, CommandOptions>},
      {"command", {.name = "options", .kind = K::any, .default_text = "[]", .allowed = "a list of words of a command",
                   .summary = "What `{options}` stands for: more words of `submit`, such as [-l, hostname=node1].", .elsewhere = {"directives", "extra"}},
       [](R& r, const E& e) { options_of<CommandOptions>(r).options = read_words_of(r, e); }},
      {"command", {.name = "setup", .kind = K::any, .default_text = "[]", .allowed = "a list of lines of a shell script",
                   .summary = "Lines of the job's script in front of the run, such as `module load cuda`.", .elsewhere = {"prologue", "modules"}},
       [](R& r, const E& e) { options_of<CommandOptions>(r).setup = read_lines(r, e, "a list of lines of a shell script"); }},
      {"command", {.name = "shared_files", .kind = K::boolean, .default_text = "true",
                   .summary = "Whether jobs see the sweep's folder under its path here. `false`: they fetch what they need and report by HTTP "
                              "([how](http-reports.md)), with python3.", .elsewhere = {"shared", "shared_filesystem"}},
       [](R& r, const E& e) { options_of<CommandOptions>(r).shared_files = e.value->boolean; }},
      {"command", {.name = "poll", .kind = K::any, .default_text = "10s", .allowed = "seconds, or a number with s, m, h or d behind it",
                   .summary = "How often `status` is asked.", .elsewhere = {"poll_interval"}},
       [](R& r, const E& e) { options_of<CommandOptions>(r).poll = read_duration(r, e); }},
  };
  for (TargetKey& each : rows) each.row.section = Section::target;
  return rows;
}
// clang-format on

// What a file must never hold, by the words people use for it.
bool is_secret(std::string_view key) {
  const std::string name = base::lower(key);
  return name.find("password") != name.npos || name.find("passphrase") != name.npos ||
         name.find("secret") != name.npos || name.find("token") != name.npos;
}

// Tells secrets, here and in the hosts.
void report_secrets(TargetReader& reader, const Node& node) {
  for (const Entry& entry : node.entries) {
    if (is_secret(entry.key))
      reader.problems.error(entry.place, "\"" + entry.key +
                                             "\": secrets are not kept in files; log in with a key "
                                             "(identity_file) or an agent, or let "
                                             "ssh ask for the password when the sweep begins");
    report_secrets(reader, *entry.value);
  }
  for (const NodePtr& item : node.items) report_secrets(reader, *item);
}

NodePtr without_secrets(const Node& map) {
  auto copy = std::make_shared<Node>(map);
  std::erase_if(copy->entries, [](const Entry& entry) { return is_secret(entry.key); });
  for (Entry& entry : copy->entries)
    if (entry.value->is(Node::Kind::list)) {
      auto list = std::make_shared<Node>(*entry.value);
      for (NodePtr& item : list->items)
        if (item->is(Node::Kind::map)) item = without_secrets(*item);
      entry.value = list;
    }
  return copy;
}

}  // namespace

const std::vector<TargetKey>& target_schema() {
  static const std::vector<TargetKey> table = make_target_schema();
  return table;
}

const std::vector<TargetType>& target_types() {
  static const std::vector<TargetType> table{
      {"local", "processes of this machine", [] { return TargetOptions(LocalOptions()); }},
      {"ssh", "machines that are reached by SSH", [] { return TargetOptions(SshOptions()); }},
      {"slurm", "jobs of Slurm", [] { return TargetOptions(SlurmOptions()); }},
      {"command", "jobs of any batch system, by its commands",
       [] { return TargetOptions(CommandOptions()); }},
  };
  return table;
}

std::string one_line(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::list:
      for (const NodePtr& item : node.items) text += (text.empty() ? "" : ", ") + one_line(*item);
      return "[" + text + "]";
    case Node::Kind::map:
      for (const Entry& entry : node.entries)
        text += (text.empty() ? "" : ", ") + yaml_text(entry.key) + ": " + one_line(*entry.value);
      return "{" + text + "}";
    case Node::Kind::null:
      return "null";
    case Node::Kind::text:
      // Plain only what is so within brackets, too.
      return node.text.find_first_of(",[]{}") == node.text.npos ? yaml_text(node.text)
                                                                : base::json_string(node.text);
    default:
      return node.text;
  }
}

void read_target(TargetReader& reader, const Node& map, Place place) {
  const std::string what = " of the target " + in_quotes(reader.target.name);
  report_secrets(reader, map);
  const Entry* type = map.find("type");
  if (!type || !type->value->is(Node::Kind::text)) {
    std::vector<std::string> names;
    for (const TargetType& each : target_types()) names.emplace_back(each.name);
    return reader.problems.error(type ? type->value->place : place,
                                 "\"type\"" + what +
                                     (type ? " is " + describe(*type->value) : " is missing") +
                                     "; allowed: " + base::join(names, ", "));
  }
  const std::string name = base::fold(type->value->text);
  const auto& types = target_types();
  const auto row = std::find_if(types.begin(), types.end(),
                                [&](const TargetType& each) { return each.name == name; });
  if (row == types.end()) {
    std::vector<std::string> names;
    for (const TargetType& each : types) names.emplace_back(each.name);
    const std::string hint = base::did_you_mean(name, names);
    return reader.problems.error(
        type->value->place, "unknown type " + in_quotes(type->value->text) + what + "; allowed: " +
                                base::join(names, ", ") + (hint.empty() ? "" : ";" + hint));
  }
  reader.target.type = row->name;
  reader.target.options = row->make();
  for (const Entry& entry : map.entries)
    if (!is_secret(entry.key))
      reader.target.written.emplace_back(entry.key, one_line(*entry.value));
  const NodePtr open = without_secrets(map);
  const std::size_t before = reader.problems.errors();
  read_rows(reader, row->name, *open, place, what + " of type " + std::string(row->name));
  if (reader.problems.errors() > before) return;
  std::vector<CommandFault> faults;
  if (const auto* command = std::get_if<CommandOptions>(&reader.target.options))
    faults = command_faults(*command);
  if (const auto* slurm = std::get_if<SlurmOptions>(&reader.target.options))
    faults = slurm_faults(*slurm);
  for (const CommandFault& fault : faults) {
    const Entry* entry = open->find(fault.key);
    reader.problems.error(entry ? entry->value->place : place,
                          fault.what + " (" + what.substr(4) + ")");
  }
}

}  // namespace hdrive::config
