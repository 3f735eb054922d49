// SPDX-License-Identifier: Apache-2.0
//
// What the API's JSON answers are made of, as schemas for its OpenAPI document. Pure functions.
#pragma once

#include "server/portal/json.h"

namespace hdrive::server::portal {

/// By name; a test asks each address and holds the answer against its schema.
Json answer_schemas();

}  // namespace hdrive::server::portal
