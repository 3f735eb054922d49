// SPDX-License-Identifier: Apache-2.0
//
// Opening a store: any bytes as sweep.db are read, or refused with an error that names the file; and what an
// engine opens, it can replay and write to.
#include <string>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "hdrive/sweep.h"
#include "tests/fuzz/fuzz.h"

using namespace hdrive;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path& directory = fuzz::directory();
  for (const char* name : {"sweep.db-wal", "sweep.db-shm", "sweep.db-journal", "engine.lock"})
    std::filesystem::remove(directory / name);
  fuzz::write(directory / "sweep.db", fuzz::text(data, size));

  (void)find_sweep(directory, directory.string());
  (void)read_metrics(directory, std::nullopt);
  const auto read = replay_sweep(directory, "", [](const Change&) {});
  if (!read) fuzz::require(!read.error().message().empty(), "an error says what is wrong");
  const auto store = open_sqlite_store(directory);
  if (!store) {
    fuzz::require(store.error().message().find("sweep.db") != std::string::npos ||
                      store.error().message().find(directory.string()) != std::string::npos,
                  "an error names the file");
    return 0;
  }
  const std::vector<Change> note{Noted{Noted::Level::info, {}, "here", Time{}}};
  (void)(*store)->append(note);
  (void)(*store)->replay("", [](const Change&) {});
  return 0;
}
