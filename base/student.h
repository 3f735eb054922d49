// SPDX-License-Identifier: Apache-2.0
//
// Student's t distribution.
//
// Pure functions, safe from any thread.
#pragma once

namespace hdrive::base {

/// The t below which a value with so many degrees of freedom (above 0) lies with this probability,
/// from 0 to 1 exclusive.
double student_t_quantile(double probability, double degrees_of_freedom);

}  // namespace hdrive::base
