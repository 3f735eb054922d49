// SPDX-License-Identifier: Apache-2.0
//
// SQLite's log (sweep.db-wal), of which each commit is written in one go. SQLite writes each page, and the 24 bytes
// that go before it, by a call of its own: of a commit of four pages that is a fifth of the time, disk included (133 us,
// 106 in one go; one page takes 104). What is synchronised, locked and read stays as it is. Used by the engine,
// whose commits are many and small; the functions may be called on any thread, a log belongs to that of its database.
#pragma once

#include <sqlite3.h>

namespace hdrive::store {

/// The name of the layer above the system's files (a VFS of SQLite) under which a database has to be opened for
/// `gather_commits`. Without that it only hands on. Null: there is none, and the system's files do.
const char* log_vfs();

/// From now on what a commit adds to the log is gathered, and written with the commit's last page. Nothing is kept
/// longer than a commit lasts, so a transaction that goes on must not put pages into the log: PRAGMA cache_spill has to
/// be off. Outside a transaction. False: the database has no such log, and goes on as before.
bool gather_commits(sqlite3* database);

}  // namespace hdrive::store
