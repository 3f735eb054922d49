// SPDX-License-Identifier: Apache-2.0
//
// Arguments of `az ml run` beside those that name configurations: the workspace, which means
// nothing here, and the file that tells of a run.
#pragma once

#include <filesystem>
#include <string>

namespace hdrive::cli {

class ArgumentParser;

struct AzureArguments {
  std::string resource_group, workspace, subscription, target;
  std::string metadata_file;  ///< -t
};

void add_azure_options(ArgumentParser& parser, AzureArguments& azure);
/// Those of them that name a workspace.
void add_workspace_options(ArgumentParser& parser, AzureArguments& azure);

/// The experiment that `folder attach` noted in .azureml/config.json of the folder; empty: none.
std::string attached_experiment(const std::filesystem::path& folder);

/// Says once what of them has no meaning here.
void tell_of_azure_options(const AzureArguments& azure, bool quiet);

/// The file of `--output-metadata-file`: what is known of a sweep as JSON, written when it has
/// begun and when it has ended.
class MetadataFile {
 public:
  /// `sweep` is its directory. Without a `file` nothing is written.
  MetadataFile(const std::string& file, std::filesystem::path sweep);
  /// A Failure where it cannot be written.
  void write() const;

 private:
  std::filesystem::path file_, sweep_;
};

}  // namespace hdrive::cli
