// SPDX-License-Identifier: Apache-2.0
//
// Parameters and runs as cells and columns of a listing.
#pragma once

#include <string>
#include <vector>

#include "cli/listing.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {

/// A column's name for each parameter: its bare name ("lr"), or "hyperparameters.lr" where `taken` has
/// that already.
std::vector<std::string> parameter_columns(const SearchSpace& space,
                                           const std::vector<std::string>& taken);
/// The same for the parameters of an assignment.
std::vector<std::string> parameter_columns(const Assignment& parameters,
                                           const std::vector<std::string>& taken);

Cell value_cell(const Value& value);

/// How the runs are laid out: parameters as one column (tables, JSON) or one column each (CSV).
enum class Parameters { together, apart };

/// The runs as a listing, in the given order.
Listing runs_listing(const std::vector<RunReport>& runs, const std::string& metric,
                     Parameters parameters);

}  // namespace hdrive::cli
