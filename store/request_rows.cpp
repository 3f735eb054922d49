// SPDX-License-Identifier: Apache-2.0
#include "store/request_rows.h"

#include <string_view>

#include "store/words.h"

namespace hdrive::store {
namespace {

constexpr char kDataVersion[] = "PRAGMA data_version";
constexpr char kLatestRequest[] = "SELECT ifnull(max(id), 0) FROM requests";
constexpr char kOpenRequests[] =
    "SELECT id, kind, run, payload FROM requests WHERE taken IS NULL AND id > ?1 ORDER BY id";
constexpr char kTakeRequests[] =
    "UPDATE requests SET taken = (julianday('now') - 2440587.5) * 86400.0 "
    "WHERE taken IS NULL AND id <= ?1";
// Also those that the engine before took, and did not live to answer.
constexpr char kAnswerForTheDead[] =
    "UPDATE requests SET taken = ifnull(taken, (julianday('now') - 2440587.5) * 86400.0), "
    "answered = (julianday('now') - 2440587.5) * 86400.0, accepted = 0, "
    "answer = 'the engine that was asked died before it carried this out; ask again' "
    "WHERE answered IS NULL AND (id <= ?1 OR taken IS NOT NULL)";
constexpr char kRefuseUnknown[] =
    "UPDATE requests SET answered = (julianday('now') - 2440587.5) * 86400.0, accepted = 0, "
    "answer = 'not known to this engine (hdrive ' || ?2 || '): ' || kind WHERE id = ?1";

}  // namespace

Result<std::int64_t> latest_request(Database& database) {
  std::int64_t latest = 0;
  Result<void> read =
      database.each(kLatestRequest, [&](const Row& row) { latest = row.integer(0); });
  if (!read) return read.error();
  return latest;
}

Result<void> RequestRows::answer_for_the_dead(std::int64_t latest) {
  return database_.run(kAnswerForTheDead, latest);
}

// The data version changes only when another connection has written.
Result<std::vector<Request>> RequestRows::take() {
  std::vector<Request> requests;
  std::int64_t version = 0;
  Result<void> done =
      database_.each(kDataVersion, [&](const Row& row) { version = row.integer(0); });
  if (!done) return done.error();
  if (version == data_version_) {
    refuse_unknown();
    return requests;
  }
  const auto take = [&](const Row& row) {
    taken_ = row.integer(0);
    if (const auto kind = meaning(kRequests, row.bytes(1)))
      requests.push_back({row.integer(0), *kind, row.maybe_integer(2), row.text(3)});
    else
      unknown_.push_back(row.integer(0));
  };
  const std::int64_t before = taken_;
  done = database_.each(kOpenRequests, take, before);
  if (!done) return done.error();
  data_version_ = version;
  // On a full disk this fails, and the request is heard nevertheless.
  if (taken_ > before) (void)database_.run(kTakeRequests, taken_);
  refuse_unknown();
  return requests;
}

// What a later hdrive asks and this one has no word for. Where it cannot be written now, at the next call.
void RequestRows::refuse_unknown() {
  while (!unknown_.empty() &&
         database_.run(kRefuseUnknown, unknown_.back(), std::string_view(HDRIVE_VERSION)))
    unknown_.pop_back();
}

}  // namespace hdrive::store
