// SPDX-License-Identifier: Apache-2.0
#include "base/normal.h"

#include <boost/math/special_functions/erf.hpp>
#include <cmath>

namespace hdrive::base {
namespace {

constexpr double kRootOfTwo = 1.4142135623730951;

}  // namespace

double normal_cdf(double z) { return 0.5 * std::erfc(-z / kRootOfTwo); }

double normal_quantile(double probability) {
  using namespace boost::math::policies;
  return -kRootOfTwo * boost::math::erfc_inv(2 * probability, policy<promote_double<false>>());
}

}  // namespace hdrive::base
