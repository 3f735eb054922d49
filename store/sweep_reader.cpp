// SPDX-License-Identifier: Apache-2.0
//
// SweepReader on a sweep's database: each answer is of one moment and is compared with the digests of what it is made
// of; the file's own identity tells whether another database took its place.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "hdrive/reader.h"
#include "store/cursor.h"
#include "store/overview.h"
#include "store/ownership.h"
#include "store/parts.h"
#include "store/reader.h"
#include "store/recent_changes.h"
#include "store/replay.h"
#include "store/run_selection.h"
#include "store/schema.h"
#include "store/stored_metrics.h"
#include "store/stored_runs.h"
#include "store/words.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using store::Cursor;
using store::Database;
using store::Row;
using store::Seal;
using store::Transaction;

constexpr char kParameterNames[] =
    "SELECT key FROM runs, json_each(hyperparameters) GROUP BY key ORDER BY min(number), min(id)";
constexpr char kNotes[] = "SELECT level, run, text, time, id FROM notes WHERE id > ?1 ORDER BY id";
constexpr char kEdits[] = "SELECT what, time, id FROM edits WHERE id > ?1 ORDER BY id";
constexpr char kSweepChanges[] =
    "SELECT status, ended_by, reason, active_seconds, time, id FROM sweep_changes WHERE id > ?1 "
    "ORDER BY id";
constexpr char kChangedRuns[] = "SELECT number FROM runs WHERE changed > ?1 ORDER BY number";
constexpr char kDataVersion[] = "PRAGMA data_version";
constexpr char kLast[] =
    "SELECT ifnull((SELECT max(id) FROM notes), 0), ifnull((SELECT max(id) FROM edits), 0), "
    "ifnull((SELECT max(id) FROM sweep_changes), 0), ifnull((SELECT max(id) FROM metric_names), 0)";

constexpr auto kAsStored = Seal::Source::as_stored;

// Which file a database is: another one at the same place is another database.
struct Identity {
  std::uint64_t device = 0, inode = 0;
  bool operator==(const Identity&) const = default;
};

Result<Identity> identify(const fs::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return base::system_error(file, "look at", errno);
  return Identity{static_cast<std::uint64_t>(found.st_dev),
                  static_cast<std::uint64_t>(found.st_ino)};
}

class DatabaseReader final : public SweepReader {
 public:
  explicit DatabaseReader(fs::path directory) : directory_(std::move(directory)) {}

  Result<void> begin(const std::string& cursor) {
    if (Result<void> opened = reopen(); !opened) return opened;
    cursor_.inode = identity_.inode;
    if (cursor.empty()) return {};
    const auto given = Cursor::from(cursor);
    if (given && given->inode == identity_.inode)
      cursor_ = *given;
    else
      replaced_ = true;
    return {};
  }

  Result<Increment> refresh() override;
  std::string cursor() const override { return cursor_.text(); }
  Result<void> skip() override;
  std::optional<std::int64_t> engine() const override {
    const auto owner = store::owner_of(directory_);
    return owner ? std::optional(owner->pid) : std::nullopt;
  }
  Result<SweepEntry> entry() override {
    auto entry = now([&] { return store::read_entry(*parts_); });
    if (!entry) return entry;
    entry->directory = directory_;
    entry->engine = engine();
    return entry;
  }
  Result<SweepHeader> header() override {
    return now([&] { return parts_->header(); });
  }
  Result<RunPage> runs(const RunQuery& query) override;
  Result<void> each_run(const RunQuery& query,
                        const std::function<void(const StoredRun&)>& tell) override {
    return now([&] { return tell_runs(query, tell, nullptr); });
  }
  Result<StoredRun> run(RunId run) override {
    return now([&] { return runs_->run(run); });
  }
  Result<std::optional<RunJudged>> judged(RunId run) override {
    return now([&] { return runs_->judged(run); });
  }
  Result<std::vector<Series>> series(const SeriesQuery& query) override;
  Result<void> each_metric(std::optional<RunId> run,
                           const std::function<void(const StoredMetric&)>& tell) override {
    return now([&] { return metrics_->each(run, tell); });
  }
  Result<SweepTotals> totals(std::optional<Time> until) override {
    return now([&] { return store::read_totals(*parts_, until); });
  }
  Result<std::vector<MetricTotals>> metric_totals() override {
    return now([&] { return store::read_metric_totals(*parts_); });
  }
  Result<std::vector<Improvement>> improvements() override {
    return now([&] { return store::read_improvements(*parts_); });
  }
  Result<std::vector<RunOutline>> outlines() override {
    return now([&] { return store::read_outlines(*parts_); });
  }
  Result<std::vector<std::string>> metric_names() override;
  Result<std::vector<std::string>> parameter_names() override;
  Result<std::vector<Noted>> notes() override;
  Result<std::vector<SweepEdited>> edits() override;
  Result<void> check(RunId run) override {
    return now([&]() -> Result<void> {
      const Result<StoredRun> stored = runs_->run(run);
      return stored ? metrics_->check(*stored) : stored.error();
    });
  }

