// SPDX-License-Identifier: Apache-2.0
#include "base/student.h"

#include <boost/math/distributions/students_t.hpp>

namespace hdrive::base {

double student_t_quantile(double probability, double degrees_of_freedom) {
  using namespace boost::math::policies;
  const boost::math::students_t_distribution<double, policy<promote_double<false>>> distribution(
      degrees_of_freedom);
  return boost::math::quantile(distribution, probability);
}

}  // namespace hdrive::base
