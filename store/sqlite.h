// SPDX-License-Identifier: Apache-2.0
//
// Opening the store in a database file as if the directory lay on a given file system; what
// create_sqlite_store and open_sqlite_store do with the one it lies on. For tests, which have no NFS.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "hdrive/store.h"

namespace hdrive::store {

Result<std::shared_ptr<Store>> create_store_on(const std::filesystem::path& directory,
                                               const SweepHeader& header, std::int64_t file_system);
Result<std::shared_ptr<Store>> open_store_on(
    const std::filesystem::path& directory, std::int64_t file_system,
    const std::function<void(const Change&)>& tell = nullptr);

}  // namespace hdrive::store
