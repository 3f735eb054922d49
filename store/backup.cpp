// SPDX-License-Identifier: Apache-2.0
#include "hdrive/backup.h"

#include <fcntl.h>

#include <system_error>

#include "base/file.h"
#include "hdrive/changes.h"
#include "store/reader.h"
#include "store/replay.h"
#include "store/salvage.h"

namespace hdrive {
namespace {

Result<void> copy_checked(const std::filesystem::path& directory,
                          const std::filesystem::path& file) {
  auto from = store::open_reader(directory);
  if (!from) return from.error();
  auto to = store::Database::open(file, store::Database::Mode::write);
  if (!to) return to.error();
  if (auto copied = (*from)->copy_to(**to); !copied) return copied;
  store::Seal seal(store::Seal::Source::as_stored);
  store::ReplayOptions options;
  options.metrics = false;
  options.seal = &seal;
  const auto sound =
      store::as_damage(file, [&] { return store::replay(**to, options, [](const Change&) {}); });
  // What is wrong with the copy is wrong with what it was made of.
  return sound ? sound : store::damaged((*from)->path(), "a copy of it is not what was written");
}

}  // namespace

Result<void> back_up_sweep(const std::filesystem::path& directory,
                           const std::filesystem::path& file) {
  if (auto made = base::open_regular(AT_FDCWD, file, O_RDWR | O_CREAT | O_EXCL); !made)
    return made.error();
  auto copied = copy_checked(directory, file);
  if (!copied) store::remove_database(file);
  return copied;
}

}  // namespace hdrive
