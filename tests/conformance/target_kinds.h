// SPDX-License-Identifier: Apache-2.0
//
// The kinds of compute targets that the cases are put to. A target takes part by saying, in a Fixture, how a run with a
// given behaviour is written for it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "hdrive/target.h"

namespace hdrive::conformance {

using std::chrono::seconds;

// What the cases need runs to do.
enum class Behaviour {
  succeed,   // reports accuracy 1 to 3 and ends well
  fail,      // reports accuracy 1, says "broken" as its last words, and fails
  linger,    // reports accuracy 1 and lives until it is cancelled; then it ends soon
  silent,    // ends well without a report
  not_there  // cannot be started
};

class TestClock final : public Clock {
 public:
  Time now() override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

class Fixture {
 public:
  virtual ~Fixture() = default;
  virtual ComputeTarget& target() = 0;
  virtual Time now() = 0;
  virtual RunRequest request(RunId run, Behaviour behaviour) = 0;
  // Whether time passes only in `wait`, so that no other thread can do anything during one.
  virtual bool simulated() const { return false; }
  // Whether each run is several processes, of which what starts them has a word to say.
  virtual bool distributed() const { return false; }
  // As if the engine had ended and another one come. False: its runs end with it.
  virtual bool restart() { return false; }
};

Behaviour behaviour_of(const RunRequest& request);
RunRequest plain_request(RunId run, Behaviour behaviour);

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Fixture>()> make;
};

template <class T>
Kind kind(const char* name) {
  return {name, [] { return std::make_unique<T>(); }};
}

/// All of them, those of the files below one after the other.
const std::vector<Kind>& kinds();

std::vector<Kind> simulated_kinds();
std::vector<Kind> local_kinds();
std::vector<Kind> ssh_kinds();
std::vector<Kind> batch_kinds();
std::vector<Kind> unshared_kinds();

}  // namespace hdrive::conformance
