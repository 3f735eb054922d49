// SPDX-License-Identifier: Apache-2.0
//
// One sweep or one run in words and as JSON, as `status`, `show` and `best` print them.
#pragma once

#include <string>

#include "cli/json_fwd.h"
#include "hdrive/catalog.h"
#include "hdrive/report.h"

namespace hdrive::cli {

/// A labelled line: "status     Completed". Not broken: commands and paths are there to be copied.
std::string labelled(std::string_view label, const std::string& text);
/// The same for a sentence, broken at the width of the terminal. Lines that follow it stay as they
/// are, indented.
std::string labelled_sentence(std::string_view label, const std::string& text);

/// What a sweep is and where it stands, a labelled line each.
std::string sweep_text(const SweepEntry& sweep, const SweepSummary& summary);

/// The same for programs.
OrderedJson sweep_json(const SweepEntry& sweep, const SweepSummary& summary);

}  // namespace hdrive::cli
