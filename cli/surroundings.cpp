// SPDX-License-Identifier: Apache-2.0
#include "cli/surroundings.h"

#include <cstdlib>

#include "base/text.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/target.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

EnvironmentOptions options_for(bool quiet) {
  EnvironmentOptions options;
  options.cache = environments_directory();
  options.search_path = search_path();
  if (!quiet) options.tell = [](const std::string& text) { tell(printable(text) + "\n"); };
  return options;
}

// The command's own path, by which runs get into their containers.
fs::path own_path() {
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  return ignored ? "hdrive" : self;
}

}  // namespace

fs::path environments_directory() {
  return value_or_fail(hdrive::environments_directory(environment));
}

std::string search_path() { return environment("PATH").value_or("/bin:/usr/bin"); }

std::optional<std::string> visible_gpus() {
  // Not environment(), for which one that is set to nothing is not set.
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"})
    if (const char* value = std::getenv(name)) return value;
  return std::nullopt;
}

KeptEnvironment make_environment(const Surroundings& wanted, bool quiet) {
  return value_or_fail(prepare_environment(*wanted.packages, options_for(quiet)));
}

void make_surroundings(LoadedConfig& loaded, bool quiet) {
  const Surroundings& wanted = loaded.surroundings;
  if (!wanted.packages && !wanted.container) return;
  SurroundingsOptions options;
  options.environments = options_for(quiet);
  options.hdrive = own_path();
  options.has_gpus = !find_gpus(visible_gpus()).empty();
  options.warn = [](const std::string& text) { complain("warning: " + printable(text)); };
  options.instead = "set environment.docker.enabled to false";
  const auto made = hdrive::make_surroundings(loaded.spec, wanted, options);
  if (!made) fail(made.error().kind == Error::Kind::invalid ? kWrong : kCannot, made.error());
}

std::string surroundings_text(const Surroundings& wanted) {
  if (wanted.container)
    return "in a container of " +
           (wanted.container->build ? "an image that is built" : wanted.container->image);
  if (!wanted.packages) return "";
  const std::size_t count = wanted.packages->conda.size() + wanted.packages->pip.size();
  const std::string packages = base::plural(static_cast<long long>(count), "package");
  return wanted.packages->name.empty() ? packages : wanted.packages->name + ", " + packages;
}

}  // namespace hdrive::cli
