// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/fits.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace hdrive::sampling::gp {
namespace {

constexpr RunId kFirstCheckpoint = 8;
constexpr std::size_t kColdEvery = 8;
constexpr int kColdIterations = 60, kWarmIterations = 15, kLastIterations = 8;
constexpr RunId kEveryResult = 200;
constexpr std::size_t kMostFitted = 300;
constexpr std::size_t kFewestFitted = 3;
constexpr std::uint32_t kSubsetPurpose = 0x5011;

RunId next_checkpoint(RunId checkpoint) { return checkpoint + std::max<RunId>(2, checkpoint / 10); }

// FNV-1a over 64-bit words.
class Digest {
 public:
  void add(std::uint64_t word) { state_ = (state_ ^ word) * 0x100000001b3ULL ^ (state_ >> 29); }
  void add(double number) { add(std::bit_cast<std::uint64_t>(number)); }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

void add(Digest& digest, const Observation& observation) {
  using Kind = Observation::Kind;
  if (observation.kind == Kind::pending || observation.kind == Kind::nothing) return;
  digest.add(static_cast<std::uint64_t>(observation.kind));
  digest.add(static_cast<std::uint64_t>(observation.run));
  digest.add(observation.value);
  for (const double coordinate : *observation.point) digest.add(coordinate);
}

std::uint64_t key_of(Digest digest, const Hyperparameters& start) {
  for (const double number : start.logarithms()) digest.add(number);
  return digest.value();
}

// The rows by value, best first; of equal ones the earlier.
std::vector<std::size_t> by_value(const Training& training) {
  std::vector<std::size_t> order(training.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return training.values[a] < training.values[b];
  });
  return order;
}

}  // namespace

std::vector<std::size_t> representative_rows(const Training& training, std::size_t most,
                                             RandomStream& random) {
  std::vector<std::size_t> order = by_value(training);
  if (training.size() <= most) {
    std::sort(order.begin(), order.end());
    return order;
  }
  for (std::size_t i = most / 3; i < most; ++i) {
    const auto left = static_cast<double>(training.size() - i);
    std::swap(order[i], order[i + static_cast<std::size_t>(random.uniform() * left)]);
  }
  order.resize(most);
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<std::size_t> rows_near(const Training& training, std::size_t most, std::size_t centre,
                                   const Hyperparameters& hyperparameters) {
  const std::size_t n = training.size();
  std::vector<std::size_t> chosen = by_value(training);
  if (n <= most) {
    std::sort(chosen.begin(), chosen.end());
    return chosen;
  }
  chosen.resize(most / 4);
  for (std::size_t i = n - most / 8; i < n; ++i) chosen.push_back(i);
  chosen.push_back(centre);
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());

  std::vector<std::pair<double, std::size_t>> others;
  const auto there = training.points[centre];
  for (std::size_t i = 0; i < n; ++i) {
    if (std::binary_search(chosen.begin(), chosen.end(), i)) continue;
    const auto here = training.points[i];
    double distance = 0;
    for (std::size_t j = 0; j < here.size(); ++j) {
      const double scaled =
          std::min(std::abs(here[j] - there[j]), 1.0) / hyperparameters.lengthscales[j];
      distance += scaled * scaled;
    }
    others.emplace_back(distance, i);
  }
  const auto nearest = std::span(others).first(most - chosen.size());
  std::nth_element(others.begin(), others.begin() + std::ssize(nearest), others.end());
  for (const auto& [distance, row] : nearest) chosen.push_back(row);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

Training subset(const Training& training, const std::vector<std::size_t>& rows) {
  Training result{Points(training.points.dimensions(), rows.size()), {}, {}, {}};
  for (const std::size_t row : rows)
    result.add(training.points[row], training.values[row], training.shares[row],
               training.doubts[row]);
  return result;
}

Hyperparameters Fits::fitted(const Dataset& data, const Hyperparameters& start, int iterations,
                             RunId purpose) const {
  const Training* training = &data.training;
  if (training->size() < kFewestFitted) return start;
  Training part{Points(prior_.dimensions()), {}, {}, {}};
  if (training->size() > kMostFitted) {
    RandomStream random(seed_, purpose, kSubsetPurpose);
    part = subset(*training, representative_rows(*training, kMostFitted, random));
    training = &part;
  }
  return fit(*training, prior_, start,
             {iterations, noise_ ? std::nullopt : std::optional(kNoNoise)})
      .hyperparameters;
}

Hyperparameters Fits::at(const std::vector<Observation>& observations, RunId runs,
                         const Dataset& all) {
  Hyperparameters typical = prior_.typical();
  if (!noise_) typical.noise = kNoNoise;
  std::vector<RunId> checkpoints;
  for (RunId c = kFirstCheckpoint; c <= runs; c = next_checkpoint(c)) checkpoints.push_back(c);
  checkpoints_.resize(std::max(checkpoints_.size(), checkpoints.size()));

  Hyperparameters current = typical;
  Digest digest;
  std::size_t next = 0;
  const auto digest_up_to = [&](RunId before) {
    for (; next < observations.size() && observations[next].run < before; ++next)
      add(digest, observations[next]);
  };
  const std::size_t first =
      checkpoints.empty() ? 0 : (checkpoints.size() - 1) / kColdEvery * kColdEvery;
  for (std::size_t i = first; i < checkpoints.size(); ++i) {
    digest_up_to(checkpoints[i]);
    const std::uint64_t key = key_of(digest, current);
    Remembered& remembered = checkpoints_[i];
    if (remembered.key != key) {
      const Dataset before = learn_from(observations, checkpoints[i], prior_.dimensions(), warp_);
      const int iterations = i == first ? kColdIterations : kWarmIterations;
      remembered = {key, fitted(before, current, iterations, checkpoints[i])};
    }
    current = remembered.hyperparameters;
  }
  if (runs > kEveryResult) return current;
  digest_up_to(runs);
  const std::uint64_t key = key_of(digest, current);
  if (last_.key != key) last_ = {key, fitted(all, current, kLastIterations, runs)};
  return last_.hyperparameters;
}

}  // namespace hdrive::sampling::gp
