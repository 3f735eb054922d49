// SPDX-License-Identifier: Apache-2.0
//
// The inputs and outputs of a v2 job by name: what was declared, what was given, where the data
// lie on this machine, and the variables of the environment that carry them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "config/asset_map.h"
#include "config/job_command.h"
#include "config/load.h"
#include "config/yaml_reader.h"

namespace hdrive::config {

class JobInputs {
 public:
  /// Data at a path in `unmade` are not looked for.
  JobInputs(Loader& loader, const AssetMap& assets, const std::set<std::string>& unmade)
      : loader_(loader), assets_(assets), unmade_(unmade) {}

  /// Of a component: the inputs it has, with types and defaults; then no others can be given.
  void declare(const Node* inputs, const std::filesystem::path& directory);
  /// What the job gives; relative paths count from `directory`.
  void read_values(const Node* inputs, const std::filesystem::path& directory);
  /// The job's outputs, or the component's.
  void read_outputs(const Node* outputs);
  /// Puts all values into the environment of the runs; reports, at `place`, what a component
  /// misses.
  void finish(Place place);

  /// What a placeholder of a command at `place` stands for; reports one that stands for nothing.
  std::optional<Reference> resolve(std::string_view group, std::string_view name,
                                   std::string_view text, Place place);

  /// The files and folders of this machine that are inputs.
  std::vector<std::filesystem::path> data() const;

  /// What a run does before its command: its output folders are made.
  std::string preparation() const;

 private:
  struct Input {
    Place place;
    bool given = false;     ///< a value or a default
    bool optional = false;  ///< may be left out
    bool data = false;      ///< a file or folder
    std::string type;       ///< "" where none is told
    std::string text;       ///< the value, or the path
  };

  void read_input(const Entry& entry, const std::filesystem::path& directory, Input& input);
  void take_data(const Entry& entry, const Node& path, const std::filesystem::path& directory,
                 Input& input);
  std::optional<Reference> parameter(std::string_view name) const;
  std::optional<Reference> missing(std::string_view group, std::string_view name, Place place,
                                   const std::vector<std::string>& known);

  Loader& loader_;
  const AssetMap& assets_;
  const std::set<std::string>& unmade_;
  bool declared_ = false;
  std::map<std::string, Input, std::less<>> inputs_;
  std::map<std::string, std::string, std::less<>> outputs_;  ///< their types
};

}  // namespace hdrive::config
