// SPDX-License-Identifier: Apache-2.0
//
// Parameters as cells and columns of a listing.
#pragma once

#include <string>
#include <vector>

#include "cli/listing.h"
#include "hdrive/space.h"

namespace hdrive::cli {

/// The parameters' names in the space's order, each once.
std::vector<std::string> parameter_names(const SearchSpace& space);

/// A column's name for each parameter: its bare name ("lr"), or "hyperparameters.lr" where `taken`
/// has that already.
std::vector<std::string> parameter_columns(const std::vector<std::string>& names,
                                           const std::vector<std::string>& taken);

/// The parameter's value; an empty cell where the set does not have it.
Cell cell_of(const Assignment& parameters, const std::string& name);

/// How the runs are laid out: parameters as one column (tables, JSON) or one column each (CSV).
enum class Parameters { together, apart };

}  // namespace hdrive::cli
