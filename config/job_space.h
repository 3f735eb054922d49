// SPDX-License-Identifier: Apache-2.0
//
// The search space of a v2 job as hdconfig.yml would have it, so that one reader checks both.
#pragma once

#include "config/problems.h"
#include "config/yaml_reader.h"

namespace hdrive::config {

/// The list of parameters (name, expression, values) that `space` means; every node keeps the place
/// it has in the file. What cannot be a distribution is reported and left out.
///
/// A choice whose options are objects with distributions among their members is a choice with
/// conditional parameters, one a member, which go by the member's own name. Such an option is
/// called by the member that is named as the choice itself; else by the JSON of its constants; else
/// by the names of its members.
NodePtr parameter_list(const Node& space, Problems& problems);

}  // namespace hdrive::config
