// SPDX-License-Identifier: Apache-2.0
//
// The texts of `hdrive --help` and `hdrive <verb> --help`, made from the table of verbs.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"

namespace hdrive::cli {

struct Argument;

/// The overview that `hdrive` alone prints.
std::string overview();

using Meaning = std::pair<std::string_view, std::string_view>;
/// What the process ends with, and what the environment may say. For the overview and the manual
/// page.
std::vector<Meaning> exit_codes();
std::vector<Meaning> environment_variables();
/// How sweeps and runs are addressed.
std::string_view selector_sentence();

/// "-f, --format FORMAT", or what a positional is called.
std::string argument_head(const Argument& argument);

/// Usage, options and examples of one verb; `parser` carries its arguments.
std::string verb_help(const Verb& verb, const ArgumentParser& parser);

}  // namespace hdrive::cli
