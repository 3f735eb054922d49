// SPDX-License-Identifier: Apache-2.0
//
// The texts of `hdrive --help` and `hdrive <verb> --help`, made from the table of verbs.
#pragma once

#include <string>

#include "cli/command.h"

namespace hdrive::cli {

/// The overview that `hdrive` alone prints.
std::string overview();

/// Usage, options and examples of one verb; `parser` carries its arguments.
std::string verb_help(const Verb& verb, const ArgumentParser& parser);

}  // namespace hdrive::cli
