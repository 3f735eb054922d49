// SPDX-License-Identifier: Apache-2.0
//
// Values on the unit interval, for samplers that model or fill the space evenly.
#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>

#include "hdrive/space.h"
#include "space/shape.h"

namespace hdrive {
namespace {

using space::Lattice;
using space::Shape;

constexpr double kTail = 1e-6;  // what lies beyond is encoded as if it lay here
constexpr double kRootOfTwo = 1.4142135623730951;

double normal_cdf(double z) { return 0.5 * std::erfc(-z / kRootOfTwo); }

double normal_quantile(double probability) {
  // In double throughout: long double differs between machines.
  using namespace boost::math::policies;
  return -kRootOfTwo * boost::math::erfc_inv(2 * probability, policy<promote_double<false>>());
}

double middle(double index, double size) { return (index + 0.5) / size; }

double cell(double unit, double size) { return std::min(std::floor(unit * size), size - 1); }

double encode(const Choice& choice, const Value& value) {
  const auto options = space::distinct_options(choice).options;
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const Value* option) { return same_option(*option, value); });
  return middle(static_cast<double>(found - options.begin()), static_cast<double>(options.size()));
}

double encode(const Shape& shape, double number) {
  if (const auto lattice = space::lattice_of(shape))
    return middle(std::nearbyint(number / *shape.q) - lattice->first, lattice->size());
  const double drawn = space::backward(shape, number);
  if (shape.base == Shape::Base::normal)
    return std::clamp(normal_cdf((drawn - shape.first) / shape.second), kTail, 1 - kTail);
  if (shape.first == shape.second) return 0.5;
  // By halves, since the difference of two numbers may be too large for one.
  const double half = shape.first / 2;
  return std::clamp((drawn / 2 - half) / (shape.second / 2 - half), 0.0, 1.0);
}

Value decode(const Shape& shape, double unit) {
  if (const auto lattice = space::lattice_of(shape))
    return space::lattice_value(lattice->first + cell(unit, lattice->size()), *shape.q);
  const double drawn =
      shape.base == Shape::Base::normal
          ? shape.first + shape.second * normal_quantile(std::clamp(unit, kTail, 1 - kTail))
          : std::lerp(shape.first, shape.second, unit);
  const double number = space::forward(shape, drawn);
  return shape.q ? quantize(number, *shape.q) : Value(number);
}

Value decode(const RandInt& randint, double unit) {
  const double index = std::floor(unit * static_cast<double>(randint.upper));
  if (index >= static_cast<double>(randint.upper)) return randint.upper - 1;
  return static_cast<std::int64_t>(index);
}

}  // namespace

double encode(const Expression& expression, const Value& value) {
  if (const auto* choice = std::get_if<Choice>(&expression)) return encode(*choice, value);
  const double number = as_number(value).value_or(std::numeric_limits<double>::quiet_NaN());
  if (const auto* randint = std::get_if<RandInt>(&expression))
    return middle(number, static_cast<double>(randint->upper));
  return encode(*space::shape_of(expression), number);
}

Value decode(const Expression& expression, double unit) {
  unit = unit > 0 ? std::min(unit, 1.0) : 0.0;  // NaN counts as 0
  if (const auto* choice = std::get_if<Choice>(&expression)) {
    const auto options = space::distinct_options(*choice).options;
    return *options[static_cast<std::size_t>(cell(unit, static_cast<double>(options.size())))];
  }
  if (const auto* randint = std::get_if<RandInt>(&expression)) return decode(*randint, unit);
  return decode(*space::shape_of(expression), unit);
}

}  // namespace hdrive
