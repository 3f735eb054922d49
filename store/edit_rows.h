// SPDX-License-Identifier: Apache-2.0
//
// The table `edits`: how the configuration was changed. A sweep may be given thousands of points one by one, each of
// which makes its configuration longer; so a row holds only what the edit replaced, and the configurations are told by
// going back from the one that holds now.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "hdrive/changes.h"
#include "store/database.h"

namespace hdrive::store {

/// From a configuration to the one before: what lies between its first `head` and its last `tail` bytes is `replaced`.
struct ConfigStep {
  std::int64_t head = 0, tail = 0;
  std::string replaced;
};
ConfigStep step_back(std::string_view before, std::string_view after);

/// Tells all edits, oldest first, with the configuration that each of them made. One that cannot be told any more,
/// since a later row or the configuration itself was lost, is empty.
Result<void> read_edits(Database& database, const std::function<void(const SweepEdited&)>& tell);

}  // namespace hdrive::store
