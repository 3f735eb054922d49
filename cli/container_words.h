// SPDX-License-Identifier: Apache-2.0
//
// The command line by which a run gets into its container (environment.h: ContainerWords), read
// again.
#pragma once

#include "hdrive/environment.h"

namespace hdrive::cli {

class ArgumentParser;

/// Declares the options on `parser`, which fills `words`.
void add_container_options(ArgumentParser& parser, ContainerWords& words);

}  // namespace hdrive::cli
