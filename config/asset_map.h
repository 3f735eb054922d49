// SPDX-License-Identifier: Apache-2.0
//
// The asset map: what Azure's names mean on this machine, from the file azureml.yml.
//
//   data:         {iris: ./data/iris, "iris:2": ./data/iris-2}
//   environments: {sklearn: ./venv/bin/python, big: {command: [micromamba, run, -n, big]}}
//   components:   {train: ./components/train.yml}
//   code:         {src: ./src}
//   datastores:   {workspaceblobstore: /mnt/store}
//   computes:     {cpu-cluster: local}
//
// Read once for each load of a job; a job without one gets an empty map. Relative paths count from
// the map's own folder. Not thread-safe; nothing is shared between loads.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"
#include "config/yaml_reader.h"

namespace hdrive::config {

/// With what the command of an environment is started.
struct LocalEnvironment {
  std::filesystem::path interpreter;  ///< absolute; empty: none
  std::vector<std::string> command;   ///< stands before the shell that reads the command
};

class AssetMap {
 public:
  /// Reads the map: `given`, or else azureml.yml in `directory` or in its .azureml, where there is
  /// one. What is wrong with it is reported.
  static AssetMap read(const std::filesystem::path& directory, const std::filesystem::path& given,
                       Problems& problems);

  /// "azureml:NAME:VERSION", "azureml:NAME@LABEL", "azureml://.../NAME/versions/V", a URL: the
  /// file or folder it stands for. `kind` is "data", "components", "code".
  std::optional<std::filesystem::path> path(std::string_view kind, std::string_view asset) const;
  std::optional<LocalEnvironment> environment(std::string_view asset) const;
  /// The target it stands for, "local" for this machine.
  std::optional<std::string> compute(std::string_view name) const;

  /// Where a line for `asset` belongs, for a message: `in azureml.yml: data: {iris: PATH}`.
  std::string advice(std::string_view kind, std::string_view asset, std::string_view value) const;

 private:
  const Node* find(std::string_view kind, std::string_view asset) const;
  std::filesystem::path full(std::string_view path) const;
  void check(Problems& problems) const;

  std::filesystem::path file_, directory_;
  NodePtr root_;
};

/// Whether it is a name that Azure knows, or a URL, rather than a path of this machine.
bool is_remote(std::string_view path);

}  // namespace hdrive::config