 private:
  fs::path file() const { return store::database_file(directory_); }

  Result<void> reopen() {
    const std::int64_t noted = store::noted_steps(directory_);
    const auto identity = identify(file());
    auto database = store::open_reader(directory_);
    if (!database) return database.error();
    if (!identity) return identity.error();
    const auto header = store::read_header(**database);
    if (!header) return header.error();
    if (Result<void> sound = store::check_steps(**database, noted, *header); !sound) return sound;
    metrics_.reset();
    runs_.reset();
    parts_.reset();
    database_ = std::move(*database);
    parts_.emplace(*database_);
    runs_.emplace(*database_, *parts_);
    metrics_.emplace(*database_, *parts_);
    identity_ = *identity;
    data_version_.reset();
    // Of an older version: a copy in memory, which nobody else changes.
    const char* name = sqlite3_db_filename(database_->handle(), "main");
    copied_ = name == nullptr || *name == '\0';
    return {};
  }

  // Whether another file is at the place of the one that is open.
  Result<bool> was_replaced() const {
    const auto now = identify(file());
    if (!now) return now.error();
    return !(*now == identity_);
  }

  // What `read` gives, all of it as it was at one moment.
  template <class Read>
  auto now(Read&& read) -> decltype(read()) {
    Result<Transaction> moment = Transaction::begin(*database_, Transaction::Kind::read);
    if (!moment) return moment.error();
    if (Result<void> sound = parts_->look(); !sound) return sound.error();
    return read();
  }

  Result<Increment> news(std::int64_t data_version);
  Result<void> tell_runs(const RunQuery& query, const std::function<void(const StoredRun&)>& tell,
                         std::int64_t* matching);
  Result<void> read_notes(Cursor::Table& told, std::vector<Noted>& notes);
  Result<void> read_edits(Cursor::Table& told, std::vector<SweepEdited>& edits);
  Result<void> read_changes(Cursor::Table& told, std::vector<SweepChanged>& changes);
  Result<void> read_changed_runs(std::vector<RunId>& runs);
  Result<void> expect(const char* what, std::uint64_t digest, std::uint64_t sealed) const {
    if (digest == sealed) return {};
    return store::damaged(database_->path(),
                          fmt::format("the {} of the sweep are not what was written", what));
  }

  fs::path directory_;
  std::unique_ptr<Database> database_;
  std::optional<store::Parts> parts_;
  std::optional<store::StoredRuns> runs_;
  std::optional<store::StoredMetrics> metrics_;
  Identity identity_;
  Cursor cursor_;
  bool replaced_ = false;  // to be told
  bool copied_ = false;
  std::optional<std::int64_t> data_version_;
};

// ---- what changed -------------------------------------------------------------------------------

Result<Increment> DatabaseReader::refresh() {
  const auto gone = was_replaced();
  if (!gone) return gone.error();
  if (*gone || copied_) {
    if (Result<void> opened = reopen(); !opened) return opened.error();
    if (*gone) {
      cursor_ = Cursor{identity_.inode};
      replaced_ = true;
    }
  }
  std::int64_t version = 0;
  Result<void> done =
      database_->each(kDataVersion, [&](const Row& row) { version = row.integer(0); });
  if (!done) return done.error();
  if (data_version_ == version) return Increment{};
  return now([&] { return news(version); });
}

