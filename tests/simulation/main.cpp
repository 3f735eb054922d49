// SPDX-License-Identifier: Apache-2.0
//
// simulation [--trace] [FROM [TO]]: simulates the sweeps of the seeds FROM to TO (not included), or of FROM
// alone. A seed that breaks an invariant is told with the command that replays it.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "tests/simulation/simulate.h"

int main(int argc, char** argv) {
  bool tracing = false;
  std::uint64_t from = 0, to = 0;
  int numbers = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--trace") == 0)
      tracing = true;
    else
      (numbers++ == 0 ? from : to) = std::stoull(argv[i]);
  }
  if (numbers < 2) to = from + 1;

  constexpr int kMostTold = 10;
  int failed = 0;
  std::int64_t sessions = 0, crashes = 0, runs = 0, attempts = 0, edits = 0;
  for (std::uint64_t seed = from; seed < to; ++seed) {
    const auto outcome =
        hdrive::simulation::simulate(seed, hdrive::simulation::Fault::none, tracing);
    if (tracing) fmt::print("{}", outcome.trace);
    sessions += outcome.sessions;
    crashes += outcome.crashes;
    runs += outcome.runs;
    attempts += outcome.attempts;
    edits += outcome.edits;
    if (!outcome.violation) continue;
    fmt::print("seed {} breaks \"{}\": {}\n  replay it: {} --trace {}\n", seed,
               outcome.violation->invariant, outcome.violation->what, argv[0], seed);
    if (++failed == kMostTold) break;
  }
  fmt::print(
      "{} to {}: {} failed; {} runs in {} attempts, {} sessions, {} of them died, {} edits\n", from,
      to, failed, runs, attempts, sessions, crashes, edits);
  return failed == 0 ? 0 : 1;
}
