// SPDX-License-Identifier: Apache-2.0
#include "store/database.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>

#include "base/file.h"
#include "base/text.h"
#include "store/log_file.h"

namespace hdrive::store {
namespace {

bool is_utf8(std::string_view bytes) {
  const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  return std::all_of(bytes.begin(), bytes.end(), ascii) || base::to_utf8(bytes) == bytes;
}

// "file:" and the path, with what has a meaning in a URI escaped.
std::string uri(const std::filesystem::path& path, std::string_view parameters) {
  std::string result = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#')
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      result += c;
  }
  return result.append(parameters);
}

// SQLite would wait for ever for a FIFO that somebody put in the place of its files. They are looked at and not opened:
// closing a file takes away the locks that this process has on it.
Result<void> expect_files(const std::filesystem::path& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    const std::string file = path.string() + suffix;
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(file, error);
    if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) continue;
    if (*suffix == '\0') return damaged(path, "it is not a file");
    return Error{file, "it is not a file that SQLite made; remove it, and try again",
                 Error::Kind::damaged};
  }
  return {};
}

}  // namespace

Error damaged(const std::filesystem::path& file, std::string_view what) {
  return {file.string(), fmt::format("is damaged: {}", what), Error::Kind::damaged,
          std::filesystem::absolute(file).parent_path().string()};
}

Error::Kind error_kind(int code, int system_error_number) {
  using Kind = Error::Kind;
  switch (code) {
    case SQLITE_READONLY_DBMOVED:
      return Kind::not_found;
    case SQLITE_IOERR_NOMEM:
    case SQLITE_IOERR_SHMMAP:
      return Kind::no_resources;
    case SQLITE_IOERR_SHMSIZE:
      // The file of the readers' marks could not grow.
      return Kind::no_room;
    case SQLITE_IOERR_CORRUPTFS:
    case SQLITE_CANTOPEN_ISDIR:
      return Kind::damaged;
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Kind::busy;
    case SQLITE_FULL:
      return Kind::no_room;
    case SQLITE_NOMEM:
      return Kind::no_resources;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // what is asked never changes, so the tables have
    case SQLITE_SCHEMA:
      return Kind::damaged;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Kind::not_allowed;
    case SQLITE_TOOBIG:
      return Kind::invalid;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return base::error_kind(system_error_number);
    default:
      return Kind::other;
  }
}

Error database_error(const std::filesystem::path& path, int code, sqlite3* handle) {
  const std::string detail = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  const int system_error_number = handle ? sqlite3_system_errno(handle) : 0;
  const Error::Kind kind = error_kind(code, system_error_number);
  const auto error = [&](std::string what) {
    return Error{path.string(), fmt::format("{} (SQLite: {})", what, detail), kind};
  };
  if (code == SQLITE_READONLY_ROLLBACK)
    return error("holds a step that was cut short; `hdrive resume` rolls it back");
  switch (code & 0xff) {
    case SQLITE_FULL:
      return error("the disk is full; nothing of this step was kept");
    case SQLITE_IOERR:
      return error("cannot be read or written, because of the disk or a quota");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return error("another process keeps it locked; close what has it open");
    case SQLITE_NOTADB:
      return damaged(path, "it does not begin as a sweep's database does");
    case SQLITE_CORRUPT:
      return damaged(path, fmt::format("SQLite finds it malformed ({})", detail));
    case SQLITE_ERROR:
      return damaged(path, fmt::format("its tables are not those that hdrive makes ({})", detail));
    case SQLITE_READONLY:
      if (kind == Error::Kind::not_found) return error("was deleted or moved while it was in use");
      return error("cannot be written; check the permissions of the file and its directory");
    case SQLITE_CANTOPEN:
      if (kind == Error::Kind::no_resources)
        return error("cannot be opened: this process has too many files open");
      return error("cannot be opened; check that it exists and its permissions");
    case SQLITE_NOMEM:
      return error("cannot be used for want of memory");
    case SQLITE_TOOBIG:
      return error("a text is too long to be stored");
    default:
      return error("cannot be used");
  }
}

double seconds_of(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

Duration duration_of(double seconds) {
  constexpr double kMost = 9.2e18;  // what fits, whatever somebody wrote into the file
  return Duration(std::llround(std::clamp(seconds * 1e6, -kMost, kMost)));
}

// ---- rows ---------------------------------------------------------------------------------------

double Row::real(int column) const {
  if (null(column)) return std::numeric_limits<double>::quiet_NaN();
  return sqlite3_column_double(statement_, column);
}

std::string_view Row::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const char*>(data), data ? static_cast<std::size_t>(size) : 0};
}

Duration Row::duration(int column) const {
  return duration_of(sqlite3_column_double(statement_, column));
}

std::optional<std::int64_t> Row::maybe_integer(int column) const {
  if (null(column)) return std::nullopt;
  return integer(column);
}

std::optional<int> Row::maybe_small(int column) const {
  if (null(column)) return std::nullopt;
  return small(column);
}

std::optional<Duration> Row::maybe_duration(int column) const {
  if (null(column)) return std::nullopt;
  return duration(column);
}

// ---- statements ---------------------------------------------------------------------------------

