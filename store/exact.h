// SPDX-License-Identifier: Apache-2.0
//
// What JSON cannot carry of a parameter set: NaN, infinities, bytes that are not UTF-8. A resumed sweep must
// find exactly the parameters it drew, so these few are kept beside the JSON that people read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "hdrive/value.h"

namespace hdrive::store {

/// Names and texts as a JSON object, for people; bytes that are not UTF-8 are replaced.
std::string properties_to_json(const std::map<std::string, std::string>& properties);
/// What is not an object of texts is left out.
std::map<std::string, std::string> properties_from_json(std::string_view json);

/// What `to_json(assignment)` loses; nothing for nearly every assignment.
std::optional<std::string> lost_in_json(const Assignment& assignment);

/// The assignment from its JSON and what that lost (may be empty).
Result<Assignment> restore(std::string_view json, std::string_view lost);

}  // namespace hdrive::store
