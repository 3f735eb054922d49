// SPDX-License-Identifier: Apache-2.0
#include "hdrive/stop_signal.h"

#include <thread>

#include "hdrive/ids.h"
#include "tests/catch.h"

using namespace hdrive;

TEST_CASE("a stop signal rises from none to a clean stop to an immediate one, and no further") {
  StopSignal signal;
  CHECK(signal.level() == 0);
  CHECK_FALSE(signal.token(0).stop_requested());
  signal.request();
  CHECK(signal.level() == 1);
  CHECK(signal.token(0).stop_requested());
  CHECK_FALSE(signal.token(1).stop_requested());
  signal.request();
  signal.request();
  CHECK(signal.level() == 2);
  CHECK(signal.token(1).stop_requested());
  CHECK_FALSE(signal.token(2).stop_possible());
}

TEST_CASE("copies of a stop signal are one signal, from any thread") {
  StopSignal signal;
  std::thread other([copy = signal]() mutable { copy.request(); });
  other.join();
  CHECK(signal.level() == 1);
}

TEST_CASE("sweep ids are version 4 UUIDs and differ; seeds fit a double exactly") {
  const std::string id = new_sweep_id();
  REQUIRE(id.size() == 39);
  CHECK(id.substr(0, 3) == "HD_");
  CHECK(id[17] == '4');
  CHECK(std::string("89ab").find(id[22]) != std::string::npos);
  CHECK(id != new_sweep_id());
  CHECK(run_id(id, 12) == id + "_12");
  const std::uint64_t seed = new_seed();
  CHECK(seed == static_cast<std::uint64_t>(static_cast<double>(seed)));
}
