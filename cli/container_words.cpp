// SPDX-License-Identifier: Apache-2.0
#include "cli/container_words.h"

#include <fmt/format.h>

#include "cli/argument_parser.h"
#include "cli/terminal.h"

namespace hdrive::cli {

std::vector<std::string> command_in_container(const ContainerWords& words,
                                              const std::vector<std::string>& command) {
  const Container& container = words.container;
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  std::vector<std::string> result{ignored ? "hdrive" : self.string(), "container-run"};
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

void add_container_options(ArgumentParser& parser, ContainerWords& words) {
  parser.add("--engine", "NAME", "podman, docker or apptainer", [&words](const std::string& name) {
    for (const ContainerEngine engine :
         {ContainerEngine::podman, ContainerEngine::docker, ContainerEngine::apptainer}) {
      if (name != to_string(engine)) continue;
      words.engine = engine;
      return std::string();
    }
    return std::string("is no engine; allowed: podman, docker, apptainer");
  });
  parser.text("--image", words.container.image, "IMAGE", "The image").required = true;
  parser.text("--shm-size", words.container.shm_size, "SIZE", "The size of /dev/shm");
  parser.text("--user", words.user, "UID:GID", "Whose processes they are");
  parser.flag("--gpu", words.container.gpu, "Hand the GPUs in");
  parser
      .add("--volume", "DIR", "A folder that it sees",
           [&words](const std::string& folder) {
             words.container.volumes.emplace_back(folder);
             return std::string();
           })
      .repeated = true;
  parser.texts("--variable", words.variables, "NAME", "A variable that it gets");
  parser.texts("--argument", words.container.arguments, "WORD", "For the engine");
}

}  // namespace hdrive::cli
