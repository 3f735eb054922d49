// SPDX-License-Identifier: Apache-2.0
//
// The table of runs that were taken over from earlier sweeps.
#pragma once

#include <functional>

#include "hdrive/changes.h"
#include "store/database.h"

namespace hdrive::store {

Result<void> write_earlier(Database& database, const EarlierRunTaken& it);

/// In the order of their numbers. An Error where a row cannot be read.
Result<void> read_earlier(Database& database,
                          const std::function<void(const EarlierRunTaken&)>& tell);

}  // namespace hdrive::store
