// SPDX-License-Identifier: Apache-2.0
#include "store/salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "store/schema.h"

namespace hdrive::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;
constexpr int kMostProbes = 5000;  // into what lies behind damage, a table

// The tables, and the key by which each is walked.
struct Table {
  const char* name;
  const char* key;
};
constexpr Table kTables[] = {
    {"sweep", "rowid"},       {"runs", "rowid"},          {"earlier_attempts", "run"},
    {"metrics", "rowid"},     {"metric_names", "rowid"},  {"metric_values", "rowid"},
    {"verdicts", "run"},      {"sweep_changes", "rowid"}, {"notes", "rowid"},
    {"edits", "rowid"},       {"requests", "rowid"},      {"seal", "rowid"},
    {"earlier_runs", "rowid"}};

// Copies the rows of one table past what cannot be read. Two connections: once one has come upon damage in a
// transaction SQLite lets it write nothing more, not even to another file.
class TableCopy {
 public:
  TableCopy(sqlite3* from, sqlite3* to, const Table& table, const std::vector<std::string>& columns)
      : from_(from), to_(to), table_(table) {
    const std::string names = fmt::format("{}", fmt::join(columns, ", "));
    std::string places = "?1";
    for (std::size_t i = 2; i <= columns.size() + by_rowid(); ++i)
      places += fmt::format(", ?{}", i);
    const std::string all = (by_rowid() ? "rowid, " : "") + names;
    read_ = fmt::format("SELECT {} FROM {} WHERE {} = ?1", all, table.name, table.key);
    write_ = fmt::format("INSERT OR IGNORE INTO {}({}) VALUES({})", table.name, all, places);
  }

  // False: some rows may be missing.
  bool copy() {
    // Widest first: what lies between two damaged pages is found before their insides are searched.
    std::deque<Range> ranges{{0, Key{1} << 62}};
    for (int probes = 0; !ranges.empty() && probes < kMostProbes; ++probes) {
      const Range range = ranges.front();
      ranges.pop_front();
      search(range, ranges);
    }
    return whole_;
  }

 private:
  using Key = std::int64_t;
  struct Range {
    Key low, high;
  };

  void search(const Range& range, std::deque<Range>& ranges) {
    Key last = range.low - 1;
    if (scan(range.low, range.high, "ASC", last)) return;
    whole_ = false;
    Key first = range.high + 1;
    (void)scan(last + 1, range.high, "DESC", first);
    // Between `last` and `first` lies damage, and perhaps more behind it.
    if (first - last <= 2) return;
    const Key middle = last + (first - last) / 2;
    ranges.push_back({last + 1, middle});
    ranges.push_back({middle + 1, first - 1});
  }

  // Copies until the end or an error; `reached` is the last key that was read.
  bool scan(Key low, Key high, const char* order, Key& reached) {
    const std::string walk =
        fmt::format("SELECT {0} FROM {1} NOT INDEXED WHERE {0} BETWEEN ?1 AND ?2 ORDER BY {0} {2}",
                    table_.key, table_.name, order);
    const auto keys = prepare(from_, walk), read = prepare(from_, read_),
               write = prepare(to_, write_);
    if (!keys || !read || !write) return false;
    sqlite3_bind_int64(keys.get(), 1, low);
    sqlite3_bind_int64(keys.get(), 2, high);
    int code = SQLITE_OK;
    while ((code = sqlite3_step(keys.get())) == SQLITE_ROW) {
      reached = sqlite3_column_int64(keys.get(), 0);
      if (!copy_rows(read.get(), write.get(), reached)) whole_ = false;
    }
    return code == SQLITE_DONE;
  }

  // Those of one key. False: of some a part is lost.
  static bool copy_rows(sqlite3_stmt* read, sqlite3_stmt* write, Key key) {
    bool written = true;
    int code = SQLITE_OK;
    sqlite3_bind_int64(read, 1, key);
    while ((code = sqlite3_step(read)) == SQLITE_ROW) {
      for (int i = 0; i < sqlite3_column_count(read); ++i)
        sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
      written = sqlite3_step(write) == SQLITE_DONE && written;
      sqlite3_reset(write);
    }
    sqlite3_reset(read);
    return written && code == SQLITE_DONE;
  }

