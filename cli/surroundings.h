// SPDX-License-Identifier: Apache-2.0
//
// Makes what a run configuration wants around the program real, before a sweep begins: builds its
// environment, or puts its command into a container. Used by the verbs that start runs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "hdrive/config.h"

namespace hdrive::cli {

/// Where environments are kept: $HDRIVE_ENVIRONMENTS, else hdrive/environments in the user's cache.
std::filesystem::path environments_directory();

/// What programs are looked for in; empty without a PATH.
std::string search_path();

/// What CUDA_VISIBLE_DEVICES, else HIP_VISIBLE_DEVICES, leaves this process of the GPUs: set to nothing, none of them. No
/// value: all.
std::optional<std::string> visible_gpus();

/// Builds the environment that is wanted, or finds it; a Failure where it cannot be had.
KeptEnvironment make_environment(const Surroundings& wanted, bool quiet);

/// What is being done is told on stderr, unless `quiet`. A Failure where it cannot be had; nothing
/// was started then. What is left to the specification stands in it.
void make_surroundings(LoadedConfig& loaded, bool quiet);

/// One line for people: what make_surroundings would do. Empty: nothing.
std::string surroundings_text(const Surroundings& wanted);

}  // namespace hdrive::cli
