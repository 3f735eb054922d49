// SPDX-License-Identifier: Apache-2.0
//
// The normal distribution where expected improvement needs it, far into its tail.
//
// Internal to sampling/. Pure functions, safe from any thread.
#pragma once

#include "base/normal.h"

namespace hdrive::sampling::gp {

/// ln h(z) for h(z) = phi(z) + z Phi(z), and what its derivatives are made of. Relative errors
/// below 1e-13 for every z from -1e5 to 50.
///
/// Ament et al., "Unexpected improvements to expected improvement", NeurIPS 2023, name the
/// function. They use erfcx and an asymptotic series in the tail; here it is the continued fraction
/// of Mills' ratio, which loses no digits: with Phi(-t)/phi(t) = 1/(t + c), c = 1/(t + 2/(t + 3/(t
/// + ...))), h = phi c/(t + c).
struct LogH {
  double value = 0;
  double cumulative = 0;  ///< Phi / h
  double density = 0;     ///< phi / h
};
LogH log_h(double z);

using base::normal_cdf;
using base::normal_quantile;

}  // namespace hdrive::sampling::gp
