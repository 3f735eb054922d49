// SPDX-License-Identifier: Apache-2.0
//
// The normal distribution.
//
// Pure functions, safe from any thread; the same numbers on every machine, since long double, which differs
// between them, takes no part.
#pragma once

namespace hdrive::base {

/// Phi(z): the probability of a value up to z.
double normal_cdf(double z);

/// The z with Phi(z) = probability, from 0 to 1 exclusive.
double normal_quantile(double probability);

}  // namespace hdrive::base
