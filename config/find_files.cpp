// SPDX-License-Identifier: Apache-2.0
//
// Where HyperDrive's command looks for the files that are named to it.
#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "config/problems.h"
#include "hdrive/config.h"

namespace hdrive {
namespace config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolders[] = {"", ".azureml", "aml_config"};

std::vector<std::string> names_in(const fs::path& directory, std::string_view ending) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (name.ends_with(ending)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  return fs::exists(status) && !fs::is_directory(status);
}

fs::path in(const fs::path& directory, std::string_view folder) {
  return folder.empty() ? directory : directory / folder;
}

}  // namespace
}  // namespace config

Result<std::filesystem::path> find_run_configuration(const std::filesystem::path& directory,
                                                     std::string_view name) {
  using namespace config;
  constexpr std::string_view kEnding = ".runconfig";
  std::vector<std::string> known;
  for (const std::string_view folder : kFolders) {
    const fs::path place = in(directory, folder);
    for (const std::string& file : {std::string(name) + std::string(kEnding), std::string(name)})
      if (!name.empty() && is_file(place / file)) return place / file;
    for (const std::string& file : names_in(place, kEnding))
      known.push_back(file.substr(0, file.size() - kEnding.size()));
  }
  const std::string hint = base::did_you_mean(name, known);
  return Error{"", "there is no run configuration " + in_quotes(name) + "; looked for " +
                       in_quotes(std::string(name) + std::string(kEnding)) + " in " +
                       in_quotes(directory.string()) + ", .azureml and aml_config" +
                       (known.empty() ? "" : "; found: " + listing(known)) +
                       (hint.empty() ? "" : ";" + hint)};
}

Result<std::filesystem::path> find_hyperdrive_configuration(const std::filesystem::path& directory,
                                                            std::string_view file_name) {
  using namespace config;
  if (file_name.empty())
    return Error{"", "the hyperdrive configuration has no name; give a file's, as in hdconfig.yml"};
  for (const std::string_view folder : kFolders) {
    const fs::path place = in(directory, folder) / file_name;
    if (is_file(place)) return place;
  }
  std::vector<fs::path> found;
  std::vector<std::string> known = names_in(directory, ".yml");
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!it->is_directory(ignored)) continue;
    if (is_file(it->path() / file_name)) found.push_back(it->path() / file_name);
    for (std::string& name : names_in(it->path(), ".yml")) known.push_back(std::move(name));
  }
  std::sort(found.begin(), found.end());
  if (found.size() == 1) return found.front();
  if (found.size() > 1)
    return Error{"", "there are several files " + in_quotes(file_name) + ": " +
                         in_quotes(found[0].string()) + ", " + in_quotes(found[1].string()) +
                         "; name one of them by its path"};
  const std::string hint = base::did_you_mean(file_name, known);
  return Error{"", "there is no file " + in_quotes(file_name) + " in " +
                       in_quotes(directory.string()) + " or a folder in it" +
                       (hint.empty() ? "" : ";" + hint)};
}

}  // namespace hdrive
