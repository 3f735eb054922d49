// SPDX-License-Identifier: Apache-2.0
//
// A check that cannot fail is worth nothing: engines with one fault each, and the invariant that tells.
#include <map>
#include <set>

#include "tests/catch.h"
#include "tests/simulation/simulate.h"

using namespace hdrive::simulation;

namespace {

// The invariants that a fault breaks within so many seeds, and how often.
std::map<std::string, int> broken_by(Fault fault, std::uint64_t seeds) {
  std::map<std::string, int> broken;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed)
    if (const auto outcome = simulate(seed, fault); outcome.violation)
      ++broken[outcome.violation->invariant];
  return broken;
}

}  // namespace

TEST_CASE("each fault of an engine is found, by the invariant that is made for it") {
  struct Case {
    Fault fault;
    const char* invariant;
  };
  const Case cases[] = {
      {Fault::lies_about_storing, "listeners"},
      {Fault::one_run_more, "max_total_runs"},
      {Fault::one_run_less, "accounting"},
      {Fault::one_slot_more, "max_concurrent_runs"},
      {Fault::another_seed, "proposals"},
      {Fault::repeats_itself, "grid"},
      {Fault::another_policy, "verdicts"},
      {Fault::drops_verdicts, "verdicts"},
      {Fault::retries_too_often, "retries"},
      {Fault::impatient, "time limits"},
      {Fault::miscounts_time, "active time"},
      {Fault::starts_twice, "started once"},
      {Fault::starts_unknown_runs, "durable first"},
      {Fault::starts_on_full_disk, "full disk"},
      {Fault::starts_after_stop, "stop"},
      {Fault::forgets_to_cancel, "cancellations"},
      {Fault::cancels_unasked, "durable first"},
      {Fault::forgets_processes, "no process forgotten"},
      {Fault::forgets_processes, "no finished work repeated"},
      {Fault::misreads_exits, "truth"},
      {Fault::drops_metrics, "metrics"},
      {Fault::doubles_metrics, "metrics"},
      {Fault::ends_twice, "life cycle"},
      {Fault::drops_endings, "listeners"},
      {Fault::drops_proposals, "store order"},
      {Fault::ignores_pause, "pause"},
      {Fault::never_answers, "requests"},
      {Fault::edits_at_will, "edits"},
      {Fault::deaf, "progress"},
      {Fault::gives_up, "errors"},
      {Fault::throws, "errors"},
      {Fault::blames_runs, "not started is no result"},
      {Fault::never_tires, "consecutive failures"},
      {Fault::forgets_history, "replay"},
  };
  for (const Case& each : cases) {
    INFO(each.invariant);
    const auto broken = broken_by(each.fault, 150);
    for (const auto& [invariant, times] : broken) UNSCOPED_INFO(invariant << ": " << times);
    CHECK(broken.contains(each.invariant));
  }
}

TEST_CASE("a seed gives the same sweep twice") {
  for (const std::uint64_t seed : {3, 17, 200})
    CHECK(simulate(seed, Fault::none, true).trace == simulate(seed, Fault::none, true).trace);
}
