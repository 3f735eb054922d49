// SPDX-License-Identifier: Apache-2.0
//
// docs/targets-file.md: the schema of targets.yml as a page.
#include "base/text.h"
#include "config/reference_table.h"
#include "config/target_schema.h"

namespace hdrive {
namespace {

constexpr std::string_view kHead =
    R"(<!-- Generated from the schema table in config/ by targets_reference(); do not edit. -->
# targets.yml

Names for the places where runs can go; `target: NAME` in hdconfig.yml sends a sweep there. [targets.md](targets.md) tells
what each type needs and promises.

```yaml
targets:
  workstation: {type: ssh, hosts: [{host: node1, port: 2201, user: ada, identity_file: ~/.ssh/id, slots: 2}]}
  cluster: {type: slurm, partition: gpu, slots: 100}
  grid: {type: command, system: sge, slots: 40}
```

hdrive looks in the source folder of the sweep (where its hdconfig.yml is, as a rule), in the working directory and in the user's
configuration folder (`$XDG_CONFIG_HOME/hdrive` or `~/.config/hdrive`); of two targets with one name the first counts. `local` is
this machine and always there. `hdrive target create`, `update` and `delete` change the file and leave the rest of it as
it was; `hdrive target test NAME` tries a target.

Secrets are not kept in the file: SSH logs in with a key or an agent, or asks for the password itself.

## Every target
)";

// A command as one may write it in the file.
std::string command_line(const std::vector<std::string>& words) {
  std::vector<std::string> shown;
  for (const std::string& word : words) {
    const bool plain = word.find_first_of(" '\"\\|") == word.npos;
    const bool apostrophes = word.find('\'') != word.npos;
    const std::string quote = plain ? "" : apostrophes ? "\"" : "'";
    shown.push_back(quote + word + quote);
  }
  return base::join(shown, " ");
}

void append_ready_systems(std::string& page) {
  page += "\n### Ready systems\n\n| `system` | | tested |\n|---|---|---|\n";
  for (const ReadySystem& each : ready_systems())
    page += "| `" + each.name + "` | " + each.title + " | " +
            (each.tested ? "with " + each.version
                         : "no; written by the documentation of " + each.version) +
            " |\n";
  page += "\nTheir commands, to begin with where one does not fit:\n\n```\n";
  for (const ReadySystem& each : ready_systems())
    page += each.name + ":\n  submit: " + command_line(each.options.submit) +
            "\n  status: " + command_line(each.options.status) +
            "\n  cancel: " + command_line(each.options.cancel) + "\n";
  page += "```\n";
}

}  // namespace

std::vector<TargetTypeInfo> target_type_infos() {
  std::vector<TargetTypeInfo> infos;
  for (const config::TargetType& type : config::target_types()) {
    TargetTypeInfo info{std::string(type.name), std::string(type.summary), {}};
    for (const config::TargetKey& key : config::target_schema())
      if (key.type == type.name || (key.type == "any" && key.row.name != "type"))
        info.keys.push_back({std::string(key.row.name), config::allowed_text(key.row),
                             std::string(key.row.summary), std::string(key.row.default_text),
                             key.row.required});
    infos.push_back(std::move(info));
  }
  return infos;
}

std::string targets_reference() {
  std::string page(kHead);
  const auto append = [&](std::string_view type) {
    std::vector<config::KeyInfo> rows;
    for (const config::TargetKey& key : config::target_schema())
      if (key.type == type) rows.push_back(key.row);
    if (!rows.empty()) config::append_rows(page, rows);
  };
  append("any");
  for (const config::TargetType& type : config::target_types()) {
    page += "\n## " + std::string(type.name) + "\n\nRuns are " + std::string(type.summary) + ".\n";
    append(type.name);
    if (type.name == "ssh") {
      page += "\nA host is a text, as in `node1`, `ada@node1` or `ada@node1:2201`, or a mapping:\n";
      append("ssh host");
    }
  }
  append_ready_systems(page);
  return page;
}

}  // namespace hdrive
