// SPDX-License-Identifier: Apache-2.0
//
// Turns the tables of a sweep's database back into its changes.
#pragma once

#include <functional>
#include <string>

#include "hdrive/store.h"
#include "store/database.h"

namespace hdrive::store {

/// As Store::replay: the changes of the sweep's status, the runs, the notes. One consistent view, however
/// much an engine writes meanwhile.
Result<void> replay(Database& database, const std::string& only_metric,
                    const std::function<void(const Change&)>& tell);

}  // namespace hdrive::store
