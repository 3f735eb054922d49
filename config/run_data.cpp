// SPDX-License-Identifier: Apache-2.0
//
// Data of a run configuration: what Azure mounted or downloaded is a folder of this machine, by the
// asset map azureml.yml.
#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "config/asset_map.h"
#include "config/run_configuration.h"

namespace hdrive::config {
namespace {

namespace fs = std::filesystem;

class RunData {
 public:
  RunData(Loader& loader, const fs::path& project, std::vector<fs::path>& folders)
      : loader_(loader),
        project_(project),
        map_(AssetMap::read(project, loader.overrides.asset_map, loader.problems)),
        folders_(folders) {}

  std::map<std::string, std::string> take() { return std::move(paths_); }

  void read_reference(const Entry& entry) {
    const auto store = text_of(entry, {"dataStoreName"});
    if (!store)
      return error(entry.place, "the data reference " + in_quotes(entry.key) +
                                    " has no dataStoreName; it is needed");
    const auto folder = map_.path("datastores", *store);
    if (!folder) return missing(entry, "datastores", *store);
    const fs::path path = *folder / text_of(entry, {"pathOnDataStore"}).value_or("");
    const bool is_output = base::lower(text_of(entry, {"mode"}).value_or("")) == "upload";
    give(entry, path, is_output);
  }

  void read_data(const Entry& entry) {
    const Node* location = value_at(*entry.value, "dataLocation");
    if (const Node* dataset = member(location, {"dataset"})) return read_dataset(entry, *dataset);
    if (const Node* uri = member(location, {"uri"})) return read_uri(entry, *uri);
    const Node* in_store = member(location, {"dataPath", "datapath"});
    if (!in_store)
      return error(entry.place,
                   "the data " + in_quotes(entry.key) +
                       " has no dataLocation with dataset, dataPath or uri; one is needed");
    const Node* store = value_at(*in_store, "datastoreName");
    if (!store) store = value_at(*in_store, "dataStoreName");
    if (!store) return error(in_store->place, "the dataPath has no datastoreName; it is needed");
    const auto folder = map_.path("datastores", store->text);
    if (!folder) return missing(entry, "datastores", store->text);
    const Node* relative = value_at(*in_store, "relativePath");
    give(entry, *folder / (relative ? relative->text : ""), false);
  }

 private:
  void error(Place place, std::string text) { loader_.problems.error(place, std::move(text)); }

  static std::optional<std::string> text_of(const Entry& entry,
                                            std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys)
      if (const Node* node = value_at(*entry.value, key); node && node->is_scalar())
        return node->text;
    return std::nullopt;
  }

  // What is written under the first of the names that says something. Azure's SDK writes all three
  // kinds of places, those that do not count with nothing in them.
  static const Node* member(const Node* location, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
      const Node* node = location ? value_at(*location, name) : nullptr;
      if (!node) continue;
      const auto& entries = node->entries;
      const bool says_nothing = node->is(Node::Kind::map) &&
                                std::all_of(entries.begin(), entries.end(), [](const Entry& entry) {
                                  return is_empty(*entry.value);
                                });
      if (!says_nothing) return node;
    }
    return nullptr;
  }

  // A path of this machine, counted from the project, or a URL of the asset map.
  void read_uri(const Entry& entry, const Node& uri) {
    const Node* path = value_at(uri, "path");
    if (!path || !path->is_scalar())
      return error(uri.place, "the uri of " + in_quotes(entry.key) + " has no path; it is needed");
    if (!is_remote(path->text)) return give(entry, project_ / path->text, false);
    const auto mapped = map_.path("data", path->text);
    if (!mapped) return missing(entry, "data", path->text);
    give(entry, *mapped, false);
  }

  void read_dataset(const Entry& entry, const Node& dataset) {
    const Node* name = value_at(dataset, "name");
    const Node* version = value_at(dataset, "version");
    const Node* id = value_at(dataset, "id");
    if (!name && !id)
      return error(dataset.place, "the dataset of " + in_quotes(entry.key) +
                                      " has neither name nor id; one is needed");
    std::string asset = name ? name->text : id->text;
    if (name && version) asset += ":" + version->text;
    const auto path = map_.path("data", asset);
    if (!path) return missing(entry, "data", asset);
    give(entry, *path, false);
  }

  void missing(const Entry& entry, std::string_view kind, const std::string& asset) {
    const std::string text = in_quotes(entry.key) + " is data of Azure's (" + asset +
                             "); say where it is on this machine, " +
                             map_.advice(kind, asset, "PATH");
    paths_["AZUREML_DATAREFERENCE_" + entry.key] = "";  // so that nothing more is told of it
    report_missing(loader_, entry.place, text);
  }

  void give(const Entry& entry, const fs::path& given, bool is_output) {
    fs::path path = given.lexically_normal();
    if (!path.has_filename() && path != path.root_path()) path = path.parent_path();
    std::error_code ignored;
    if (!is_output && !fs::exists(path, ignored))
      return report_missing(loader_, entry.place,
                            "there is no " + in_quotes(path.string()) + ", which is " +
                                in_quotes(entry.key) + " by the asset map");
    folders_.push_back(path);
    const std::string variable = "AZUREML_DATAREFERENCE_" + entry.key;
    paths_[variable] = path.string();
    std::map<std::string, std::string> variables;
    set(entry.place, variable, path, variables);
    if (const Node* own = value_at(*entry.value, "environmentVariableName"))
      if (const auto name = scalar_text(loader_.problems, *own, "\"environmentVariableName\""))
        set(own->place, *name, path, variables);
    loader_.spec.environment_variables.merge(variables);
  }

  // With the checks of all variables.
  void set(Place place, const std::string& name, const fs::path& path,
           std::map<std::string, std::string>& to) {
    auto value = std::make_shared<Node>();
    value->kind = Node::Kind::text;
    value->place = place;
    value->text = path.string();
    add_environment_variable(loader_, {name, place, value}, to);
  }

  Loader& loader_;
  const fs::path& project_;
  AssetMap map_;
  std::vector<fs::path>& folders_;
  std::map<std::string, std::string> paths_;
};

// The mapping at `key`; an error where it is something else.
const Node* mapping(Problems& problems, const Node& root, std::string_view key) {
  const Node* node = value_at(root, key);
  if (!node || node->is(Node::Kind::map)) return node;
  problems.error(node->place, in_quotes(key) + " is " + describe(*node) +
                                  "; allowed: a mapping of names to what they stand for");
  return nullptr;
}

}  // namespace

std::map<std::string, std::string> read_run_data(Loader& loader, const Node& root,
                                                 const fs::path& project,
                                                 std::vector<fs::path>& folders) {
  const Node* references = mapping(loader.problems, root, "dataReferences");
  const Node* data = mapping(loader.problems, root, "data");
  if (!references && !data) return {};
  RunData reader(loader, project, folders);
  if (references)
    for (const Entry& entry : references->entries) reader.read_reference(entry);
  if (data)
    for (const Entry& entry : data->entries) reader.read_data(entry);
  return reader.take();
}

}  // namespace hdrive::config
