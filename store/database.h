// SPDX-License-Identifier: Apache-2.0
//
// SQLite with values for errors: a connection, its prepared statements, a transaction. Nothing here knows
// what a sweep is. One thread at a time.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "hdrive/clock.h"
#include "hdrive/result.h"

namespace hdrive::store {

/// Moments and durations are kept as seconds.
double seconds_of(Duration duration);
Duration duration_of(double seconds);

/// One row of a result, valid until the next one is fetched. Columns count from 0.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}

  bool null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  int small(int column) const { return sqlite3_column_int(statement_, column); }
  /// NULL is NaN: SQLite keeps a NaN as NULL.
  double real(int column) const;
  std::string_view bytes(int column) const;
  std::string text(int column) const { return std::string(bytes(column)); }
  /// Seconds since the epoch, as `Statement` binds a Time. NULL is the epoch.
  Time time(int column) const { return Time(duration(column)); }
  Duration duration(int column) const;
  std::optional<std::int64_t> maybe_integer(int column) const;
  std::optional<int> maybe_small(int column) const;
  std::optional<Duration> maybe_duration(int column) const;

 private:
  sqlite3_stmt* statement_;
};

/// Bytes to be bound as they are, and not as text.
struct Blob {
  std::string_view bytes;
};

/// A prepared statement. What is bound to it must outlive the call that binds it.
class Statement {
 public:
  Statement(sqlite3_stmt* statement, const std::filesystem::path& path)
      : statement_(statement, &sqlite3_finalize), path_(&path) {}

  /// Runs a statement that gives no rows with these values for ?1, ?2, ...
  template <class... Values>
  Result<void> run(const Values&... values) {
    return each([](const Row&) {}, values...);
  }

  /// Runs a query with these values and calls `on_row` with each Row.
  template <class OnRow, class... Values>
  Result<void> each(OnRow&& on_row, const Values&... values) {
    const Reset when_done{statement_.get()};
    [[maybe_unused]] int index = 0;
    int code = SQLITE_OK;
    ((code = code == SQLITE_OK ? bind(++index, values) : code), ...);
    if (code == SQLITE_OK) code = sqlite3_step(statement_.get());
    for (; code == SQLITE_ROW; code = sqlite3_step(statement_.get())) on_row(row_);
    return finish(code);
  }

 private:
  int bind(int index, std::nullptr_t) { return sqlite3_bind_null(statement_.get(), index); }
  int bind(int index, int value) { return sqlite3_bind_int(statement_.get(), index, value); }
  int bind(int index, std::int64_t value) {
    return sqlite3_bind_int64(statement_.get(), index, value);
  }
  int bind(int index, std::uint64_t value) { return bind(index, static_cast<std::int64_t>(value)); }
  int bind(int index, double value) { return sqlite3_bind_double(statement_.get(), index, value); }
  /// Text that is not UTF-8 is kept as a BLOB, which every reader takes; TEXT would break Python's.
  int bind(int index, std::string_view value);
  int bind(int index, const std::string& value) { return bind(index, std::string_view(value)); }
  int bind(int index, const Blob& value) {
    return sqlite3_bind_blob64(statement_.get(), index, value.bytes.data(), value.bytes.size(),
                               SQLITE_STATIC);
  }
  /// Seconds since the epoch, exact to the microsecond from 1850 to 2100.
  int bind(int index, Time value) { return bind(index, value.time_since_epoch()); }
  int bind(int index, Duration value) { return bind(index, seconds_of(value)); }
  template <class Value>
  int bind(int index, const std::optional<Value>& value) {
    return value ? bind(index, *value) : bind(index, nullptr);
  }

  /// Ends a use of the statement, also where `on_row` throws.
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() { sqlite3_reset(statement); }
  };

  Result<void> finish(int code);

  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
  Row row_{statement_.get()};
  const std::filesystem::path* path_;
};

