// SPDX-License-Identifier: Apache-2.0
#include "cli/surroundings.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/container_words.h"
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

// Files of a run belong to who runs the sweep. podman without root does that by itself.
std::string container_user(ContainerEngine engine) {
  if (engine != ContainerEngine::docker) return "";
  return fmt::format("{}:{}", ::getuid(), ::getgid());
}

void put_into_container(LoadedConfig& loaded, bool quiet) {
  Container container = *loaded.surroundings.container;
  const auto engine = find_container_engine(search_path());
  if (!engine)
    fail(kWrong, fmt::format("the docker section wants the image {}, and {}; install one, or set "
                             "environment.docker.enabled to false",
                             container.image, engine.error().what));
  if (*engine == ContainerEngine::apptainer && !container.shm_size.empty()) {
    complain("warning: shmSize is ignored: apptainer shares this machine's /dev/shm");
    container.shm_size.clear();
  }
  if (container.gpu && find_gpus(environment("CUDA_VISIBLE_DEVICES")).empty()) {
    complain("warning: gpuSupport is ignored: this machine has no GPU");
    container.gpu = false;
  }
  if (auto ready = prepare_image(*engine, container.image, options_for(quiet)); !ready)
    fail(kCannot, ready.error());
  ContainerWords words;
  words.engine = *engine;
  words.container = std::move(container);
  words.user = container_user(*engine);
  for (const auto& [name, value] : loaded.spec.environment_variables)
    words.variables.push_back(name);
  loaded.spec.command = command_in_container(words, loaded.spec.command);
}

}  // namespace

fs::path environments_directory() {
  if (const auto given = environment("HDRIVE_ENVIRONMENTS")) return fs::absolute(*given);
  if (const auto cache = environment("XDG_CACHE_HOME"))
    return fs::path(*cache) / "hdrive/environments";
  if (const auto home = environment("HOME")) return fs::path(*home) / ".cache/hdrive/environments";
  fail(kCannot,
       "neither HOME nor XDG_CACHE_HOME is set; HDRIVE_ENVIRONMENTS says where "
       "environments are to be kept");
}

std::string search_path() { return environment("PATH").value_or("/bin:/usr/bin"); }

KeptEnvironment make_environment(const Surroundings& wanted, bool quiet) {
  return value_or_fail(prepare_environment(*wanted.packages, options_for(quiet)));
}

void make_surroundings(LoadedConfig& loaded, bool quiet) {
  if (loaded.spec.command.empty()) return;
  if (loaded.surroundings.packages)
    use_environment(loaded.spec, make_environment(loaded.surroundings, quiet));
  if (loaded.surroundings.container) put_into_container(loaded, quiet);
}

std::string surroundings_text(const Surroundings& wanted) {
  if (wanted.container) return "in a container of " + wanted.container->image;
  if (!wanted.packages) return "";
  const std::size_t count = wanted.packages->conda.size() + wanted.packages->pip.size();
  const std::string packages = base::plural(static_cast<long long>(count), "package");
  return wanted.packages->name.empty() ? packages : wanted.packages->name + ", " + packages;
}

}  // namespace hdrive::cli
