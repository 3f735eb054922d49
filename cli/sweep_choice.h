// SPDX-License-Identifier: Apache-2.0
//
// Several sweeps at once: those that were named, or all of an experiment or a name. For `list` and
// `export`.
#pragma once

#include <string>
#include <vector>

#include "hdrive/catalog.h"

namespace hdrive::cli {

class ArgumentParser;

struct SweepChoice {
  std::string experiment;         ///< only those of it; empty: of any
  std::string name;               ///< only those with this in their name, case aside
  std::vector<std::string> tags;  ///< "NAME" or "NAME=VALUE"; only those with all of them
  bool any() const { return experiment.empty() && name.empty() && tags.empty(); }
};
/// Adds `--experiment NAME`, `--name TEXT` and `--tag NAME[=VALUE]`.
void add_choice_options(ArgumentParser& parser, SweepChoice& choice);

bool is_chosen(const SweepEntry& sweep, const SweepChoice& choice);

/// The sweeps that `selectors` name; without any, all that are chosen, and without a choice the
/// last. A Failure where there is none.
std::vector<SweepEntry> chosen_or_fail(const std::string& output_dir,
                                       const std::vector<std::string>& selectors,
                                       const SweepChoice& choice);

}  // namespace hdrive::cli
