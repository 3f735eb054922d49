// SPDX-License-Identifier: Apache-2.0
//
// What is wanted around a sweep's program made real, for all front ends alike.
#include <fmt/format.h>
#include <unistd.h>

#include "hdrive/environment.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;

// Files of a run belong to who runs the sweep. podman without root does that by itself.
std::string container_user(ContainerEngine engine) {
  if (engine != ContainerEngine::docker) return "";
  return fmt::format("{}:{}", ::getuid(), ::getgid());
}

// For people: the image's name, or what it is built from.
std::string title(const Container& container) {
  if (!container.build) return "the image " + container.image;
  const ImageBuild& build = *container.build;
  if (build.context.empty()) return "an image of a Dockerfile";
  return "an image of " +
         (build.context / (build.dockerfile.empty() ? "Dockerfile" : build.dockerfile)).string();
}

// The engine, and the image that it has then.
Result<ContainerEngine> prepare(Container& container, const SurroundingsOptions& options) {
  const auto engine = find_container_engine(options.environments.search_path);
  if (!engine) {
    const bool none = engine.error().kind == Error::Kind::not_found;
    return Error{
        "",
        fmt::format(
            "the run wants {}, and {}; {}{}", title(container), engine.error().what,
            none ? "install one" : "start it, or install another",
            options.instead.empty() || !container.required ? "" : ", or " + options.instead),
        Error::Kind::invalid};
  }
  if (container.build) {
    auto built = build_image(*engine, *container.build, options.environments);
    if (!built) return built.error();
    container.image = *std::move(built);
    container.build.reset();
  } else if (auto ready = prepare_image(*engine, container.image, options.environments); !ready) {
    return ready.error();
  }
  return engine;
}

Result<void> put_into_container(SweepSpec& spec, Container container,
                                const SurroundingsOptions& options) {
  const auto warn = [&](const std::string& text) {
    if (options.warn) options.warn(text);
  };
  const std::string wanted = title(container);
  const auto engine = prepare(container, options);
  if (!engine && container.required) return engine.error();
  if (!engine) {
    warn(fmt::format("{} is not used, and the program is found in PATH: {}", wanted,
                     engine.error().message()));
    return {};
  }
  if (*engine == ContainerEngine::apptainer && !container.shm_size.empty()) {
    warn("shmSize is ignored: apptainer shares this machine's /dev/shm");
    container.shm_size.clear();
  }
  if (container.gpu && !options.has_gpus) {
    warn("gpuSupport is ignored: this machine has no GPU");
    container.gpu = false;
  }
  ContainerWords words;
  words.engine = *engine;
  words.container = std::move(container);
  words.user = container_user(*engine);
  for (const auto& [name, value] : spec.environment_variables) words.variables.push_back(name);
  spec.command = command_in_container(options.hdrive, words, spec.command);
  return {};
}

}  // namespace

std::vector<std::string> command_in_container(const fs::path& hdrive, const ContainerWords& words,
                                              const std::vector<std::string>& command) {
  const Container& container = words.container;
  std::vector<std::string> result{hdrive.string(), "container-run"};
  const auto add = [&](const std::string& option, const std::string& value) {
    if (!value.empty()) result.push_back(option + "=" + value);
  };
  add("--engine", std::string(to_string(words.engine)));
  add("--image", container.image);
  add("--shm-size", container.shm_size);
  add("--user", words.user);
  if (container.gpu) result.emplace_back("--gpu");
  for (const auto& volume : container.volumes) add("--volume", volume.string());
  for (const std::string& name : words.variables) add("--variable", name);
  for (const std::string& argument : container.arguments) add("--argument", argument);
  result.emplace_back("--");
  result.insert(result.end(), command.begin(), command.end());
  return result;
}

Result<void> make_surroundings(SweepSpec& spec, const Surroundings& wanted,
                               const SurroundingsOptions& options) {
  if (spec.command.empty()) return {};
  if (wanted.packages) {
    const auto kept = prepare_environment(*wanted.packages, options.environments);
    if (!kept) return kept.error();
    use_environment(spec, *kept);
  }
  return wanted.container ? put_into_container(spec, *wanted.container, options) : Result<void>{};
}

Result<fs::path> environments_directory(
    const std::function<std::optional<std::string>(const char*)>& variable) {
  if (const auto given = variable("HDRIVE_ENVIRONMENTS")) return fs::absolute(*given);
  if (const auto cache = variable("XDG_CACHE_HOME"))
    return fs::path(*cache) / "hdrive/environments";
  if (const auto home = variable("HOME")) return fs::path(*home) / ".cache/hdrive/environments";
  return Error{
      "",
      "neither HOME nor XDG_CACHE_HOME is set; HDRIVE_ENVIRONMENTS says where environments "
      "are to be kept"};
}

}  // namespace hdrive
