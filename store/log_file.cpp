// SPDX-License-Identifier: Apache-2.0
#include "store/log_file.h"

#include <algorithm>
#include <cstddef>
#include <new>
#include <string>

namespace hdrive::store {
namespace {

// Of the format of the log (sqlite.org/fileformat2.html#walformat): its header, then frames, each a header and a
// page. Bytes 4 to 7 of a frame's header are not 0 in the last frame of a commit, and only there. Pages are larger
// than headers.
constexpr sqlite3_int64 kLogHeader = 32;
constexpr int kFrameHeader = 24;
constexpr int kCommitMark = 4, kCommitMarkEnd = 8;

// A larger commit is written in pieces. With one page more, of at most 64 kB, it has to stay below 128 kB, which is the
// most that SQLite's own files write at a time.
constexpr std::size_t kMost = 32 * 1024;

// So much of zeros is written behind a commit where the file ends, and overwritten by the next ones: a commit that makes
// the file longer waits for more of the disk than one that does not. Zeros are no frame to whoever reads the log.
constexpr std::size_t kAhead = 64 * 1024;

// SQLite gives it room, with that for the system's file behind it, at multiples of eight.
struct LogFile {
  sqlite3_file base{};
  bool gathers = false;
  bool commits = false;  // the frame that was begun is the last of its commit
  sqlite3_int64 start = 0;
  std::string gathered;   // belongs at `start`
  sqlite3_int64 end = 0;  // of the file, as far as is known
};
static_assert(alignof(LogFile) <= 8 && sizeof(LogFile) % 8 == 0);

LogFile& log_of(sqlite3_file* file) { return *reinterpret_cast<LogFile*>(file); }
sqlite3_file* system_file(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(&log_of(file) + 1);
}

int write_gathered(sqlite3_file* file) {
  LogFile& log = log_of(file);
  sqlite3_file* const below = system_file(file);
  const auto size = static_cast<int>(log.gathered.size());
  const int code = below->pMethods->xWrite(below, log.gathered.data(), size, log.start);
  log.gathered.clear();
  return code;
}

// Behind all that is in the log, while nobody else may write to it. Where there is no room for it, it is left out.
void write_ahead(sqlite3_file* file, sqlite3_int64 from) {
  LogFile& log = log_of(file);
  log.gathered.assign(kAhead, '\0');
  log.start = from;
  log.end = write_gathered(file) == SQLITE_OK ? from + static_cast<sqlite3_int64>(kAhead) : from;
}

// A commit that fails is begun anew by SQLite or given up: neither needs what was gathered. Kept, it could
// be written over what another process commits meanwhile.
int give_up(sqlite3_file* file, int code) {
  log_of(file).gathered.clear();
  return code;
}

int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  LogFile& log = log_of(file);
  sqlite3_file* const below = system_file(file);
  if (!log.gathers || offset < kLogHeader)
    return below->pMethods->xWrite(below, data, size, offset);
  if (log.gathered.empty()) log.start = offset;
  if (offset != log.start + static_cast<sqlite3_int64>(log.gathered.size()))
    return give_up(file, SQLITE_IOERR_WRITE);
  const char* const bytes = static_cast<const char*>(data);
  try {
    log.gathered.append(bytes, static_cast<std::size_t>(size));
  } catch (const std::bad_alloc&) {
    return give_up(file, SQLITE_IOERR_NOMEM);
  }
  if (size == kFrameHeader) {
    log.commits = std::any_of(bytes + kCommitMark, bytes + kCommitMarkEnd,
                              [](char byte) { return byte != 0; });
    return SQLITE_OK;
  }
  if (!log.commits && log.gathered.size() < kMost) return SQLITE_OK;
  const int code = write_gathered(file);
  const sqlite3_int64 end = offset + size;
  if (code == SQLITE_OK && log.commits && end > log.end) write_ahead(file, end);
  return code;
}

// ---- what SQLite does with the file otherwise ----------------------------------------------------

// Calls the method of the system's file.
template <auto method, class... Arguments>
int hand_on(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* const below = system_file(file);
  return (below->pMethods->*method)(below, arguments...);
}

// The same of what sees or changes what is in the file, which never happens amid a commit.
template <auto method, int code_amid_commit, class... Arguments>
int hand_on_whole(sqlite3_file* file, Arguments... arguments) {
  if (!log_of(file).gathered.empty()) return give_up(file, code_amid_commit);
  return hand_on<method>(file, arguments...);
}

int close(sqlite3_file* file) {
  sqlite3_file* const below = system_file(file);
  const int code = below->pMethods->xClose(below);
  log_of(file).~LogFile();
  return code;
}

const sqlite3_io_methods kMethods = {
    1,  // of the methods' first version: shared memory and mapping are the database's alone
    close, hand_on_whole<&sqlite3_io_methods::xRead, SQLITE_IOERR_READ>, write,
    hand_on_whole<&sqlite3_io_methods::xTruncate, SQLITE_IOERR_TRUNCATE>,
    hand_on_whole<&sqlite3_io_methods::xSync, SQLITE_IOERR_FSYNC>,
    hand_on_whole<&sqlite3_io_methods::xFileSize, SQLITE_IOERR_FSTAT>,
    hand_on<&sqlite3_io_methods::xLock>, hand_on<&sqlite3_io_methods::xUnlock>,
    hand_on<&sqlite3_io_methods::xCheckReservedLock>, hand_on<&sqlite3_io_methods::xFileControl>,
    hand_on<&sqlite3_io_methods::xSectorSize>, hand_on<&sqlite3_io_methods::xDeviceCharacteristics>,
    // Of later versions.
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};

// ---- the layer -----------------------------------------------------------------------------------

sqlite3_vfs* system_vfs() {
  static sqlite3_vfs* const found = sqlite3_vfs_find(nullptr);
  return found;
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* opened_with) {
  sqlite3_vfs* const system = system_vfs();
  if ((flags & SQLITE_OPEN_WAL) == 0) return system->xOpen(system, name, file, flags, opened_with);
  LogFile* const log = new (file) LogFile;
  sqlite3_file* const below = system_file(file);
  below->pMethods = nullptr;
  const int code = system->xOpen(system, name, below, flags, opened_with);
  // Where there are methods SQLite closes it, also one that could not be opened.
  if (below->pMethods)
    log->base.pMethods = &kMethods;
  else
    log->~LogFile();
  return code;
}

const char* register_layer() {
  const sqlite3_vfs* const system = system_vfs();
  if (!system) return nullptr;
  static sqlite3_vfs layer = *system;
  layer.zName = "hdrive-log";
  layer.pNext = nullptr;
  layer.szOsFile += static_cast<int>(sizeof(LogFile));
  layer.xOpen = open_file;
  return sqlite3_vfs_register(&layer, /*makeDflt=*/0) == SQLITE_OK ? layer.zName : nullptr;
}

}  // namespace

const char* log_vfs() {
  static const char* const name = register_layer();
  return name;
}

bool gather_commits(sqlite3* database) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK)
    return false;
  if (!file || file->pMethods != &kMethods) return false;
  sqlite3_file* const below = system_file(file);
  // Where a sector may be damaged beside what is written to it, SQLite goes on writing behind a commit's last page.
  const int traits = below->pMethods->xDeviceCharacteristics(below);
  LogFile& log = log_of(file);
  log.gathers = (traits & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
  log.gathered.reserve(kAhead);
  if (below->pMethods->xFileSize(below, &log.end) != SQLITE_OK) log.end = 0;
  return log.gathers;
}

}  // namespace hdrive::store
