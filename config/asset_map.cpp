// SPDX-License-Identifier: Apache-2.0
#include "config/asset_map.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "base/text.h"
#include "config/load.h"

namespace hdrive::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFile = "azureml.yml";
constexpr std::array<std::string_view, 6> kKinds{"data", "environments", "components",
                                                 "code", "datastores",   "computes"};

constexpr std::string_view kPrefix = "azureml:";
// A resource by its full name, which is no path of this machine either.
constexpr std::string_view kResource = "/subscriptions/";

// What the asset may be called in the map, the most particular first.
std::vector<std::string> names_of(std::string_view asset) {
  std::vector<std::string> names{std::string(asset)};
  if (asset.find("://") != std::string_view::npos && !asset.starts_with(kPrefix)) return names;
  if (asset.starts_with(kPrefix)) asset.remove_prefix(kPrefix.size());
  names.emplace_back(asset);
  if (asset.starts_with("//") || asset.starts_with(kResource)) {
    // .../environments/NAME/versions/3, .../data/NAME/labels/latest
    const auto parts = base::split(asset, '/');
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (parts[i] != "versions" && parts[i] != "labels") continue;
      if (i + 1 < parts.size())
        names.push_back(std::string(parts[i - 1]) + ":" + std::string(parts[i + 1]));
      names.emplace_back(parts[i - 1]);
    }
    return names;
  }
  const std::size_t end = asset.find_first_of(":@");
  if (end != std::string_view::npos) names.emplace_back(asset.substr(0, end));
  return names;
}

// The datastore and the path in it, of azureml://.../datastores/NAME/paths/PATH.
std::optional<std::pair<std::string_view, std::string_view>> in_datastore(std::string_view asset) {
  constexpr std::string_view kStores = "/datastores/", kPaths = "/paths/";
  const std::size_t store = asset.find(kStores);
  if (!asset.starts_with(kPrefix) || store == std::string_view::npos) return std::nullopt;
  const std::string_view rest = asset.substr(store + kStores.size());
  const std::size_t paths = rest.find(kPaths);
  if (paths == std::string_view::npos) return std::nullopt;
  return std::pair{rest.substr(0, paths), rest.substr(paths + kPaths.size())};
}

void report_unknown_kind(const Entry& entry, Problems& problems) {
  const std::vector<std::string> kinds(kKinds.begin(), kKinds.end());
  const std::string hint = base::did_you_mean(entry.key, kinds);
  problems.error(entry.place, "unknown key " + in_quotes(entry.key) +
                                  " in the asset map; allowed: " + listing(kinds) +
                                  (hint.empty() ? "" : ";" + hint));
}

void check_environment(const Entry& entry, Problems& problems) {
  const Node& node = *entry.value;
  if (node.is(Node::Kind::text) && !node.text.empty()) return;
  const auto wrong = [&](const Node& what) {
    problems.error(what.place, "the environment " + in_quotes(entry.key) + " is " + describe(what) +
                                   "; allowed: the path of an interpreter or of its environment's "
                                   "folder, or a mapping with interpreter and command");
  };
  if (!node.is(Node::Kind::map)) return wrong(node);
  for (const Entry& each : node.entries) {
    if (each.key == "interpreter" && each.value->is(Node::Kind::text)) continue;
    const bool words = each.value->is(Node::Kind::list) && !each.value->items.empty() &&
                       std::all_of(each.value->items.begin(), each.value->items.end(),
                                   [](const NodePtr& item) { return item->is(Node::Kind::text); });
    if (each.key == "command" && words) continue;
    problems.error(each.place, "the environment " + in_quotes(entry.key) + " has " +
                                   in_quotes(each.key) + ", which is " + describe(*each.value) +
                                   "; allowed: interpreter, a path, and command, a list of words");
  }
}

}  // namespace

bool is_remote(std::string_view path) {
  if (path.starts_with("file://")) return false;
  if (path.starts_with(kPrefix) || path.starts_with(kResource)) return true;
  const std::size_t colon = path.find("://");
  return colon != std::string_view::npos && colon > 0 && path.find_first_of("/ ") > colon;
}