  using Prepared = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;
  static Prepared prepare(sqlite3* database, const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr);
    return Prepared(statement, &sqlite3_finalize);
  }

  bool by_rowid() const { return std::string_view(table_.key) == "rowid"; }

  sqlite3* from_;
  sqlite3* to_;
  const Table& table_;
  std::string read_, write_;
  bool whole_ = true;
};

std::vector<std::string> columns_of(Database& database, const char* table) {
  std::vector<std::string> names;
  // A table of one version may be a view of another.
  (void)database.each_once(
      fmt::format("SELECT c.name FROM sqlite_schema t, pragma_table_info(t.name) c "
                  "WHERE t.name = '{}' AND t.type = 'table'",
                  table),
      [&](const Row& row) { names.push_back(row.text(0)); });
  return names;
}

// The columns that both have, so that an older version can be read. Not that which is another name of the row's number:
// where the damaged file has lost that it is one, it tells nothing.
std::vector<std::string> common_columns(Database& one, Database& other, const Table& table) {
  std::vector<std::string> names = columns_of(one, table.name);
  const std::vector<std::string> others = columns_of(other, table.name);
  std::erase_if(names, [&](const std::string& name) {
    return std::find(others.begin(), others.end(), name) == others.end();
  });
  if (std::string_view(table.key) == "rowid")
    (void)one.each_once(
        fmt::format("SELECT name FROM pragma_table_info('{}') WHERE pk = 1", table.name),
        [&](const Row& row) { std::erase(names, row.text(0)); });
  return names;
}

// A number of `size` bytes, as SQLite writes them.
std::size_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::size_t number = 0;
  for (std::size_t i = 0; i < size && at + i < bytes.size(); ++i)
    number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// The pages that tell where the tables are, counted from 1: the first one, and those that it names where the tables'
// descriptions do not fit into it (https://www.sqlite.org/fileformat.html, 1.6).
std::vector<std::size_t> schema_pages(std::string_view bytes) {
  constexpr std::size_t kHeader = 100;
  constexpr char kInterior = 5;
  std::vector<std::size_t> pages{1};
  if (bytes[kHeader] != kInterior) return pages;
  const std::size_t cells = number_at(bytes, kHeader + 3, 2);
  for (std::size_t i = 0; i < cells; ++i)
    pages.push_back(number_at(bytes, number_at(bytes, kHeader + 12 + 2 * i, 2), 4));
  pages.push_back(number_at(bytes, kHeader + 8, 4));
  return pages;
}

// Another's description of the tables, for a file whose own says nothing: they lie at the same places in all
// databases that began with the same version.
void give_schema(const fs::path& file, const fs::path& donor) {
  constexpr std::size_t kWhatever = std::numeric_limits<std::size_t>::max();
  const auto given = base::read_file(donor, kWhatever);
  auto bytes = base::read_file(file, kWhatever);
  if (!given || !bytes || given->size() < kPage || bytes->size() < kPage) return;
  const auto pages = static_cast<std::uint32_t>(bytes->size() / kPage);
  bytes->resize(pages * kPage);
  for (const std::size_t page : schema_pages(*given))
    if (page > 0 && page * kPage <= std::min(given->size(), bytes->size()))
      bytes->replace((page - 1) * kPage, kPage, given->substr((page - 1) * kPage, kPage));
  // The size in pages, as the header has it; and no list of free pages.
  for (int i = 0; i < 4; ++i)
    (*bytes)[static_cast<std::size_t>(28 + i)] = static_cast<char>(pages >> (8 * (3 - i)));
  std::fill_n(bytes->begin() + 32, 8, '\0');
  (void)base::write_file_atomically(file, *bytes);
}

