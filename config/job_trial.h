// SPDX-License-Identifier: Apache-2.0
//
// What a run of a v2 job is: its command with code and environment, inline or in a component's
// file.
#pragma once

#include <filesystem>
#include <vector>

#include "config/asset_map.h"
#include "config/job_inputs.h"
#include "config/job_schema.h"
#include "config/load.h"

namespace hdrive::config {

class JobTrial {
 public:
  JobTrial(Loader& loader, const AssetMap& assets, JobInputs& inputs)
      : loader_(loader), assets_(assets), inputs_(inputs), directory_(loader.directory) {}

  /// Reads the command of a job with these keys into the specification; its parameters are read
  /// already.
  void read(const Fields& job);

 private:
  bool read_parts(const Fields& job);
  bool read_component(const Entry& entry);
  void read_code();
  void read_environment(const Fields& job);
  void read_packages(const Fields& environment, const std::filesystem::path& from);
  void read_image(const Fields& environment, const std::filesystem::path& directory);
  void read_container_options(const Fields& resources);
  void take_environment(const LocalEnvironment& environment, Place place);
  void read_processes(const Fields& fields);
  void read_command();
  std::string interpreter_lines(std::string_view command) const;

  Loader& loader_;
  const AssetMap& assets_;
  JobInputs& inputs_;
  std::filesystem::path directory_;  ///< from where its paths count
  NodePtr root_;                     ///< of a component's file
  Fields fields_;                    ///< of the command, wherever it stands
  LocalEnvironment environment_;
};

}  // namespace hdrive::config
