// SPDX-License-Identifier: Apache-2.0
#include "cli/container_words.h"

#include "cli/argument_parser.h"

namespace hdrive::cli {

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
