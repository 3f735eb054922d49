// SPDX-License-Identifier: Apache-2.0
//
// From what a user typed to a sweep or a run on disk. Used by every verb that reads sweeps.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/state.h"
#include "hdrive/store.h"

namespace hdrive::cli {

class ArgumentParser;

/// Adds `--output-dir DIR`: where sweeps are looked for, or, of verbs that make one, where it is kept.
void add_home_option(ArgumentParser& parser, std::string& output_dir);
void add_new_home_option(ArgumentParser& parser, std::string& output_dir);
/// Adds the positional SWEEP (or SWEEP/RUN, as `value` says); without a default it is required.
void add_sweep_argument(ArgumentParser& parser, std::string& selector, const std::string& value,
                        const std::string& description);

/// Where the sweeps are: `--output-dir`, else $HDRIVE_HOME, else the nearest ".hdrive" of this
/// user's in the working directory or above it, as git finds its repository. A Failure (code 2) if
/// it is a file.
std::filesystem::path home_directory(const std::string& output_dir);
/// Where new ones are made: the same, but ".hdrive" in the working directory.
std::filesystem::path new_home_directory(const std::string& output_dir);

/// What to do with a name that several sweeps have: those that read take the newest and say so.
enum class Several { refuse, newest };

/// The sweep, or a Failure with code 4.
SweepEntry sweep_or_fail(const std::string& output_dir, const std::string& selector,
                         Several several = Several::refuse);

/// A Failure if an engine runs the sweep, or its runs are alive without one; `nothing` says what was
/// not done: "nothing was deleted".
void at_rest_or_fail(const SweepEntry& sweep, std::string_view nothing,
                     const std::string& output_dir);

/// The sweep's state, replayed; of metrics the primary one alone. For what needs all runs at once:
/// the rest asks a SweepReader.
SweepState load_state(const SweepEntry& sweep);

/// What an engine did with the sweep (hdrive/controller_log.h).
std::string controller_log_of(const SweepEntry& sweep);

/// A sweep opened as its engine does, and all that happened in it: one reading for both. For
/// SweepParts.
struct OwnedSweep {
  std::shared_ptr<Store> store;
  std::shared_ptr<SweepState> state;
};
/// A Failure if another process runs it, or it cannot be read.
OwnedSweep own_or_fail(const SweepEntry& sweep);

/// A sweep and perhaps one of its runs, as `SWEEP`, `SWEEP/3`, `SWEEP/best` or a run's full id.
struct Target {
  SweepEntry sweep;
  std::optional<RunId> run;
};
Target target_or_fail(const std::string& output_dir, const std::string& selector,
                      Several several = Several::refuse);

/// "SWEEP/RUN" taken apart: the sweep's selector, and the run's ("3", "best") or "".
std::pair<std::string, std::string> split_selector(const std::string& selector);

/// " --output-dir DIR" where one was given: to be repeated in commands the user is told.
std::string home_hint(const std::string& output_dir);
/// The same, from where the sweep lies: nothing where it is found without.
std::string home_hint(const SweepEntry& sweep);
/// The error as the user is told it: a repair that it names is to be typed with `output_dir`, as this command was.
std::string error_text(const Error& error, const std::string& output_dir);

}  // namespace hdrive::cli
