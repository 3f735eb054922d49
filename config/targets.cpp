// SPDX-License-Identifier: Apache-2.0
//
// targets.yml: read, and looked up by name.
#include "hdrive/targets.h"

#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "config/load.h"
#include "config/target_file.h"
#include "config/target_schema.h"

namespace hdrive {
namespace config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLocal = "local";

// What a shell, a path and a handle can have without quotes.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && name[0] != '-' && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

void report_name(Problems& problems, Place place, std::string_view name) {
  if (base::fold(name) == kLocal)
    problems.error(place, "the target " + in_quotes(name) +
                              " is this machine, and always there; another name is wanted");
  else if (!is_name(name))
    problems.error(
        place, "a target is called " + in_quotes(name) +
                   "; allowed: letters, digits, \"-\", \"_\" and \".\", a letter or digit first");
}

std::optional<TargetFile> read_target_file(int source, const fs::path& file, Problems& problems) {
  const NodePtr root = read_yaml(source, problems);
  if (!root) return std::nullopt;
  TargetFile read{root, nullptr, {}};
  if (root->is(Node::Kind::null)) return read;
  if (!root->is(Node::Kind::map)) {
    problems.error(root->place, "the file is " + describe(*root) +
                                    "; allowed: a mapping with the key \"targets\"");
    return std::nullopt;
  }
  for (const Entry& entry : root->entries)
    if (entry.key == "targets")
      read.targets = entry.value;
    else
      problems.error(entry.place, "unknown key " + in_quotes(entry.key) + "; allowed: targets");
  if (!read.targets || read.targets->is(Node::Kind::null)) return read;
  if (!read.targets->is(Node::Kind::map)) {
    problems.error(read.targets->place, "\"targets\" is " + describe(*read.targets) +
                                            "; allowed: a mapping from names to targets, as in "
                                            "workstation: {type: ssh, hosts: [node1]}");
    return std::nullopt;
  }
  for (const Entry& entry : read.targets->entries) {
    NamedTarget target;
    target.name = entry.key;
    target.file = file;
    target.line = entry.place.line;
    const std::size_t before = problems.errors();
    report_name(problems, entry.place, entry.key);
    if (!entry.value->is(Node::Kind::map)) {
      problems.error(entry.value->place, "the target " + in_quotes(entry.key) + " is " +
                                             describe(*entry.value) +
                                             "; allowed: a mapping with type and its options");
    } else {
      TargetReader reader{problems, fs::absolute(file).parent_path(), target};
      read_target(reader, *entry.value, entry.place);
    }
    if (problems.errors() == before)
      read.read.push_back(std::move(target));
    else
      read.faulty.push_back(entry.key);
  }
  return read;
}

}  // namespace config

bool LoadedTargets::ok() const {
  return std::none_of(problems.begin(), problems.end(), [](const Problem& problem) {
    return problem.severity == Problem::Severity::error;
  });
}

LoadedTargets load_targets(const std::vector<std::filesystem::path>& files) {
  LoadedTargets loaded;
  config::Problems problems;
  std::vector<std::filesystem::path> seen;
  for (const auto& file : files) {
    std::error_code error;
    // A file that two folders lead to is one.
    const auto same = [&](const auto& other) {
      return std::filesystem::equivalent(file, other, error);
    };
    if (!std::filesystem::exists(file, error) || std::any_of(seen.begin(), seen.end(), same))
      continue;
    seen.push_back(file);
    auto text = config::read_text(file);
    if (!text) {
      problems.error({problems.add_source(file.string()), 0, 0}, text.error().what);
      continue;
    }
    auto read = config::read_target_file(problems.add_source(file.string(), *std::move(text)), file,
                                         problems);
    if (!read) continue;
    for (NamedTarget& target : read->read) {
      const bool known =
          std::any_of(loaded.targets.begin(), loaded.targets.end(),
                      [&](const NamedTarget& other) { return other.name == target.name; });
      (known ? loaded.hidden : loaded.targets).push_back(std::move(target));
    }
    loaded.faulty.insert(loaded.faulty.end(), read->faulty.begin(), read->faulty.end());
  }
  loaded.files = seen;
  loaded.problems = problems.take();
  return loaded;
}

std::vector<std::filesystem::path> targets_files(
    const std::filesystem::path& here,
    const std::function<std::optional<std::string>(const char*)>& variable) {
  std::vector<std::filesystem::path> files{here / kTargetsFile};
  const auto given = variable("XDG_CONFIG_HOME"), home = variable("HOME");
  // As the specification of these folders says, a relative one does not count.
  if (given && given->starts_with('/'))
    files.push_back(std::filesystem::path(*given) / "hdrive" / kTargetsFile);
  else if (home && home->starts_with('/'))
    files.push_back(std::filesystem::path(*home) / ".config/hdrive" / kTargetsFile);
  return files;
}

std::optional<std::int64_t> slots_of(const NamedTarget& target, std::int64_t nodes) {
  const auto* slurm = std::get_if<SlurmOptions>(&target.options);
  if (slurm && slurm->pilot && slurm->cpus > 0 && target.slots == 0)
    return slurm->nodes * slurm->cpus;
  const auto* ssh = std::get_if<SshOptions>(&target.options);
  if (!ssh && target.slots > 0) return target.slots;
  if (!ssh) return std::nullopt;
  std::vector<std::int64_t> slots;
  for (const SshHost& host : ssh->hosts) {
    if (host.slots == 0) return target.slots > 0 ? std::optional(target.slots) : std::nullopt;
    slots.push_back(host.slots);
  }
  const std::int64_t most = runs_over_hosts(slots, nodes);
  return target.slots > 0 ? std::min(target.slots, most) : most;
}

Result<std::vector<NamedTarget>> find_targets(const LoadedTargets& loaded,
                                              const std::vector<std::string>& names) {
  std::vector<NamedTarget> found;
  for (const std::string& name : names) {
    if (base::fold(name) == config::kLocal) {
      found.push_back(
          {std::string(config::kLocal), std::string(config::kLocal), LocalOptions(), 0, {}, 0, {}});
      continue;
    }
    const auto target = std::find_if(loaded.targets.begin(), loaded.targets.end(),
                                     [&](const NamedTarget& each) { return each.name == name; });
    if (target != loaded.targets.end()) {
      found.push_back(*target);
      continue;
    }
    if (std::find(loaded.faulty.begin(), loaded.faulty.end(), name) != loaded.faulty.end()) {
      std::string why;
      for (const Problem& problem : loaded.problems)
        if (problem.severity == Problem::Severity::error) why += "\n  " + problem.message();
      return Error{"target " + name, "it cannot be used as it is written:" + why,
                   Error::Kind::invalid};
    }
    std::vector<std::string> known{std::string(config::kLocal)};
    for (const NamedTarget& each : loaded.targets) known.push_back(each.name);
    const std::string hint = base::did_you_mean(name, known);
    return Error{
        "target " + name,
        "there is no target of this name; allowed: " + base::join(known, ", ") +
            (hint.empty() ? "" : ";" + hint) +
            (loaded.files.empty() ? " (no targets.yml was found; `hdrive target create` makes one)"
                                  : ""),
        Error::Kind::invalid};
  }
  return found;
}

}  // namespace hdrive
