// SPDX-License-Identifier: Apache-2.0
//
// What is known of HyperDrive's .runconfig: one row a key. The reader tells by it what has no
// effect here, and the page docs/runconfig.md is made from it.
#pragma once

#include <string_view>
#include <vector>

#include "config/load.h"

namespace hdrive::config {

/// What becomes of a key.
enum class Use {
  honoured,  ///< does what it does there
  mapped,    ///< does what comes nearest here
  warned,    ///< has no effect, which is told unless it is empty or has a usual value
  refused,   ///< an error unless it is empty or has a usual value
  needless,  ///< of no consequence for a run on this machine, whatever it says
};
std::string_view to_string(Use use);

struct RunKey {
  std::string_view path;  ///< dotted; "*" stands for a name of the user's
  Use use = Use::honoured;
  std::string_view what;  ///< for the page; of what is warned of or refused also for the message
  std::vector<std::string_view> usual = {};  ///< values without effect, in lower case
};

const std::vector<RunKey>& run_keys();

/// Whether the node is null, or a text, a list or a mapping with nothing in it.
bool is_empty(const Node& node);

/// The value at a dotted path below `root`; nullptr where it is absent or empty.
const Node* value_at(const Node& root, std::string_view path);

/// An error where the key at `path`, a refused one, is neither empty nor usual: for those that count
/// only beside others.
void refuse_run_key(Problems& problems, const Node& root, std::string_view path);

/// Warns of all keys that have no effect or are not known.
void check_run_keys(Problems& problems, const Node& root);

/// A conda file's content (environment.yml) as a list of packages; what is wrong is reported.
PythonPackages read_conda_packages(Problems& problems, const Node& root);
/// The same of a file; `place` is where it was named. Nothing where it cannot be read, which is
/// reported.
std::optional<PythonPackages> read_conda_file(Loader& loader, const std::filesystem::path& file,
                                              Place place);

/// Data references and data as paths of this machine, by the asset map of `project`: sets the
/// variables that scripts read, and gives what "$AZUREML_DATAREFERENCE_name" in arguments stands
/// for. `folders` gets each of the paths.
std::map<std::string, std::string> read_run_data(Loader& loader, const Node& root,
                                                 const std::filesystem::path& project,
                                                 std::vector<std::filesystem::path>& folders);

}  // namespace hdrive::config
