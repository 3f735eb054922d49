// SPDX-License-Identifier: Apache-2.0
//
// The surroundings of the best run as a cube of their own.
#include <algorithm>
#include <cmath>
#include <memory>

#include "hdrive/random.h"
#include "sampling/gp/zoom.h"
#include "tests/catch.h"

using namespace hdrive;
using namespace hdrive::sampling;
using namespace hdrive::sampling::gp;

namespace {

const SearchSpace kMixed{
    {{"x", Uniform{0, 1}},
     {"y", LogUniform{0, 5}},
     {"kind", Choice{{std::string("a"), std::string("b"), std::string("c")}}}}};

// Points at random, of which those near (0.3, 0.6) of the first kind are the best.
std::vector<Observation> observations_of(const Encoding& encoding, int count) {
  RandomStream random(1, 0, 0);
  std::vector<Observation> result;
  for (RunId run = 0; run < count; ++run) {
    Coordinates unit(encoding.size());
    for (double& coordinate : unit) coordinate = random.uniform();
    const auto point = std::make_shared<const Coordinates>(encoding.place(unit));
    double value = point->size() > 2 ? point->at(2) : 0;
    for (std::size_t j = 0; j < std::min<std::size_t>(point->size(), 2); ++j)
      value += std::abs(point->at(j) - (j == 0 ? 0.3 : 0.6));
    result.push_back({Observation::Kind::value, run, point, value});
  }
  return result;
}

}  // namespace

TEST_CASE("A zoom holds the runs near the best, spread over the cube, and leads back") {
  const Encoding encoding(kMixed);
  const auto all = observations_of(encoding, 400);
  const auto zoom = Zoom::make(encoding, all);
  REQUIRE(zoom);
  const auto inside = zoom->into(all);
  CHECK(inside.size() >= 40);
  CHECK(inside.size() < all.size());
  double least = 1, most = 0;
  for (const Observation& each : inside) {
    for (std::size_t j = 0; j < 2; ++j) {
      CHECK(each.point->at(j) >= 0);
      CHECK(each.point->at(j) <= 1);
      least = std::min(least, each.point->at(j));
      most = std::max(most, each.point->at(j));
    }
    const Coordinates& before = *all[static_cast<std::size_t>(each.run)].point;
    const Coordinates after = zoom->out_of(*each.point);
    for (std::size_t j = 0; j < 2; ++j) CHECK(after[j] == Approx(before[j]).margin(1e-12));
    CHECK(each.point->at(2) == before[2]);  // a category is as it was
  }
  CHECK(least < 0.1);
  CHECK(most > 0.9);
}

TEST_CASE("A zoom knows the options of the runs near the best, and no others") {
  const Encoding encoding(kMixed);
  auto all = observations_of(encoding, 60);
  const Dimension& kind = encoding.dimensions()[2];
  // The first option for the better half, the third for none.
  std::stable_sort(all.begin(), all.end(),
                   [](const Observation& a, const Observation& b) { return a.value < b.value; });
  for (std::size_t i = 0; i < all.size(); ++i) {
    Coordinates point = *all[i].point;
    point[2] = kind.positions[i < 40 ? 0 : 1];
    all[i].point = std::make_shared<const Coordinates>(point);
  }
  const auto zoom = Zoom::make(encoding, all);
  REQUIRE(zoom);
  Coordinates point = *all.front().point;
  CHECK(zoom->knows_options_of(point));
  point[0] = 1;
  CHECK(zoom->knows_options_of(point));  // real parameters are not asked for
  point[2] = kind.positions[2];
  CHECK_FALSE(zoom->knows_options_of(point));
}

TEST_CASE("There is no zoom of few runs, of equal points, or without real parameters") {
  const Encoding encoding(kMixed);
  CHECK_FALSE(Zoom::make(encoding, observations_of(encoding, 11)));
  CHECK(Zoom::make(encoding, observations_of(encoding, 39)));
  auto equal = observations_of(encoding, 60);
  for (Observation& each : equal) each.point = equal.front().point;
  CHECK_FALSE(Zoom::make(encoding, equal));
  const Encoding discrete(SearchSpace{{kMixed.parameters[2]}});
  CHECK_FALSE(Zoom::make(discrete, observations_of(discrete, 60)));
}
