// SPDX-License-Identifier: Apache-2.0
//
// sweep.json: the sweep's header beside its database, for the day that the database is lost. Written when
// the sweep is made and when its configuration changes; read by repairs alone.
#pragma once

#include <filesystem>

#include "hdrive/store.h"

namespace hdrive::store {

std::filesystem::path sweep_file(const std::filesystem::path& sweep_directory);
Result<void> write_sweep_file(const std::filesystem::path& sweep_directory,
                              const SweepHeader& header);
Result<SweepHeader> read_sweep_file(const std::filesystem::path& sweep_directory);

}  // namespace hdrive::store
