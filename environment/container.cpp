// SPDX-License-Identifier: Apache-2.0
//
// Containers: the command lines of podman, docker and apptainer, and the questions asked of them
// before a sweep begins.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "environment/tool.h"
#include "hdrive/environment.h"

namespace hdrive {
namespace environment {
namespace {

using Words = std::vector<std::string>;

bool gives(const Words& arguments, std::initializer_list<std::string_view> options) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& word) {
    const std::string name = word.substr(0, word.find('='));
    return std::find(options.begin(), options.end(), name) != options.end();
  });
}

void add(Words& to, std::initializer_list<std::string> words) { to.insert(to.end(), words); }

// Files and folders under the names they have here: what a run is told of is true inside, too.
template <class Each>
void each_folder(const ContainerRun& run, const Each& each) {
  for (const auto& folder : run.folders) each(folder.string());
  for (const auto& folder : run.container.volumes) each(folder.string());
}

// podman and docker understand the same words.
Words oci_command(const ContainerRun& run) {
  const bool docker = run.engine == ContainerEngine::docker;
  const Container& container = run.container;
  Words words{docker ? "docker" : "podman", "run", "--rm", "--name", run.name};
  if (run.init) words.emplace_back("--init");
  // Metrics may be logged to an address of this machine's own.
  if (!gives(container.arguments, {"--network", "--net"})) add(words, {"--network", "host"});
  if (!run.user.empty()) add(words, {"--user", run.user});
  add(words, {"--workdir", run.working_directory.string()});
  each_folder(run, [&](const std::string& folder) {
    add(words, {"--volume", folder + ":" + folder});
  });
  for (const std::string& name : run.variables) add(words, {"--env", name});
  if (!container.shm_size.empty()) add(words, {"--shm-size", container.shm_size});
  if (container.gpu && docker) add(words, {"--gpus", "all"});
  if (container.gpu && !docker) add(words, {"--device", "nvidia.com/gpu=all"});
  // What an image starts by itself would be in the way of the command.
  if (!gives(container.arguments, {"--entrypoint"})) add(words, {"--entrypoint", ""});
  words.insert(words.end(), container.arguments.begin(), container.arguments.end());
  words.push_back(container.image);
  words.insert(words.end(), run.command.begin(), run.command.end());
  return words;
}

// Its processes are ours: the environment, the user and the network are those of the run.
Words apptainer_command(const ContainerRun& run) {
  Words words{"apptainer", "exec", "--pwd", run.working_directory.string()};
  each_folder(run, [&](const std::string& folder) { add(words, {"--bind", folder}); });
  if (run.container.gpu) words.emplace_back("--nv");
  words.insert(words.end(), run.container.arguments.begin(), run.container.arguments.end());
  const std::string& image = run.container.image;
  const bool is_file = image.ends_with(".sif") || image.find("://") != image.npos;
  words.push_back(is_file ? image : "docker://" + image);
  words.insert(words.end(), run.command.begin(), run.command.end());
  return words;
}

constexpr ContainerEngine kEngines[] = {ContainerEngine::podman, ContainerEngine::docker,
                                        ContainerEngine::apptainer};

}  // namespace
}  // namespace environment

std::string_view to_string(ContainerEngine engine) {
  constexpr std::string_view kNames[] = {"podman", "docker", "apptainer"};
  return kNames[static_cast<int>(engine)];
}

std::vector<std::string> container_command(const ContainerRun& run) {
  return run.engine == ContainerEngine::apptainer ? environment::apptainer_command(run)
                                                  : environment::oci_command(run);
}

std::vector<std::string> container_end_command(ContainerEngine engine, const std::string& name) {
  switch (engine) {
    case ContainerEngine::podman:
      return {"podman", "rm", "--force", "--time", "0", name};
    case ContainerEngine::docker:
      return {"docker", "rm", "--force", name};
    case ContainerEngine::apptainer:
      break;
  }
  return {};
}

Result<ContainerEngine> find_container_engine(const std::string& search_path) {
  std::string silent;  // what is installed and does not answer
  for (const ContainerEngine engine : environment::kEngines) {
    const std::string name(to_string(engine));
    const auto program = environment::find_program(search_path, name);
    if (!program) continue;
    const auto words = engine == ContainerEngine::apptainer
                           ? std::vector<std::string>{program->string(), "--version"}
                           : std::vector<std::string>{program->string(), "info"};
    const auto answer = environment::run_tool({words});
    if (answer) return engine;
    // The last line has the reason; those above it tell of the client.
    const std::string& said = answer.error().what;
    silent += (silent.empty() ? "" : "; ") + name +
              " is installed and does not work: " + said.substr(said.rfind('\n') + 1);
  }
  if (!silent.empty()) return Error{"", silent};
  return Error{"", "neither podman nor docker nor apptainer is in PATH", Error::Kind::not_found};
}

Result<void> prepare_image(ContainerEngine engine, const std::string& image,
                           const EnvironmentOptions& options) {
  // apptainer keeps what it fetched, and fetches with the first run.
  if (engine == ContainerEngine::apptainer) return {};
  const auto program =
      environment::find_program(options.search_path, std::string(to_string(engine)));
  if (!program) return Error{"", std::string(to_string(engine)) + " is not in PATH"};
  if (environment::run_tool({{program->string(), "image", "inspect", image}})) return {};
  if (options.tell)
    options.tell(fmt::format("image {}: fetching it with {}", image, to_string(engine)));
  if (const auto fetched = environment::run_tool({{program->string(), "pull", image}}); !fetched)
    return Error{"image " + image, "cannot be fetched: " + fetched.error().what,
                 Error::Kind::not_found};
  return {};
}

bool is_bare_image(std::string_view image) {
  constexpr std::string_view kRegistry = "mcr.microsoft.com/azureml/";
  if (!image.starts_with(kRegistry)) return false;
  image.remove_prefix(kRegistry.size());
  for (const std::string_view beginning : {"base", "openmpi", "intelmpi", "minimal", "o16n-base"})
    if (image.starts_with(beginning)) return true;
  return false;
}

}  // namespace hdrive