Result<Increment> DatabaseReader::news(std::int64_t data_version) {
  if (parts_->steps() < cursor_.steps) {
    cursor_ = Cursor{identity_.inode};
    replaced_ = true;
  }
  Increment news;
  Cursor told = cursor_;
  Result<void> read = read_changed_runs(news.runs);
  if (read) read = read_changes(told.changes, news.status);
  if (read) read = read_edits(told.edits, news.edits);
  if (read) read = read_notes(told.notes, news.notes);
  if (!read) return read.error();
  const auto names = parts_->names();
  if (!names) return names.error();
  for (const store::MetricName& name : **names) {
    if (name.number <= cursor_.names) continue;
    news.metric_names.push_back(name.text);
    told.names = name.number;
  }
  told.steps = parts_->steps();
  cursor_ = told;
  data_version_ = data_version;
  news.replaced = std::exchange(replaced_, false);
  return news;
}

// A look at all runs is needed only by one that has not looked for long.
Result<void> DatabaseReader::read_changed_runs(std::vector<RunId>& runs) {
  const auto recent = store::RecentChanges::from(parts_->recent());
  if (auto told = recent ? recent->since(cursor_.steps) : std::nullopt) {
    runs = *std::move(told);
    return {};
  }
  Result<void> read = database_->each(
      kChangedRuns, [&](const Row& row) { runs.push_back(row.integer(0)); }, cursor_.steps);
  const bool all = cursor_.steps < 0;
  if (!read || !all || static_cast<std::int64_t>(runs.size()) == parts_->digests().runs)
    return read;
  return store::damaged(database_->path(), "not all of its runs can be found");
}

Result<void> DatabaseReader::read_changes(Cursor::Table& told, std::vector<SweepChanged>& changes) {
  Result<void> read = database_->each(
      kSweepChanges,
      [&](const Row& row) {
        const SweepChanged& change = changes.emplace_back(
            SweepChanged{sweep_status_from(row.bytes(0)).value_or(SweepStatus::running),
                         sweep_end_from(row.bytes(1)).value_or(SweepEnd::none), row.text(2),
                         row.duration(3), row.time(4)});
        told = {row.integer(5), told.digest + Seal::of(change, kAsStored)};
      },
      told.last);
  return read ? expect("changes", told.digest, parts_->digests().changes) : read;
}

// Of the configurations only the one that holds now is read.
Result<void> DatabaseReader::read_edits(Cursor::Table& told, std::vector<SweepEdited>& edits) {
  Result<void> read = database_->each(
      kEdits,
      [&](const Row& row) {
        const SweepEdited& edit = edits.emplace_back(SweepEdited{"", row.text(0), row.time(1)});
        told = {row.integer(2), told.digest + Seal::of_edit(edit.what, edit.at, kAsStored)};
      },
      told.last);
  if (read) read = expect("updates", told.digest, parts_->digests().edits);
  if (!read || edits.empty()) return read;
  Result<SweepHeader> header = parts_->header();
  if (!header) return header.error();
  edits.back().config = std::move(header->config);
  return {};
}

Result<void> DatabaseReader::read_notes(Cursor::Table& told, std::vector<Noted>& notes) {
  Result<void> read = database_->each(
      kNotes,
      [&](const Row& row) {
        const Noted& note = notes.emplace_back(
            Noted{store::meaning(store::kLevels, row.bytes(0)).value_or(Noted::Level::info),
                  row.maybe_integer(1), row.text(2), row.time(3)});
        told = {row.integer(4), told.digest + Seal::of(note, kAsStored)};
      },
      told.last);
  return read ? expect("notes", told.digest, parts_->digests().notes) : read;
}

