// SPDX-License-Identifier: Apache-2.0
#include "sampling/product_kernels.h"

#include <algorithm>
#include <bit>
#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "base/normal.h"

namespace hdrive::sampling {
namespace {

constexpr std::size_t kTable =
    65;  // places at which the scale of a truncated Gaussian is tabulated
constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlock =
    256;  // points at once: what of them is needed stays in the nearest cache
constexpr float kOut = -std::numeric_limits<float>::infinity();

// -log of what of the Gaussian around `center` lies in [0, 1], and of its height.
double log_scale_at(double center, double width) {
  const double inside = base::normal_cdf((1 - center) / width) - base::normal_cdf(-center / width);
  return -std::log(std::sqrt(2 * std::numbers::pi) * width * inside);
}

// exp(x) for x <= 0, to seven digits, in steps that a compiler can do for several at once.
inline float exp_of(float x) {
  const float bits = std::max(x, -80.0f) * 1.44269504f;
  const auto whole = static_cast<std::int32_t>(bits - 0.5f);
  const float rest = (bits - static_cast<float>(whole)) * 0.69314718f;
  float sum = rest * (1.0f / 720) + 1.0f / 120;
  sum = sum * rest + 1.0f / 24;
  sum = sum * rest + 1.0f / 6;
  sum = sum * rest + 0.5f;
  sum = (sum * rest + 1.0f) * rest + 1.0f;
  return sum * std::bit_cast<float>((whole + 127) << 23);
}

constexpr float kNone = static_cast<float>(kAbsent);

// log(sum of exp) over a padded row, together with one more term.
double log_sum_exp(const std::vector<float>& row, double further) {
  float tops[kLanes];
  std::fill(tops, tops + kLanes, static_cast<float>(further));
  for (std::size_t i = 0; i < row.size(); i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) tops[l] = std::max(tops[l], row[i + l]);
  const float top = *std::max_element(tops, tops + kLanes);
  float sums[kLanes] = {};
  for (std::size_t i = 0; i < row.size(); i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) sums[l] += exp_of(row[i + l] - top);
  double sum = std::exp(further - top);
  for (const float lane : sums) sum += lane;
  return top + std::log(sum);
}

}  // namespace

std::size_t ProductKernels::stage(std::size_t count) {
  if (count < 16) return count;
  const double eighth = std::floor(8 * std::log2(static_cast<double>(count)));
  return static_cast<std::size_t>(std::ceil(std::exp2(eighth / 8)));
}

ProductKernels::ProductKernels(const std::vector<Dimension>& dimensions, std::size_t count)
    : ProductKernels(dimensions, std::vector<std::size_t>(dimensions.size(), count)) {}

ProductKernels::ProductKernels(const std::vector<Dimension>& dimensions,
                               const std::vector<std::size_t>& counts) {
  const double size = static_cast<double>(dimensions.size());
  for (std::size_t d = 0; d < dimensions.size(); ++d) {
    const Dimension& dimension = dimensions[d];
    const double n = static_cast<double>(std::max<std::size_t>(stage(counts[d]), 1));
    Kernel kernel;
    kernel.categorical = dimension.is_category();
    kernel.conditional = dimension.is_conditional();
    kernel.levels = static_cast<double>(dimension.positions.size());
    if (kernel.categorical) {
      // As if each option had been seen 1/n times more (Optuna's prior).
      const double total = 1 + kernel.levels / n;
      kernel.log_own = static_cast<float>(std::log((1 + 1 / n) / total));
      kernel.penalty = static_cast<float>(std::log(n + 1));
      if (!kernel.conditional) log_uniform_ -= std::log(kernel.levels);
    } else {
      const double wanted = 0.2 * std::pow(n, -1 / (size + 4));
      const double smooth = std::max(wanted, 1 / std::min(100.0, n + 1));
      kernel.width = kernel.levels > 0 ? std::max(smooth, 0.5 / kernel.levels) : smooth;
      kernel.precision = static_cast<float>(1 / (std::sqrt(2.0) * kernel.width));
      kernel.table = table_of(kernel.width);
    }
    kernels_.push_back(std::move(kernel));
  }
}

// Parameters of the same width share one.
std::size_t ProductKernels::table_of(double width) {
  for (std::size_t i = 0; i < tables_.size(); ++i)
    if (tables_[i].width == width) return i;
  Table table{width, {}};
  for (std::size_t i = 0; i < kTable; ++i)
    table.scales.push_back(
        static_cast<float>(log_scale_at(static_cast<double>(i) / (kTable - 1), width)));
  tables_.push_back(std::move(table));
  return tables_.size() - 1;
}

float ProductKernels::log_scale(const Kernel& kernel, float coordinate) const {
  if (kernel.categorical) return kernel.log_own;
  const float place = coordinate * (kTable - 1);
  const auto below = std::min(static_cast<std::size_t>(place), kTable - 2);
  const float rest = place - static_cast<float>(below);
  const auto& scales = tables_[kernel.table].scales;
  return scales[below] + rest * (scales[below + 1] - scales[below]);
}

float ProductKernels::log_scale(const Columns& columns, std::size_t point) const {
  float sum = 0;
  for (std::size_t d = 0; d < kernels_.size(); ++d)
    if (!kernels_[d].conditional) sum += log_scale(kernels_[d], columns[d][point]);
  return sum;
}

double ProductKernels::log_uniform(std::span<const float> at) const {
  double sum = log_uniform_;
  for (std::size_t d = 0; d < kernels_.size(); ++d)
    if (kernels_[d].conditional && kernels_[d].categorical && at[d] != kNone)
      sum -= std::log(kernels_[d].levels);
  return sum;
}

// By conditional dimension, for each of the points: the scale of its kernel along it, or what a
// uniform density has there.
std::vector<float> ProductKernels::conditional_scales(const Columns& columns, std::size_t begin,
                                                      std::size_t end) const {
  std::vector<float> scales(kernels_.size() * kBlock);
  for (std::size_t d = 0; d < kernels_.size(); ++d) {
    const Kernel& kernel = kernels_[d];
    if (!kernel.conditional) continue;
    const float uniform = kernel.categorical ? -static_cast<float>(std::log(kernel.levels)) : 0;
    for (std::size_t i = begin; i < end; ++i)
      scales[d * kBlock + i - begin] =
          columns[d][i] == kNone ? uniform : log_scale(kernel, columns[d][i]);
  }
  return scales;
}

void ProductKernels::add_exponents(const Columns& columns, std::span<const float> conditional,
                                   std::span<const float> at, std::size_t begin, std::size_t end,
                                   float* sums) const {
  const std::size_t size = end - begin;
  for (std::size_t d = 0; d < kernels_.size(); ++d) {
    const float* column = columns[d].data() + begin;
    const float x = at[d];
    const Kernel& kernel = kernels_[d];
    if (kernel.conditional) {
      if (x == kNone) continue;
      const float* scales = conditional.data() + d * kBlock;
      for (std::size_t i = 0; i < size; ++i) {
        const float z = (column[i] - x) * kernel.precision;
        const float away =
            kernel.categorical ? kernel.penalty * std::min(std::abs(column[i] - x), 1.0f) : z * z;
        sums[i] += scales[i] - (column[i] == kNone ? 0.0f : away);
      }
    } else if (kernel.categorical) {
      const float penalty = kernel.penalty;
      for (std::size_t i = 0; i < size; ++i)  // whole numbers: 0 or at least 1 apart
        sums[i] -= penalty * std::min(std::abs(column[i] - x), 1.0f);
    } else {
      const float precision = kernel.precision;
      for (std::size_t i = 0; i < size; ++i) {
        const float z = (column[i] - x) * precision;
        sums[i] -= z * z;
      }
    }
  }
}

std::vector<double> ProductKernels::log_density(const Columns& columns,
                                                std::span<const float> log_scales,
                                                std::size_t members,
                                                const std::vector<std::vector<float>>& at) const {
  const std::size_t size = log_scales.size();
  const std::size_t padded = (size + kLanes - 1) / kLanes * kLanes;
  std::vector<std::vector<float>> rows(at.size(), std::vector<float>(padded, kOut));
  for (std::size_t begin = 0; begin < size; begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, size);
    const std::vector<float> conditional = conditional_scales(columns, begin, end);
    for (std::size_t c = 0; c < at.size(); ++c) {
      float* sums = rows[c].data() + begin;
      std::copy(log_scales.begin() + static_cast<std::ptrdiff_t>(begin),
                log_scales.begin() + static_cast<std::ptrdiff_t>(end), sums);
      add_exponents(columns, conditional, at[c], begin, end, sums);
    }
  }
  std::vector<double> result;
  for (std::size_t c = 0; c < at.size(); ++c)
    result.push_back(log_sum_exp(rows[c], log_uniform(at[c])) -
                     std::log(static_cast<double>(members) + 1));
  return result;
}

