// SPDX-License-Identifier: Apache-2.0
#include "cli/built_environment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/surroundings.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

// The property of a sweep that holds the lists of packages.
constexpr const char* kProperty = "hdrive.environment";

std::string to_property(const PythonPackages& packages) {
  return compact({{"name", packages.name},
                  {"channels", packages.channels},
                  {"conda", packages.conda},
                  {"pip", packages.pip},
                  {"directory", packages.directory.string()}});
}

std::optional<PythonPackages> packages_of(const SweepHeader& header) {
  const auto found = header.properties.find(kProperty);
  if (found == header.properties.end()) return std::nullopt;
  const nlohmann::json kept = base::parse_json(found->second);
  if (!kept.is_object()) return std::nullopt;
  try {
    return PythonPackages{kept.at("name"), kept.at("channels"), kept.at("conda"), kept.at("pip"),
                          fs::path(kept.at("directory").get<std::string>())};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

// Where the environment of the runs was, if they have one (use_environment).
std::optional<fs::path> prefix_of(const SweepSpec& spec) {
  const auto programs = spec.environment_variables.find("HDRIVE_PATH_FIRST");
  if (programs == spec.environment_variables.end()) return std::nullopt;
  return fs::path(programs->second).parent_path();
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

}  // namespace

void note_environment(const Surroundings& wanted, SweepHeader& header) {
  if (wanted.packages) header.properties[kProperty] = to_property(*wanted.packages);
}

SweepHeader with_environment(const SweepHeader& header, const SweepSpec& spec, bool quiet) {
  const auto prefix = prefix_of(spec);
  if (!prefix || ::access((*prefix / "bin" / "python").c_str(), X_OK) == 0) return header;
  const std::string key = prefix->parent_path().filename();
  const auto packages = packages_of(header);
  if (!packages)
    fail(kCannot,
         fmt::format("the environment {} of {} is no longer there ({}), and nothing was started; "
                     "hdrive environment build -c RUNCONFIG builds it again",
                     printable(key), short_id(header.id), printable(prefix->string())));
  complain(fmt::format("the environment {} of {} is no longer there; it is built again",
                       printable(key), short_id(header.id)));
  const KeptEnvironment kept = make_environment({packages, {}}, quiet);
  SweepHeader result = header;
  // Another tool or another Python makes another one; and the folder of all may have moved.
  if (kept.key != key)
    complain(fmt::format(
        "warning: the environment is another one than the earlier runs had: {} in place of {}",
        kept.key, printable(key)));
  replace_all(result.config, prefix->string(), kept.prefix.string());
  return result;
}

}  // namespace hdrive::cli
