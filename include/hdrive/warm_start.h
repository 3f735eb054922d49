// SPDX-License-Identifier: Apache-2.0
//
// A warm start: what a new sweep takes over from earlier ones. Read once, when the sweep is made,
// and stored with it: what becomes of the earlier sweeps then changes nothing in it. Pure functions
// of what is on disk; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/changes.h"
#include "hdrive/history.h"
#include "hdrive/result.h"
#include "hdrive/spec.h"

namespace hdrive {

/// What the sweeps and runs of SweepSpec::resume_from and resume_child_runs have to give.
struct WarmStart {
  std::vector<EarlierRun> runs;  ///< that had ended, sweep by sweep, in the order of their numbers
  std::vector<std::string> notes;  ///< a sentence for each sweep: how many runs, how many fit
  /// Of the runs that go on: where their outputs are. Not there: they left none.
  struct Outputs {
    std::string sweep;
    RunId run = 0;
    std::filesystem::path directory;
  };
  std::vector<Outputs> outputs;
};

/// Finds them below `home`, or by their paths. Runs of another space are taken over all the same,
/// since policies can compare with them; samplers leave out what does not fit theirs.
/// Errors: a sweep or run that is not there; another primary metric or goal; a run to go on that
/// has not ended, completed or does not fit the space.
Result<WarmStart> read_warm_start(const SweepSpec& spec, const std::filesystem::path& home);

/// What is to be stored of it, before anything else of the sweep.
std::vector<Change> changes_of(const WarmStart& start, Time now);

/// Copies the outputs of the runs that go on into the new sweep's directory.
Result<void> bring_outputs(const WarmStart& start, const std::filesystem::path& sweep_directory);

/// Of which earlier run a run goes on. Kept as the sentence that says why its parameters were
/// chosen.
struct Continuation {
  std::string sweep;
  RunId run = 0;

  bool operator==(const Continuation&) const = default;
};
/// "goes on from HD_<uuid>_3".
std::string to_text(const Continuation& continuation);
/// What a run's `proposal` says; nothing for a run that is none.
std::optional<Continuation> continuation_from(std::string_view proposal);
/// Where `bring_outputs` puts the outputs of that run.
std::filesystem::path continued_outputs(const std::filesystem::path& sweep_directory,
                                        const Continuation& of);

}  // namespace hdrive
