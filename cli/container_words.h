// SPDX-License-Identifier: Apache-2.0
//
// The command line by which a run gets into its container: `hdrive container-run ... -- COMMAND`,
// started by the run's supervisor as any training program. It is kept with the sweep, so that
// `resume` needs to know nothing of containers.
#pragma once

#include <string>
#include <vector>

#include "hdrive/environment.h"

namespace hdrive::cli {

class ArgumentParser;

struct ContainerWords {
  ContainerEngine engine = ContainerEngine::podman;
  Container container;
  std::string user;                    ///< "1000:1000"; empty: the image's
  std::vector<std::string> variables;  ///< of the user's, by name
};

/// `command` with these in front of it.
std::vector<std::string> command_in_container(const ContainerWords& words,
                                              const std::vector<std::string>& command);

/// Reads them again: declares them on `parser`, which fills `words`.
void add_container_options(ArgumentParser& parser, ContainerWords& words);

}  // namespace hdrive::cli