std::vector<double> ProductKernels::draw(const Columns& columns, std::size_t point,
                                         RandomStream& random) const {
  std::vector<double> result(kernels_.size());
  for (std::size_t d = 0; d < kernels_.size(); ++d) {
    const Kernel& kernel = kernels_[d];
    const double center = columns[d][point];
    if (center == kAbsent) {
      result[d] = draw_uniform(kernel, random);
      continue;
    }
    if (kernel.categorical) {
      result[d] = center;
      if (random.uniform() >= std::exp(static_cast<double>(kernel.log_own)) && kernel.levels > 1) {
        const double other = std::floor(random.uniform() * (kernel.levels - 1));
        result[d] = other < center ? other : other + 1;
      }
      continue;
    }
    // At least half of a kernel around a point of the interval lies inside, so this ends soon.
    boost::random::normal_distribution<double> normal(center, kernel.width);
    do result[d] = normal(random);
    while (result[d] < 0 || result[d] > 1);
  }
  return result;
}

std::vector<double> ProductKernels::draw_uniform(RandomStream& random) const {
  std::vector<double> result;
  for (const Kernel& kernel : kernels_) result.push_back(draw_uniform(kernel, random));
  return result;
}

double ProductKernels::draw_uniform(const Kernel& kernel, RandomStream& random) {
  const double unit = random.uniform();
  return kernel.categorical ? std::floor(unit * kernel.levels) : unit;
}

}  // namespace hdrive::sampling
