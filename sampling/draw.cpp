// SPDX-License-Identifier: Apache-2.0
//
// The expressions as random draws: HyperDrive's ten by the formulas of the reference, section 1.1,
// and nothing else (a q-form is not clamped to its bounds).
//
// Boost's distributions and not the standard library's: theirs give the same numbers on every
// platform.
#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <cmath>

#include "hdrive/sampler.h"

namespace hdrive {
namespace {

class Draw {
 public:
  explicit Draw(RandomStream& random) : random_(random) {}

  Value operator()(const Choice& e) {
    return e.options[static_cast<std::size_t>(below(static_cast<std::int64_t>(e.options.size())))];
  }
  Value operator()(const RandInt& e) { return below(e.upper); }
  Value operator()(const Uniform& e) { return uniform(e.min, e.max); }
  Value operator()(const QUniform& e) { return quantize(uniform(e.min, e.max), e.q); }
  Value operator()(const LogUniform& e) { return std::exp(uniform(e.min, e.max)); }
  Value operator()(const QLogUniform& e) { return quantize(std::exp(uniform(e.min, e.max)), e.q); }
  Value operator()(const Normal& e) { return normal(e.mu, e.sigma); }
  Value operator()(const QNormal& e) { return quantize(normal(e.mu, e.sigma), e.q); }
  Value operator()(const LogNormal& e) { return std::exp(normal(e.mu, e.sigma)); }
  Value operator()(const QLogNormal& e) { return quantize(std::exp(normal(e.mu, e.sigma)), e.q); }
  Value operator()(const LogUniformValues& e) { return decode(e, random_.uniform()); }
  Value operator()(const QLogUniformValues& e) { return decode(e, random_.uniform()); }
  Value operator()(const IntUniform& e) { return between(e.min, e.max); }
  Value operator()(const IntLogUniform& e) { return decode(e, random_.uniform()); }

 private:
  std::int64_t below(std::int64_t count) { return between(0, count - 1); }
  std::int64_t between(std::int64_t min, std::int64_t max) {
    return boost::random::uniform_int_distribution<std::int64_t>(min, max)(random_);
  }
  double uniform(double min, double max) { return std::lerp(min, max, random_.uniform()); }
  double normal(double mu, double sigma) {
    return boost::random::normal_distribution<double>(mu, sigma)(random_);
  }

  RandomStream& random_;
};

}  // namespace

Value draw(const Expression& expression, RandomStream& random) {
  return std::visit(Draw(random), expression);
}

}  // namespace hdrive