bool shows_tables(Database& database) {
  std::string id;
  (void)database.each_once("SELECT id FROM sweep", [&](const Row& row) { id = row.text(0); });
  std::int64_t tables = 0;
  (void)database.each_once("SELECT count(*) FROM sqlite_schema WHERE name IN ('runs', 'metrics')",
                           [&](const Row& row) { tables = row.integer(0); });
  return tables == 2 || !id.empty();
}

// A copy to read from: opening a database may change it. Without its log where that prevents reading, and
// with another's description of the tables where its own does. Null: its tables cannot be found.
std::unique_ptr<Database> open_damaged(const fs::path& damaged, const fs::path& copy,
                                       const fs::path& donor) {
  std::unique_ptr<Database> opened;
  const auto shows = [&] {
    auto database = Database::open(copy, Database::Mode::write);
    if (!database) return false;
    opened = *std::move(database);
    return shows_tables(*opened);
  };
  for (const bool with_log : {true, false}) {
    std::error_code error;
    opened.reset();
    remove_database(copy);
    fs::copy_file(damaged, copy, error);
    if (with_log && fs::exists(damaged.string() + "-wal", error))
      fs::copy_file(damaged.string() + "-wal", copy.string() + "-wal", error);
    if (shows()) return opened;
  }
  opened.reset();
  give_schema(copy, donor);
  if (!shows()) opened.reset();
  return opened;
}

}  // namespace

void remove_database(const fs::path& file) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"})
    fs::remove(file.string() + suffix, ignored);
}

namespace {

// A new database, closed, so that the file itself holds its first page.
Result<void> make_database(const fs::path& file, int version) {
  remove_database(file);
  auto made = Database::open(file, Database::Mode::create);
  if (!made) return made.error();
  return migrate(**made, version);
}

Result<void> copy_tables(Database& from, Database& to, Salvage& result) {
  (void)to.execute("DELETE FROM seal");
  auto transaction = Transaction::begin(to, Transaction::Kind::write);
  if (!transaction) return transaction.error();
  result.whole = true;
  for (const Table& table : kTables) {
    const auto columns = common_columns(to, from, table);
    if (columns.empty()) continue;  // of a version without it
    if (TableCopy(from.handle(), to.handle(), table, columns).copy()) continue;
    result.whole = false;
    result.lost.push_back(fmt::format("rows of the table {} could not be read", table.name));
  }
  return transaction->commit();
}

// As a step of the version expects it: keys of values are made of the number of the run.
constexpr char kPossibleRuns[] = "DELETE FROM metrics WHERE run NOT BETWEEN 0 AND 2147483647";

}  // namespace

Result<Salvage> salvage(const fs::path& damaged, const fs::path& scratch) {
  Salvage result;
  const fs::path copy = scratch.string() + ".copy";
  std::unique_ptr<Database> readable;
  // Where its own first page tells nothing, that of a version it may have begun with does.
  int version = kSchemaVersion;
  for (; !readable && version > 0; --version) {
    if (Result<void> made = make_database(scratch, version); !made) return made.error();
    readable = open_damaged(damaged, copy, scratch);
  }
  if (!readable) {
    remove_database(copy);
    return Error{damaged.string(), "nothing of it can be read"};
  }
  const Result<int> said = schema_version(*readable);
  version = version_of_tables(*readable);
  if (version == 0) version = said && *said > 0 && *said < kSchemaVersion ? *said : kSchemaVersion;
  if (Result<void> made = make_database(scratch, version); !made) return made.error();
  auto opened = Database::open(scratch, Database::Mode::write);
  if (!opened) return opened.error();
  result.database = *std::move(opened);
  Database& database = *result.database;
  if (auto done = copy_tables(*readable, database, result); !done) return done.error();
  readable.reset();
  remove_database(copy);
  if (version < 4)
    if (auto done = database.execute(kPossibleRuns); !done) return done.error();
  if (auto done = migrate(database); !done) return done.error();
  if (auto done = summarize_metrics(database); !done) return done.error();
  // Of the seal only the digest of the whole says whether all is there; that of parts follows from it.
  if (auto done = database.execute("UPDATE seal SET own = NULL"); !done) return done.error();
  return result;
}

}  // namespace hdrive::store
