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

std::optional<PythonPackages> read_conda_file(Loader& loader, const std::filesystem::path& file,
                                              Place place) {
  auto content = read_text(file);
  if (!content) {
    report_missing(
        loader, place,
        "the conda file " + in_quotes(file.string()) + " cannot be read: " + content.error().what);
    return std::nullopt;
  }
  const int source = loader.problems.add_source(file.string(), *std::move(content));
  const NodePtr root = read_yaml(source, loader.problems);
  if (!root) return std::nullopt;
  std::error_code ignored;
  PythonPackages result = read_conda_packages(loader.problems, *root);
  result.directory = std::filesystem::absolute(file, ignored).parent_path();
  return result;
}

}  // namespace hdrive::config
