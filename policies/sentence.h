// SPDX-License-Identifier: Apache-2.0
//
// What the policies' explanations have in common.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "hdrive/policy.h"

namespace hdrive::policies {

/// "1st", "2nd", "11th".
std::string ordinal(std::int64_t number);

/// A number in four significant digits, or in as many as it takes to tell it from `other`. The two
/// read alike where they differ by no more than `rounding`.
std::string number(double number, double other, double rounding = 0);

/// "best value 0.61 after 10 reports", or "no finite value in 10 reports"; `rounding` as for
/// `number`.
std::string judged_value(const Verdict& verdict, double rounding = 0);

/// "nothing to compare with: no other run has 5 reports yet"; where `verdict.peers` others have,
/// that none of them has a finite value.
std::string no_peers(const Verdict& verdict);

}  // namespace hdrive::policies
