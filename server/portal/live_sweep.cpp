// SPDX-License-Identifier: Apache-2.0
#include "server/portal/live_sweep.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "server/portal/sweep_json.h"

namespace hdrive::server::portal {
namespace {

constexpr std::size_t kMostRecent = 100;
constexpr std::size_t kMostNamed = 1'000;

}  // namespace

LiveSweep::LiveSweep(std::filesystem::path directory, std::string epoch)
    : directory_(std::move(directory)), epoch_(std::move(epoch)) {}

Result<void> LiveSweep::open() {
  if (reader_) return {};
  auto opened = SweepReader::open(directory_);
  if (!opened) return opened.error();
  reader_ = *std::move(opened);
  if (auto skipped = reader_->skip(); !skipped) {
    reader_.reset();
    return skipped.error();
  }
  engine_ = reader_->engine();
  // Whatever was told before may have become another.
  ++change_;
  recent_.clear();
  forgotten_ = replaced_at_ = change_;
  table_.reset();
  return {};
}

// What came since the last look, into the table and the list of recent changes.
Result<void> LiveSweep::look() {
  // A database that is open is read on after it was deleted.
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory_, ignored)) {
    reader_.reset();
    return Error{directory_.string(), "there is no sweep here any more", Error::Kind::not_found};
  }
  if (auto opened = open(); !opened) return opened;
  const auto engine = reader_->engine();  // before the database, which knows more
  auto news = reader_->refresh();
  if (!news) {
    reader_.reset();
    return news.error();
  }
  const bool engine_changed = engine != engine_;
  engine_ = engine;
  if (news->empty() && !engine_changed) return {};
  ++change_;
  if (news->replaced) {
    recent_.clear();
    forgotten_ = replaced_at_ = change_;
    table_.reset();
    return {};
  }
  if (table_)
    for (const RunId run : news->runs) {
      const auto stored = reader_->run(run);
      if (!stored) {
        reader_.reset();
        return stored.error();
      }
      table_->take(*stored, change_);
    }
  recent_.push_back({change_, *std::move(news), engine_changed});
  if (recent_.size() > kMostRecent) {
    forgotten_ = recent_.front().number;
    recent_.erase(recent_.begin());
  }
  return {};
}

Result<void> LiveSweep::read_all() {
  const auto header = reader_->header();
  if (!header) return header.error();
  RunTable table(header->metric, header->goal);
  const auto done = reader_->each_run({}, [&](const StoredRun& run) { table.take(run, change_); });
  if (!done) {
    reader_.reset();
    return done;
  }
  table_ = std::move(table);
  return {};
}

std::string LiveSweep::version() const { return epoch_ + "." + std::to_string(change_); }

Result<std::string> LiveSweep::columns(const std::string& given) {
  const std::lock_guard lock(mutex_);
  if (auto looked = look(); !looked) return looked.error();
  if (!table_)
    if (auto read = read_all(); !read) return read.error();
  std::uint64_t since = 0;
  if (given.starts_with(epoch_ + ".")) {
    const char* const end = given.data() + given.size();
    const auto parsed = std::from_chars(given.data() + epoch_.size() + 1, end, since);
    if (parsed.ptr != end || since < replaced_at_ || since > change_) since = 0;
  }
  return table_->encode(since, {{"version", version()}, {"replaced", since == 0}});
}

Result<Json> LiveSweep::summary(Time now) {
  const std::lock_guard lock(mutex_);
  if (auto opened = open(); !opened) return opened.error();
  const auto entry = reader_->entry();
  auto json = entry ? sweep_json(*entry, *reader_, now) : Result<Json>(entry.error());
  if (!json) reader_.reset();
  return json;
}

Result<LiveSweep::News> LiveSweep::news(std::uint64_t& seen) {
  News news;
  // Who reads a hundred thousand runs is not waited for.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return news;
  if (auto looked = look(); !looked) return looked.error();
  news.version = version();
  if (seen == change_) return news;
  news.anything = true;
  news.all = seen < forgotten_;
  news.status = news.all;
  for (const Change& change : recent_) {
    if (change.number <= seen) continue;
    news.runs.insert(news.runs.end(), change.what.runs.begin(), change.what.runs.end());
    news.notes.insert(news.notes.end(), change.what.notes.begin(), change.what.notes.end());
    news.status =
        news.status || change.engine || !change.what.status.empty() || !change.what.edits.empty();
  }
  std::sort(news.runs.begin(), news.runs.end());
  news.runs.erase(std::unique(news.runs.begin(), news.runs.end()), news.runs.end());
  if (news.runs.size() > kMostNamed) news.all = true;
  if (news.all) news.runs.clear();
  seen = change_;
  return news;
}

}  // namespace hdrive::server::portal
