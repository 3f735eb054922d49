// SPDX-License-Identifier: Apache-2.0
//
// Opening a sweep's database to read it, whatever state it is in: run by an engine right now, left behind by
// one that died, on a disk that cannot be written.
#pragma once

#include <filesystem>
#include <memory>

#include "hdrive/result.h"
#include "store/database.h"

namespace hdrive::store {

Result<std::unique_ptr<Database>> open_reader(const std::filesystem::path& sweep_directory);

}  // namespace hdrive::store
