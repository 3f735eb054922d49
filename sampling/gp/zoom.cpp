// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/zoom.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace hdrive::sampling::gp {
namespace {

// The box is that of so many runs, half of all at most, and a tenth larger on either side. Fewer
// than kFewestRuns tell a model nothing of their own.
constexpr std::size_t kRuns = 10, kRunsPerDimension = 10, kMostRuns = 120, kFewestRuns = 6;
constexpr double kMargin = 0.1;
// A side that is shorter is left as it is: its numbers would be rounding.
constexpr double kLeastWidth = 1e-9;

double squared_distance(const Coordinates& a, const Coordinates& b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += std::min((a[j] - b[j]) * (a[j] - b[j]), 1.0);
  return sum;
}

// The best of the points with final values and those nearest to it, the best first; nothing where there are too
// few.
std::vector<const Coordinates*> points_near_best(const std::vector<Observation>& observations,
                                                 std::size_t most) {
  const Observation* best = nullptr;
  std::vector<const Coordinates*> points;
  for (const Observation& each : observations) {
    if (each.kind != Observation::Kind::value) continue;
    points.push_back(each.point.get());
    if (!best || each.value < best->value) best = &each;
  }
  const std::size_t count = std::min(most, points.size() / 2);
  if (count < kFewestRuns) return {};
  std::vector<std::pair<double, const Coordinates*>> by_distance;
  for (const Coordinates* point : points)
    by_distance.emplace_back(squared_distance(*point, *best->point), point);
  std::stable_sort(by_distance.begin(), by_distance.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < count; ++i) points[i] = by_distance[i].second;
  points.resize(count);
  return points;
}

}  // namespace

std::optional<Zoom> Zoom::make(const Encoding& encoding,
                               const std::vector<Observation>& observations) {
  const std::size_t runs = std::min(kRuns + kRunsPerDimension * encoding.size(), kMostRuns);
  const auto points = points_near_best(observations, runs);
  if (points.empty()) return std::nullopt;
  Zoom zoom;
  bool is_smaller = false;
  for (std::size_t j = 0; j < encoding.size(); ++j) {
    Side& side = zoom.sides_.emplace_back();
    if (encoding.dimensions()[j].kind == Dimension::Kind::category)
      for (const Coordinates* point : points) side.options.push_back((*point)[j]);
    double least = (*points.front())[j], most = least;
    if (encoding.dimensions()[j].kind != Dimension::Kind::real || least == kAbsent) continue;
    for (const Coordinates* point : points) {
      if ((*point)[j] == kAbsent) continue;
      least = std::min(least, (*point)[j]);
      most = std::max(most, (*point)[j]);
    }
    const double margin = kMargin * (most - least);
    if (!(margin > kMargin * kLeastWidth)) continue;
    side.lower = std::max(least - margin, 0.0);
    side.width = std::min(most + margin, 1.0) - side.lower;
    is_smaller = true;
  }
  return is_smaller ? std::optional(std::move(zoom)) : std::nullopt;
}

bool Zoom::knows_options_of(const Coordinates& point) const {
  for (std::size_t j = 0; j < sides_.size(); ++j) {
    const std::vector<double>& known = sides_[j].options;
    if (!known.empty() && std::find(known.begin(), known.end(), point[j]) == known.end())
      return false;
  }
  return true;
}

bool Zoom::contains(const Coordinates& point) const {
  for (std::size_t j = 0; j < sides_.size(); ++j) {
    const auto& [lower, width, options] = sides_[j];
    if (width < 1 && point[j] != kAbsent && (point[j] < lower || point[j] > lower + width))
      return false;
  }
  return true;
}

Coordinates Zoom::into(Coordinates point) const {
  for (std::size_t j = 0; j < sides_.size(); ++j) {
    const auto& [lower, width, options] = sides_[j];
    if (width < 1 && point[j] != kAbsent)
      point[j] = std::clamp((point[j] - lower) / width, 0.0, 1.0);
  }
  return point;
}

Coordinates Zoom::out_of(Coordinates point) const {
  for (std::size_t j = 0; j < sides_.size(); ++j) {
    const auto& [lower, width, options] = sides_[j];
    if (width < 1 && point[j] != kAbsent) point[j] = std::clamp(lower + width * point[j], 0.0, 1.0);
  }
  return point;
}

std::vector<Observation> Zoom::into(const std::vector<Observation>& observations) const {
  std::vector<Observation> inside;
  for (const Observation& each : observations) {
    if (!each.point || !contains(*each.point)) continue;
    inside.push_back(each);
    inside.back().point = std::make_shared<const Coordinates>(into(*each.point));
  }
  return inside;
}

}  // namespace hdrive::sampling::gp
