// SPDX-License-Identifier: Apache-2.0
//
// Conda files: channels, packages of conda, packages of pip.
#include "base/text.h"
#include "config/run_configuration.h"

namespace hdrive::config {
namespace {

void add_texts(Problems& problems, const Node& list, std::string_view what,
               std::vector<std::string>& to) {
  if (!list.is(Node::Kind::list))
    return problems.error(list.place,
                          in_quotes(what) + " is " + describe(list) + "; allowed: a list of texts");
  for (const NodePtr& item : list.items)
    if (auto text = scalar_text(problems, *item, "an item of " + in_quotes(what)))
      to.push_back(*std::move(text));
}

}  // namespace

PythonPackages read_conda_packages(Problems& problems, const Node& root) {
  PythonPackages packages;
  if (!root.is(Node::Kind::map)) {
    problems.error(root.place, "the conda dependencies are " + describe(root) +
                                   "; allowed: a mapping with name, channels and dependencies");
    return packages;
  }
  for (const Entry& entry : root.entries) {
    if (is_empty(*entry.value)) continue;
    if (entry.key == "name") {
      packages.name = entry.value->text;
    } else if (entry.key == "channels") {
      add_texts(problems, *entry.value, "channels", packages.channels);
    } else if (entry.key == "dependencies") {
      if (!entry.value->is(Node::Kind::list)) {
        add_texts(problems, *entry.value, "dependencies", packages.conda);
        continue;
      }
      for (const NodePtr& item : entry.value->items) {
        const Entry* pip = item->find("pip");
        if (pip && item->entries.size() == 1)
          add_texts(problems, *pip->value, "pip", packages.pip);
        else if (item->is(Node::Kind::map))
          problems.error(item->place, "a dependency is " + describe(*item) +
                                          "; allowed: a package, or \"pip\" with a list of them");
        else if (auto text = scalar_text(problems, *item, "a dependency"))
          packages.conda.push_back(*std::move(text));
      }
    } else if (entry.key != "prefix") {
      const std::string hint =
          base::did_you_mean(entry.key, {"name", "channels", "dependencies", "prefix"});
      problems.warn(entry.place, "unknown key " + in_quotes(entry.key) + " is ignored" +
                                     (hint.empty() ? "" : ";" + hint));
    }
  }
  return packages;
}

}  // namespace hdrive::config
