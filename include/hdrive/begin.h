// SPDX-License-Identifier: Apache-2.0
//
// What a front end does before it begins a sweep or goes on with one: capture the code, read the
// stored specification, choose the devices. The command and the Python package stand on it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/changes.h"
#include "hdrive/result.h"
#include "hdrive/spec.h"
#include "hdrive/target.h"
#include "hdrive/targets.h"
#include "hdrive/workspace.h"

namespace hdrive {

/// The code that the runs of a new sweep below `home` start from, as it is now: a snapshot where
/// each run gets a folder of its own, else only what git says of the source folder. Without a
/// command nothing is captured.
Result<Capture> capture_code(const SweepSpec& spec, const std::filesystem::path& home, Time now);

/// Whether it is a command that is run once and compared with nothing (config.h: `single_run`, and
/// a v2 command job): no metric is missed of it.
bool is_single_run(const SweepSpec& spec);

/// What there is to say about a capture, to be stored with the sweep: `show` tells it then.
std::vector<Change> notes_of(const Capture& capture, Time now);

/// The specification that a sweep's header keeps, of the sweep in `directory`. Errors name the
/// sweep by `name`, or by its id. The warnings of the file were told when the sweep began.
Result<SweepSpec> spec_of(const SweepHeader& header, const std::filesystem::path& directory,
                          const std::string& name = "");

/// What a run of the sweep asks of the place where it runs.
RunResources resources_of(const SweepSpec& spec);

/// The target of the sweep in `directory`: this machine, or those that the specification names,
/// which are looked for in its source directory and in `files` (targets.h: targets_files). `runs`
/// says what is read of a run; its devices are set here, by `device_options`.
Result<std::shared_ptr<ComputeTarget>> target_for(const SweepSpec& spec, LocalTargetOptions runs,
                                                  const std::filesystem::path& directory,
                                                  const std::optional<std::string>& visible,
                                                  const std::vector<std::filesystem::path>& files,
                                                  std::shared_ptr<Clock> clock);

/// The devices that the runs of the sweep in `directory` share on this machine. `visible` is the
/// caller's own CUDA_VISIBLE_DEVICES or HIP_VISIBLE_DEVICES. Fails where "auto" finds no GPU.
Result<DeviceOptions> device_options(const SweepSpec& spec, const std::filesystem::path& directory,
                                     const std::optional<std::string>& visible);

}  // namespace hdrive
