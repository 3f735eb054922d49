// SPDX-License-Identifier: Apache-2.0
//
// A sweep as the API tells it: in short, as in the list of sweeps, and with all there is to say of it as a whole.
#pragma once

#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/spec.h"
#include "server/portal/json.h"

namespace hdrive::server::portal {

/// In short.
Result<Json> sweep_json(const SweepEntry& sweep, SweepReader& reader, Time now);

/// The same and the rest: space, configuration, edits, notes, metrics, the words of sampler and policy.
Result<Json> sweep_details(const SweepEntry& sweep, SweepReader& reader, Time now);

}  // namespace hdrive::server::portal
