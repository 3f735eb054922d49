// SPDX-License-Identifier: Apache-2.0
//
// All expressions but choices and ranges of integers in one shape: a uniform or normal draw,
// perhaps exponentiated, perhaps rounded to multiples of q. What holds for the shape is written
// once.
//
// Internal to space/. Plain values and pure functions.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "hdrive/space.h"

namespace hdrive::space {

/// A continuous expression, or one of its q-forms.
struct Shape {
  enum class Base { uniform, normal };
  Base base = Base::uniform;
  bool exponential = false;
  double first = 0;         ///< min or mu
  double second = 0;        ///< max or sigma
  std::optional<double> q;  ///< of a q-form
  /// The ends that were given as values: exp(log(x)) is not x in the last bits.
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
};

/// Nothing for choices and ranges of integers.
std::optional<Shape> shape_of(const Expression& expression);

/// The integers of randint and int_uniform, both ends included.
struct Integers {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::uint64_t size() const {
    return static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) + 1;
  }
  /// Number `index` from the first.
  std::int64_t at(std::uint64_t index) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + index);
  }
};
std::optional<Integers> integers_of(const Expression& expression);

/// The base draw and the value it leads to before it is rounded.
inline double forward(const Shape& shape, double drawn) {
  return shape.exponential ? std::clamp(std::exp(drawn), shape.least, shape.most) : drawn;
}
/// The base draw that leads to `value`; -infinity for an exponential's values up to 0.
inline double backward(const Shape& shape, double value) {
  if (!shape.exponential) return value;
  return value > 0 ? std::log(value) : -INFINITY;
}

/// The multiples k q that a q-form of a uniform draw gives with positive probability: k from first
/// to last.
struct Lattice {
  double first = 0;
  double last = 0;
  double size() const { return last - first + 1; }
};

/// The part of the base draw's interval [first, second] that is rounded to k q.
struct Cell {
  double begin = 0;
  double end = 0;
};
Cell cell_of(const Shape& shape, double k);

/// Nothing where the shape has no q, or no end.
std::optional<Lattice> lattice_of(const Shape& shape);

/// k q as a value: an integer where q is one and the product fits in 64 bits, else a real.
Value lattice_value(double k, double q);

/// A choice's options without the repeated ones, and how often each is listed.
struct Distinct {
  std::vector<const Value*> options;
  std::vector<std::uint64_t> times;
};
Distinct distinct_options(const Choice& choice);

}  // namespace hdrive::space
