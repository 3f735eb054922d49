// SPDX-License-Identifier: Apache-2.0
//
// What `run`, `submit-script` and the steps of a pipeline share: the options around a run, and
// running it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/azure_arguments.h"
#include "cli/detach.h"
#include "hdrive/catalog.h"
#include "hdrive/config.h"
#include "hdrive/stop_signal.h"

namespace hdrive::cli {

class ArgumentParser;

struct RunOptions {
  std::string output_dir;
  bool dry_run = false;
  bool quiet = false;
  bool ui = false;                                        ///< serve the page beside it
  std::optional<std::int64_t> max_concurrent_steps = {};  ///< of a pipeline; 1 by default
  bool goes_on = false;  ///< with a sweep of the same name, where there is one
  /// Of a step beside which others run: what ends them all (cli/foreground.h).
  std::optional<StopSignal> shared_stop = {};
  Detach detach;
  AzureArguments azure;
};

/// Declares the options; `verb` and its `arguments` are what a detached process is started with.
void add_run_options(ArgumentParser& parser, RunOptions& options, const std::string& verb,
                     const std::vector<std::string>& arguments);

/// Makes the sweep and runs it to its end; gives the exit code. `file` is where its configuration
/// came from; empty: from the command line.
int run_sweep_of(LoadedConfig loaded, const std::filesystem::path& file, const RunOptions& options);

/// The sweep of that name in `home`; a Failure where there are several.
std::optional<SweepEntry> sweep_named(const std::string& name, const std::filesystem::path& home);
/// A Failure where an engine runs the sweep, or its configuration is another one than `loaded`.
void same_or_fail(const SweepEntry& sweep, LoadedConfig loaded, const RunOptions& options);

}  // namespace hdrive::cli
