// SPDX-License-Identifier: Apache-2.0
//
// Moments as text.
#pragma once

#include <string>

#include "hdrive/clock.h"

namespace hdrive::store {

/// ISO 8601 in UTC: "2026-01-31T12:34:56Z", with the fraction of a second where there is one.
std::string iso_time(Time time);

}  // namespace hdrive::store