AssetMap AssetMap::read(const fs::path& directory, const fs::path& given, Problems& problems) {
  AssetMap map;
  map.file_ = given;
  std::error_code error;
  if (given.empty())
    for (const fs::path& candidate : {directory / kFile, directory / ".azureml" / kFile})
      if (map.file_.empty() && fs::is_regular_file(candidate, error)) map.file_ = candidate;
  map.directory_ = map.file_.empty() ? directory : fs::absolute(map.file_, error).parent_path();
  if (map.file_.empty()) return map;
  auto text = read_text(map.file_);
  if (!text) {
    problems.error({problems.add_source(map.file_.string()), 0, 0}, text.error().what);
    return map;
  }
  const int source = problems.add_source(map.file_.string(), *std::move(text));
  map.root_ = read_yaml(source, problems);
  map.check(problems);
  return map;
}

void AssetMap::check(Problems& problems) const {
  if (!root_ || root_->is(Node::Kind::null)) return;
  if (!root_->is(Node::Kind::map))
    return problems.error(root_->place, "the asset map is " + describe(*root_) +
                                            "; allowed: a mapping with data, environments, "
                                            "components, code, datastores and computes");
  for (const Entry& kind : root_->entries) {
    if (std::find(kKinds.begin(), kKinds.end(), kind.key) == kKinds.end()) {
      report_unknown_kind(kind, problems);
      continue;
    }
    if (kind.value->is(Node::Kind::null)) continue;
    if (!kind.value->is(Node::Kind::map)) {
      problems.error(kind.value->place, in_quotes(kind.key) + " is " + describe(*kind.value) +
                                            "; allowed: a mapping of Azure's names to what they "
                                            "mean here");
      continue;
    }
    for (const Entry& entry : kind.value->entries) {
      if (kind.key == "environments")
        check_environment(entry, problems);
      else if (!entry.value->is(Node::Kind::text) || entry.value->text.empty())
        problems.error(entry.value->place, in_quotes(entry.key) + " is " + describe(*entry.value) +
                                               "; allowed: a path of this machine");
    }
  }
}

const Node* AssetMap::find(std::string_view kind, std::string_view asset) const {
  const Entry* table = root_ && root_->is(Node::Kind::map) ? root_->find(kind) : nullptr;
  if (!table || !table->value->is(Node::Kind::map)) return nullptr;
  for (const std::string& name : names_of(asset))
    if (const Entry* entry = table->value->find(name)) return entry->value.get();
  return nullptr;
}

fs::path AssetMap::full(std::string_view path) const {
  return (directory_ / path).lexically_normal();
}

std::optional<fs::path> AssetMap::path(std::string_view kind, std::string_view asset) const {
  if (const Node* node = find(kind, asset); node && node->is(Node::Kind::text))
    return full(node->text);
  if (const auto place = in_datastore(asset))
    if (const Node* store = find("datastores", place->first); store && store->is(Node::Kind::text))
      return (full(store->text) / place->second).lexically_normal();
  return std::nullopt;
}

std::optional<LocalEnvironment> AssetMap::environment(std::string_view asset) const {
  const Node* node = find("environments", asset);
  if (!node) return std::nullopt;
  LocalEnvironment result;
  const Entry* interpreter = node->find("interpreter");
  const std::string& text = node->is(Node::Kind::text) ? node->text
                            : interpreter              ? interpreter->value->text
                                                       : std::string();
  if (!text.empty()) {
    std::error_code error;
    result.interpreter = full(text);
    if (fs::is_directory(result.interpreter, error)) result.interpreter /= "bin/python";
  }
  if (const Entry* command = node->find("command"))
    for (const NodePtr& word : command->value->items) result.command.push_back(word->text);
  return result;
}

std::optional<std::string> AssetMap::compute(std::string_view name) const {
  const Node* node = find("computes", name);
  return node ? std::optional(node->text) : std::nullopt;
}

std::string AssetMap::advice(std::string_view kind, std::string_view asset,
                             std::string_view value) const {
  std::error_code error;
  const fs::path whole = file_.empty() ? directory_ / kFile : file_;
  const fs::path below = whole.lexically_proximate(fs::current_path(error));
  const fs::path& file = *below.begin() == ".." ? whole : below;
  const std::vector<std::string> names = names_of(asset);
  // Of an address without an asset's name in it the whole is the name.
  std::string name = names.back().starts_with("//") ? names.front() : names.back();
  std::string_view table = kind;
  if (const auto place = in_datastore(asset)) {
    name = place->first;
    table = "datastores";
  }
  return "in " + in_quotes(file.string()) + ": " + std::string(table) + ": {" +
         (name.find_first_of(":/@{}, ") == std::string::npos ? name : base::json_string(name)) +
         ": " + std::string(value) + "}";
}

}  // namespace hdrive::config
