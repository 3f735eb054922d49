// SPDX-License-Identifier: Apache-2.0
#include "store/salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
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
constexpr Table kTables[] = {{"sweep", "rowid"},   {"runs", "rowid"},   {"earlier_attempts", "run"},
                             {"metrics", "rowid"}, {"verdicts", "run"}, {"sweep_changes", "rowid"},
                             {"notes", "rowid"},   {"edits", "rowid"},  {"requests", "rowid"},
                             {"seal", "rowid"}};

// Copies the rows of one table from `damaged`, which is attached to `database`, past what cannot be read.
class TableCopy {
 public:
  TableCopy(sqlite3* database, const Table& table, std::string columns)
      : database_(database), table_(table), columns_(std::move(columns)) {}

  // False: some rows may be missing.
  bool copy() {
    // Widest first: what lies between two damaged pages is found before their insides are searched.
    std::deque<Range> ranges{{0, Key{1} << 53}};
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
    const bool by_rowid = std::string_view(table_.key) == "rowid";
    const std::string insert = fmt::format(
        "INSERT OR IGNORE INTO main.{0}({1}{2}) SELECT {1}{2} FROM damaged.{0} WHERE {3} = ?1",
        table_.name, by_rowid ? "rowid, " : "", columns_, table_.key);
    const std::string walk = fmt::format(
        "SELECT {0} FROM damaged.{1} NOT INDEXED WHERE {0} BETWEEN ?1 AND ?2 ORDER BY {0} {2}",
        table_.key, table_.name, order);
    const auto prepare = [this](const std::string& sql) {
      sqlite3_stmt* statement = nullptr;
      sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr);
      return std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>(statement, &sqlite3_finalize);
    };
    const auto keys = prepare(walk), row = prepare(insert);
    if (!keys || !row) return false;
    sqlite3_bind_int64(keys.get(), 1, low);
    sqlite3_bind_int64(keys.get(), 2, high);
    int code = SQLITE_OK;
    while ((code = sqlite3_step(keys.get())) == SQLITE_ROW) {
      reached = sqlite3_column_int64(keys.get(), 0);
      sqlite3_bind_int64(row.get(), 1, reached);
      if (sqlite3_step(row.get()) != SQLITE_DONE) whole_ = false;  // of this row a part is lost
      sqlite3_reset(row.get());
    }
    return code == SQLITE_DONE;
  }

  sqlite3* database_;
  const Table& table_;
  std::string columns_;
  bool whole_ = true;
};

// The columns that both have, so that an older version can be read.
std::string common_columns(Database& database, const char* table) {
  const std::string sql = fmt::format(
      "SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info('{0}', 'main') "
      "INTERSECT "
      "SELECT name FROM pragma_table_info('{0}', 'damaged'))",
      table);
  std::string columns;
  (void)database.each_once(sql, [&](const Row& row) { columns = row.text(0); });
  return columns;
}

// Another's first page, for a file whose own says nothing: tables lie at the same places in all databases
// that began with the same version.
void give_first_page(const fs::path& file, const fs::path& donor) {
  const auto page = base::read_file(donor);
  auto bytes = base::read_file(file);
  if (!page || !bytes || page->size() < kPage || bytes->size() < kPage) return;
  const auto pages = static_cast<std::uint32_t>(bytes->size() / kPage);
  bytes->resize(pages * kPage);
  bytes->replace(0, kPage, page->substr(0, kPage));
  // The size in pages, as the header has it; and no list of free pages.
  for (int i = 0; i < 4; ++i)
    (*bytes)[static_cast<std::size_t>(28 + i)] = static_cast<char>(pages >> (8 * (3 - i)));
  std::fill_n(bytes->begin() + 32, 8, '\0');
  (void)base::write_file_atomically(file, *bytes);
}

void attach(Database& database, const fs::path& file) {
  (void)database.execute("DETACH damaged");
  const std::string sql = fmt::format("ATTACH {} AS damaged", quote_sql(file.string()));
  (void)database.execute(sql.c_str());
}

bool shows_tables(Database& database) {
  std::string id;
  (void)database.each_once("SELECT id FROM damaged.sweep",
                           [&](const Row& row) { id = row.text(0); });
  std::int64_t tables = 0;
  (void)database.each_once(
      "SELECT count(*) FROM damaged.sqlite_schema WHERE name IN ('runs', 'metrics')",
      [&](const Row& row) { tables = row.integer(0); });
  return tables == 2 || !id.empty();
}

// A copy to read from: opening a database may change it. Without its log where that prevents reading, and
// with another first page where its own does.
bool open_damaged(Database& database, const fs::path& damaged, const fs::path& copy) {
  std::error_code error;
  const auto fresh_copy = [&](bool with_log) {
    (void)database.execute("DETACH damaged");
    remove_database(copy);
    fs::copy_file(damaged, copy, error);
    if (with_log && fs::exists(damaged.string() + "-wal", error))
      fs::copy_file(damaged.string() + "-wal", copy.string() + "-wal", error);
    attach(database, copy);
    return shows_tables(database);
  };
  if (fresh_copy(true) || fresh_copy(false)) return true;
  (void)database.execute("DETACH damaged");
  give_first_page(copy, database.path());
  attach(database, copy);
  return shows_tables(database);
}

}  // namespace

void remove_database(const fs::path& file) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"})
    fs::remove(file.string() + suffix, ignored);
}

Result<Salvage> salvage(const fs::path& damaged, const fs::path& scratch) {
  remove_database(scratch);
  Salvage result;
  {
    // Once closed, the file itself holds its first page.
    auto made = Database::open(scratch, Database::Mode::create);
    if (!made) return made.error();
    if (Result<void> done = migrate(**made); !done) return done.error();
  }
  auto opened = Database::open(scratch, Database::Mode::write);
  if (!opened) return opened.error();
  result.database = *std::move(opened);
  Database& database = *result.database;
  const fs::path copy = scratch.string() + ".copy";
  if (!open_damaged(database, damaged, copy)) {
    (void)database.execute("DETACH damaged");
    remove_database(copy);
    return Error{damaged.string(), "nothing of it can be read"};
  }
  (void)database.execute("DELETE FROM seal");
  auto transaction = Transaction::begin(database, Transaction::Kind::write);
  if (!transaction) return transaction.error();
  result.whole = true;
  for (const Table& table : kTables) {
    const std::string columns = common_columns(database, table.name);
    if (columns.empty()) continue;  // of a version without it
    if (TableCopy(database.handle(), table, columns).copy()) continue;
    result.whole = false;
    result.lost.push_back(fmt::format("rows of the table {} could not be read", table.name));
  }
  if (Result<void> done = transaction->commit(); !done) return done.error();
  (void)database.execute("DETACH damaged");
  remove_database(copy);
  return result;
}

}  // namespace hdrive::store
