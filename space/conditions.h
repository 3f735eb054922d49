// SPDX-License-Identifier: Apache-2.0
//
// Conditional parameters: which of a space exist in a set, and how to say so.
//
// Internal to space/. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hdrive/space.h"

namespace hdrive::space {

using Parents = std::vector<std::optional<std::size_t>>;

/// For each parameter its value in the set; nullptr where it does not exist there, or is not given.
/// Pointers into the set.
std::vector<const Value*> values_of(const SearchSpace& space, const Parents& parents,
                                    const Assignment& assignment);

/// Whether the condition of a parameter holds, given the values of those before it.
bool is_met(const SearchSpace& space, const Parents& parents, std::size_t index,
            const std::vector<const Value*>& values);

/// `"optimizer" is "adam"`, and what that depends on before it.
std::string condition_text(const SearchSpace& space, const Parents& parents, std::size_t index);

}  // namespace hdrive::space
