// SPDX-License-Identifier: Apache-2.0
//
// Keys and values of a configuration against the rows of the schema: what is unknown, missing, of
// the wrong kind or out of its range is reported with what is allowed and what was probably meant.
// Called by the readers of mappings.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/problems.h"
#include "config/schema.h"

namespace hdrive::config {

/// Reports a value of the wrong kind or out of its range. `name` is what the message calls it.
bool check_value(const KeyInfo& row, std::string_view name, const Node& node, Problems& problems);

/// Of a mapping where text was meant, in a --set: how to quote it. Empty for all else.
std::string quoting_advice(const Problems& problems, const Node& node);

/// The entries of `map` that are known to `rows` and pass `check_value`; all else is reported:
/// unknown keys, wrong values, missing required keys (at `place`).
std::vector<std::pair<const KeyInfo*, const Entry*>> check_mapping(const std::vector<KeyInfo>& rows,
                                                                   const Node& map, Place place,
                                                                   std::string_view what,
                                                                   Problems& problems);

}  // namespace hdrive::config