Result<void> DatabaseReader::skip() {
  return now([&] {
    replaced_ = false;
    const store::PartDigests& digests = parts_->digests();
    return database_->each(kLast, [&](const Row& row) {
      cursor_ = {identity_.inode,
                 parts_->steps(),
                 {row.integer(0), digests.notes},
                 {row.integer(1), digests.edits},
                 {row.integer(2), digests.changes},
                 row.integer(3)};
    });
  });
}

// ---- runs ---------------------------------------------------------------------------------------

Result<void> DatabaseReader::tell_runs(const RunQuery& query,
                                       const std::function<void(const StoredRun&)>& tell,
                                       std::int64_t* matching) {
  const auto found = store::select_runs(*parts_, *runs_, query);
  if (!found) return found.error();
  const auto count = static_cast<std::int64_t>(found->size());
  if (matching) *matching = count;
  const std::int64_t begin = std::clamp<std::int64_t>(query.offset, 0, count);
  const std::int64_t most = std::max<std::int64_t>(0, query.limit.value_or(count));
  const std::int64_t end = begin + std::min(most, count - begin);
  for (std::int64_t i = begin; i < end; ++i) {
    const Result<StoredRun> one = runs_->run((*found)[static_cast<std::size_t>(i)]);
    if (!one) return one.error();
    tell(*one);
  }
  return {};
}

Result<RunPage> DatabaseReader::runs(const RunQuery& query) {
  RunPage page;
  Result<void> read = now([&] {
    return tell_runs(
        query, [&](const StoredRun& run) { page.runs.push_back(run); }, &page.matching);
  });
  if (!read) return read.error();
  return page;
}

Result<std::vector<Series>> DatabaseReader::series(const SeriesQuery& query) {
  return now([&]() -> Result<std::vector<Series>> {
    std::string metric = query.metric;
    if (metric.empty()) {
      const auto described = parts_->header();
      if (!described) return described.error();
      metric = described->metric;
    }
    std::vector<Series> result;
    for (const RunId number : query.runs) {
      const Result<StoredRun> run = runs_->run(number);
      if (!run) return run.error();
      Result<Series> series = metrics_->series(*run, metric, query.from);
      if (!series) return series.error();
      series->points = thin_out(std::move(series->points), query.max_points);
      result.push_back(*std::move(series));
    }
    return result;
  });
}

// ---- names and texts ----------------------------------------------------------------------------

Result<std::vector<std::string>> DatabaseReader::metric_names() {
  return now([&]() -> Result<std::vector<std::string>> {
    const auto known = parts_->names();
    if (!known) return known.error();
    std::vector<std::string> names;
    for (const store::MetricName& name : **known) names.push_back(name.text);
    return names;
  });
}

Result<std::vector<std::string>> DatabaseReader::parameter_names() {
  std::vector<std::string> names;
  Result<void> read =
      database_->each(kParameterNames, [&](const Row& row) { names.push_back(row.text(0)); });
  if (!read) return read.error();
  return names;
}

Result<std::vector<Noted>> DatabaseReader::notes() {
  std::vector<Noted> notes;
  Result<void> read = now([&] {
    Cursor::Table none;
    return read_notes(none, notes);
  });
  if (!read) return read.error();
  return notes;
}

Result<std::vector<SweepEdited>> DatabaseReader::edits() {
  std::vector<SweepEdited> edits;
  Result<void> read = now([&] {
    Cursor::Table none;
    return read_edits(none, edits);
  });
  if (!read) return read.error();
  return edits;
}

}  // namespace

const MetricFigures* StoredRun::metric(std::string_view name) const {
  const auto found = std::find_if(metrics.begin(), metrics.end(),
                                  [&](const MetricFigures& it) { return it.name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

std::int64_t SweepTotals::runs() const {
  std::int64_t sum = 0;
  for (const std::int64_t count : by_status) sum += count;
  return sum;
}

Result<std::unique_ptr<SweepReader>> SweepReader::open(const fs::path& directory,
                                                       const std::string& cursor) {
  auto reader = std::make_unique<DatabaseReader>(directory);
  if (Result<void> begun = reader->begin(cursor); !begun) return begun.error();
  return std::unique_ptr<SweepReader>(std::move(reader));
}

}  // namespace hdrive
