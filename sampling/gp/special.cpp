// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/special.h"

#include <cmath>

namespace hdrive::sampling::gp {
namespace {

constexpr double kLogRootOfTwoPi = 0.91893853320467274;
// Above it the direct formula loses less than four bits; below it the fraction converges in few
// terms.
constexpr double kTail = -3;

// Enough terms for double precision at -t.
int terms(double t) { return t > 12 ? 12 : t > 6 ? 20 : 60; }

}  // namespace

LogH log_h(double z) {
  const double log_density = -0.5 * z * z - kLogRootOfTwoPi;
  if (z > kTail) {
    const double density = std::exp(log_density), cumulative = normal_cdf(z);
    const double h = density + z * cumulative;
    return {std::log(h), cumulative / h, density / h};
  }
  const double t = -z;
  double c = t;
  for (int k = terms(t); k >= 2; --k) c = t + k / c;
  c = 1 / c;
  return {log_density + std::log(c / (t + c)), 1 / c, (t + c) / c};
}

}  // namespace hdrive::sampling::gp