int Statement::bind(int index, std::string_view value) {
  const char* data = value.data() ? value.data() : "";
  if (is_utf8(value))
    return sqlite3_bind_text64(statement_.get(), index, data, value.size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  return sqlite3_bind_blob64(statement_.get(), index, data, value.size(), SQLITE_STATIC);
}

Result<void> Statement::finish(int code) {
  if (code == SQLITE_DONE) return {};
  return database_error(*path_, code, sqlite3_db_handle(statement_.get()));
}

// ---- the connection -----------------------------------------------------------------------------

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path, Mode mode) {
  static constexpr int kFlags[] = {SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                   SQLITE_OPEN_READWRITE, SQLITE_OPEN_READONLY,
                                   SQLITE_OPEN_READONLY};
  if (Result<void> usable = expect_files(path); !usable) return usable.error();
  const std::string name = uri(path, mode == Mode::immutable ? "?immutable=1" : "");
  const int flags = kFlags[static_cast<int>(mode)] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
  sqlite3* handle = nullptr;
  const char* const files = mode == Mode::write ? log_vfs() : nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, files);
  std::unique_ptr<Database> database(new Database(handle, path));
  if (code != SQLITE_OK) return database_error(path, code, handle);
  sqlite3_extended_result_codes(handle, 1);
  database->wait_for_locks(kPatience);
  return database;
}

void Database::wait_for_locks(std::chrono::milliseconds most) {
  sqlite3_busy_timeout(handle_.get(), static_cast<int>(most.count()));
}

Result<void> Database::gather_commits() {
  if (Result<void> kept_back = execute("PRAGMA cache_spill = OFF"); !kept_back) return kept_back;
  if (store::gather_commits(handle_.get())) return {};
  return execute("PRAGMA cache_spill = ON");
}

Result<void> Database::expect_in_place() {
  // Where only files of its folder are gone, a repair finds the runs again: nothing of them is given up.
  const auto gone = [](const std::filesystem::path& file) {
    std::error_code error;
    return Error{file.string(),
                 std::filesystem::exists(file, error)
                     ? "was replaced by another file while it was in use"
                     : "was deleted or moved while it was in use",
                 std::filesystem::exists(file.parent_path(), error) ? Error::Kind::other
                                                                    : Error::Kind::not_found};
  };
  struct stat found {};
  const bool named = ::stat(path_.c_str(), &found) == 0;
  if (named && !file_) {
    int moved = 0;
    sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved == 0) file_ = found.st_ino;  // from now on the number tells
  }
  if (!named || file_ != found.st_ino) return gone(path_);
  // SQLite would go on from what it remembers, and nobody could read what it writes.
  if (found.st_size == 0) return damaged(path_, "it was emptied while it was in use");
  // SQLite keeps the log from the first write to the last close, and would go on writing to one without a name.
  const std::string log = path_.string() + "-wal";
  const bool there = ::stat(log.c_str(), &found) == 0;
  if (!there && errno != ENOENT) return {};
  if (log_ && (!there || *log_ != found.st_ino)) return gone(log);
  if (there) log_ = found.st_ino;
  return {};
}

Result<std::unique_ptr<Database>> Database::in_memory(const std::filesystem::path& path) {
  sqlite3* handle = nullptr;
  const int opened =
      sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> made(new Database(handle, path));
  if (opened != SQLITE_OK) return database_error(path, opened, handle);
  sqlite3_extended_result_codes(handle, 1);
  return made;
}

Result<std::unique_ptr<Database>> Database::copy_to_memory() {
  auto copy = in_memory(path_);
  if (!copy) return copy;
  if (auto copied = copy_to(**copy); !copied) return copied.error();
  return copy;
}

Result<void> Database::copy_to(Database& other) {
  sqlite3_backup* backup = sqlite3_backup_init(other.handle_.get(), "main", handle_.get(), "main");
  if (!backup) return database_error(path_, sqlite3_errcode(other.handle()), other.handle());
  const int code = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) return database_error(path_, code, nullptr);
  return {};
}

Result<void> Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return database_error(path_, code, handle_.get());
  return {};
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) return database_error(path_, code, handle_.get());
  return Statement(prepared, path_);
}

Result<Statement*> Database::statement(const char* sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return &found->second;
  Result<Statement> made = prepare(sql);
  if (!made) return made.error();
  return &statements_.try_emplace(sql, *std::move(made)).first->second;
}

// ---- transactions -------------------------------------------------------------------------------

Result<Transaction> Transaction::begin(Database& database, Kind kind) {
  static constexpr char kRead[] = "BEGIN";
  static constexpr char kWrite[] = "BEGIN IMMEDIATE";
  Result<void> begun = database.run(kind == Kind::read ? kRead : kWrite);
  if (!begun) return begun.error();
  return Transaction(database);
}

Result<void> Transaction::commit() {
  static constexpr char kCommit[] = "COMMIT";
  Result<void> committed = database_->run(kCommit);
  if (committed) database_ = nullptr;
  return committed;
}

Transaction::~Transaction() {
  static constexpr char kRollback[] = "ROLLBACK";
  // After a full disk SQLite may have rolled back by itself.
  if (database_ && database_->in_transaction()) (void)database_->run(kRollback);
}

}  // namespace hdrive::store
