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
constexpr int kMostFitted = 300;
constexpr int kFewestFitted = 3;
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
std::vector<int> by_value(const Training& training) {
  std::vector<int> order(static_cast<std::size_t>(training.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return training.values[static_cast<std::size_t>(a)] <
           training.values[static_cast<std::size_t>(b)];
  });
  return order;
}

}  // namespace

std::vector<int> representative_rows(const Training& training, int most, RandomStream& random) {
  std::vector<int> order = by_value(training);
  if (training.size() <= most) {
    std::sort(order.begin(), order.end());
    return order;
  }
  for (int i = most / 3; i < most; ++i) {
    const auto left = static_cast<double>(training.size() - i);
    const auto pick = i + static_cast<int>(random.uniform() * left);
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(pick)]);
  }
  order.resize(static_cast<std::size_t>(most));
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<int> rows_near(const Training& training, int most, int centre,
                           const Hyperparameters& hyperparameters) {
  const int n = training.size();
  std::vector<int> chosen = by_value(training);
  if (n <= most) {
    std::sort(chosen.begin(), chosen.end());
    return chosen;
  }
  chosen.resize(static_cast<std::size_t>(most / 4));
  for (int i = n - most / 8; i < n; ++i) chosen.push_back(i);
  chosen.push_back(centre);
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());

  std::vector<std::pair<double, int>> others;
  for (int i = 0; i < n; ++i) {
    if (std::binary_search(chosen.begin(), chosen.end(), i)) continue;
    double distance = 0;
    for (int j = 0; j < training.points.dimensions(); ++j) {
      const double difference = training.points.row(i)[j] - training.points.row(centre)[j];
      const double scaled = std::min(std::abs(difference), 1.0) /
                            hyperparameters.lengthscales[static_cast<std::size_t>(j)];
      distance += scaled * scaled;
    }
    others.emplace_back(distance, i);
  }
  const auto wanted =
      static_cast<std::ptrdiff_t>(most) - static_cast<std::ptrdiff_t>(chosen.size());
  std::nth_element(others.begin(), others.begin() + wanted, others.end());
  for (std::ptrdiff_t i = 0; i < wanted; ++i)
    chosen.push_back(others[static_cast<std::size_t>(i)].second);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

Training subset(const Training& training, const std::vector<int>& rows) {
  Training result{Points(training.points.dimensions(), static_cast<int>(rows.size())), {}, {}, {}};
  for (const int row : rows) {
    const auto i = static_cast<std::size_t>(row);
    result.add(training.points[row], training.values[i], training.shares[i], training.doubts[i]);
  }
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
