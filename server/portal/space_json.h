// SPDX-License-Identifier: Apache-2.0
//
// A search space as the API tells it, in the terms of what is drawn: bounds and scales of the values themselves.
#pragma once

#include "hdrive/space.h"
#include "server/portal/json.h"

namespace hdrive::server::portal {

Json space_json(const SearchSpace& space);

}  // namespace hdrive::server::portal