/// A connection to one database file.
class Database {
 public:
  enum class Mode {
    create,     ///< reads and writes; the file is made where it is missing
    write,      ///< reads and writes an existing file
    read,       ///< reads while others write
    immutable,  ///< reads a file that certainly nobody writes, in a directory that cannot be written
  };
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path, Mode mode);

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// An empty one in memory. Its messages name `path`.
  static Result<std::unique_ptr<Database>> in_memory(const std::filesystem::path& path);

  /// A copy in memory of all that is in it now. Its messages name the file it was made from.
  Result<std::unique_ptr<Database>> copy_to_memory();

  /// Puts all that is in it now, at one moment, in place of what the other holds.
  Result<void> copy_to(Database& other);

  /// How long a statement waits for another's lock before it is an error of the kind `busy`. At first
  /// kPatience: long enough for any writer of a sweep, short enough for the person who waits.
  void wait_for_locks(std::chrono::milliseconds most);
  static constexpr std::chrono::seconds kPatience{5};

  /// Makes commits that are many and small cheaper, by writing each of them in one go (store/log_file.h), where the
  /// journal is a log; of one that was opened to `write`. What a transaction changes stays in memory until its commit from
  /// now on, so large ones come before this.
  Result<void> gather_commits();

  /// Whether the file that is open is the one at `path`: an Error of the kind `not_found` where it was deleted,
  /// moved or replaced, so that nothing more is written where nobody finds it. The same of the log beside it, as
  /// soon as there was one.
  Result<void> expect_in_place();

  const std::filesystem::path& path() const { return path_; }

  /// Runs one or several statements without values.
  Result<void> execute(const char* sql);

  /// The statement of this text, prepared once. `sql` is a literal: its address is the key.
  Result<Statement*> statement(const char* sql);

  template <class... Values>
  Result<void> run(const char* sql, const Values&... values) {
    Result<Statement*> found = statement(sql);
    if (!found) return found.error();
    return (*found)->run(values...);
  }
  template <class OnRow, class... Values>
  Result<void> each(const char* sql, OnRow&& on_row, const Values&... values) {
    Result<Statement*> found = statement(sql);
    if (!found) return found.error();
    return (*found)->each(std::forward<OnRow>(on_row), values...);
  }

  /// A query whose text is made for it, and prepared for this one time.
  template <class OnRow, class... Values>
  Result<void> each_once(const std::string& sql, OnRow&& on_row, const Values&... values) {
    Result<Statement> made = prepare(sql.c_str());
    if (!made) return made.error();
    return made->each(std::forward<OnRow>(on_row), values...);
  }

  /// For what has no words here.
  sqlite3* handle() { return handle_.get(); }

  /// Whether a transaction is open.
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

 private:
  Result<Statement> prepare(const char* sql);
  Database(sqlite3* handle, std::filesystem::path path)
      : path_(std::move(path)), handle_(handle, &sqlite3_close_v2) {}

  std::filesystem::path path_;
  std::optional<std::uint64_t> file_, log_;  // the inodes of sweep.db and sweep.db-wal
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_;
  std::unordered_map<const char*, Statement> statements_;
};

/// A transaction, rolled back unless `commit` succeeded.
class Transaction {
 public:
  enum class Kind { read, write };
  static Result<Transaction> begin(Database& database, Kind kind);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;

  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;
};

/// "<file>: is damaged: <what>", and how to go on.
Error damaged(const std::filesystem::path& file, std::string_view what);

/// Damaged, too, is what cannot be: what reads a database believes in its order, and throws where it is none.
template <class Read>
Result<void> as_damage(const std::filesystem::path& file, Read&& read) {
  try {
    return std::forward<Read>(read)();
  } catch (const std::logic_error& error) {
    return damaged(file, error.what());
  } catch (const std::bad_alloc&) {
    Error error = damaged(file, "reading it takes more memory than there is");
    error.kind = Error::Kind::no_resources;
    return error;
  }
}

/// The kind of what SQLite says with this extended result code; where the code leaves it open, the system's
/// error number decides (0: not known).
Error::Kind error_kind(int code, int system_error_number);

/// What SQLite's result code means for the file, as an Error of its kind. `handle` may be null.
Error database_error(const std::filesystem::path& path, int code, sqlite3* handle);

}  // namespace hdrive::store
