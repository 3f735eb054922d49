// SPDX-License-Identifier: Apache-2.0
//
// Values on the unit interval, for samplers that model or fill the space evenly.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/normal.h"
#include "hdrive/space.h"
#include "space/shape.h"

namespace hdrive {
namespace {

using space::Lattice;
using space::Shape;

constexpr double kTail = 1e-6;  // what lies beyond is encoded as if it lay here
double middle(double index, double size) { return (index + 0.5) / size; }

double cell(double unit, double size) { return std::min(std::floor(unit * size), size - 1); }

double encode(const Choice& choice, const Value& value) {
  const auto options = space::distinct_options(choice).options;
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const Value* option) { return same_option(*option, value); });
  return middle(static_cast<double>(found - options.begin()), static_cast<double>(options.size()));
}

// Where a draw from the base's interval lies in it; by halves, since the difference of two numbers
// may be too large for one.
double place(const Shape& shape, double drawn) {
  if (shape.first == shape.second) return 0.5;
  const double half = shape.first / 2;
  return std::clamp((drawn / 2 - half) / (shape.second / 2 - half), 0.0, 1.0);
}

// A point of a lattice: on a logarithmic scale the steps of the small numbers are wider than those
// of the large ones, else all are alike.
double encode(const Shape& shape, const Lattice& lattice, double k) {
  if (!shape.exponential) return middle(k - lattice.first, lattice.size());
  const space::Cell cell = space::cell_of(shape, k);
  return (place(shape, cell.begin) + place(shape, cell.end)) / 2;
}

Value decode(const Shape& shape, const Lattice& lattice, double unit) {
  const double k =
      shape.exponential
          ? std::nearbyint(space::forward(shape, std::lerp(shape.first, shape.second, unit)) /
                           *shape.q)
          : lattice.first + cell(unit, lattice.size());
  return space::lattice_value(std::clamp(k, lattice.first, lattice.last), *shape.q);
}

double encode(const Shape& shape, double number) {
  if (const auto lattice = space::lattice_of(shape))
    return encode(shape, *lattice, std::nearbyint(number / *shape.q));
  const double drawn = space::backward(shape, number);
  if (shape.base == Shape::Base::normal)
    return std::clamp(base::normal_cdf((drawn - shape.first) / shape.second), kTail, 1 - kTail);
  return place(shape, drawn);
}

Value decode(const Shape& shape, double unit) {
  if (const auto lattice = space::lattice_of(shape)) return decode(shape, *lattice, unit);
  // exp(log(x)) is not x in its last bits.
  if (std::isfinite(shape.least) && (unit == 0 || unit == 1))
    return unit == 0 ? shape.least : shape.most;
  const double drawn =
      shape.base == Shape::Base::normal
          ? shape.first + shape.second * base::normal_quantile(std::clamp(unit, kTail, 1 - kTail))
          : std::lerp(shape.first, shape.second, unit);
  const double number = space::forward(shape, drawn);
  return shape.q ? quantize(number, *shape.q) : Value(number);
}

Value decode(const space::Integers& integers, double unit) {
  const auto size = static_cast<double>(integers.size());
  const double index = std::floor(unit * size);
  return index >= size ? integers.last : integers.at(static_cast<std::uint64_t>(index));
}

}  // namespace

double encode(const Expression& expression, const Value& value) {
  if (const auto* choice = std::get_if<Choice>(&expression)) return encode(*choice, value);
  const double number = as_number(value).value_or(std::numeric_limits<double>::quiet_NaN());
  if (const auto integers = space::integers_of(expression))
    return middle(number - static_cast<double>(integers->first),
                  static_cast<double>(integers->size()));
  return encode(*space::shape_of(expression), number);
}

Value decode(const Expression& expression, double unit) {
  unit = unit > 0 ? std::min(unit, 1.0) : 0.0;  // NaN counts as 0
  if (const auto* choice = std::get_if<Choice>(&expression)) {
    const auto options = space::distinct_options(*choice).options;
    return *options[static_cast<std::size_t>(cell(unit, static_cast<double>(options.size())))];
  }
  if (const auto integers = space::integers_of(expression)) return decode(*integers, unit);
  return decode(*space::shape_of(expression), unit);
}

}  // namespace hdrive
