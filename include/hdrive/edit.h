// SPDX-License-Identifier: Apache-2.0
//
// Changing the specification of a sweep and keeping all that happened; and what a resumed sweep
// could still do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/result.h"
#include "hdrive/spec.h"
#include "hdrive/state.h"

namespace hdrive {

/// Keys and their new values as YAML, as `--set` takes them; "start_points+" adds one point.
using Settings = std::vector<std::pair<std::string, std::string>>;
/// As the payload of Request::Kind::update_sweep, and back: the engine reads what any program may
/// write.
std::string write_settings(const Settings& settings);
Settings read_settings(const std::string& text);

/// A specification that was changed while all that happened is kept.
struct SpecEdit {
  SweepSpec spec;
  std::string config;  ///< the same as hdconfig.yml text; what SweepEdited records
  std::string what;    ///< "max_total_runs: 10 -> 20"; empty: nothing changes
};
/// Budgets, concurrency, durations, retries, the policy and the options of both algorithms may
/// change. Fails, naming what and why, where the result is no sound specification or where the
/// `runs` there are would lose their meaning: the space, the sampler, the seed, the primary metric
/// and its goal stay.
Result<SpecEdit> edit_spec(const SweepSpec& spec, const Settings& settings, std::int64_t runs);

/// Why a session could start no run: whoever resumes a sweep asks before it becomes its engine.
struct NothingLeft {
  std::string why;      ///< "all of its 10 runs have ended"
  std::string setting;  ///< what would change that: "max_total_runs=20"; empty: nothing would
};
/// Nothing if a resumed sweep has something to do.
std::optional<NothingLeft> nothing_left(const SweepSpec& spec, const SweepState& state);

}  // namespace hdrive
