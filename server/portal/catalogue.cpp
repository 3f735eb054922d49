// SPDX-License-Identifier: Apache-2.0
#include "server/portal/catalogue.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "server/portal/sweep_json.h"

namespace hdrive::server::portal {
namespace {

namespace fs = std::filesystem;

// Several pages that look at once make one look of it.
constexpr std::chrono::milliseconds kFresh{100};
// One that an engine runs is told again this often, though it be only that time passes; and where an engine died, which
// no file tells, it is seen.
constexpr std::chrono::seconds kLiveAge{1};
// Reading a large sweep takes a while; it is read so rarely that this is a twentieth of the time at most.
constexpr int kRest = 20;

// Names, sizes and times of the files in a sweep's directory. Empty: there is no such directory.
std::string files_of(const fs::path& directory) {
  std::vector<std::string> entries;
  std::error_code error;
  for (fs::directory_iterator each(directory, error), end; !error && each != end;
       each.increment(error)) {
    struct stat facts {};
    if (::lstat(each->path().c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    entries.push_back(each->path().filename().string() + " " + std::to_string(facts.st_ino) + " " +
                      std::to_string(facts.st_size) + " " + std::to_string(facts.st_mtim.tv_sec) +
                      "." + std::to_string(facts.st_mtim.tv_nsec));
  }
  std::sort(entries.begin(), entries.end());
  std::string all;
  for (const std::string& entry : entries) all += entry + "\n";
  return all;
}

}  // namespace

Catalogue::Catalogue(fs::path home, std::shared_ptr<Clock> clock)
    : home_(std::move(home)), clock_(std::move(clock)) {}

void Catalogue::read(const fs::path& directory, Known& known, Time now) {
  Json json;
  known.problem.clear();
  known.live = false;
  if (const auto entry = find_sweep(home_, directory.filename().string()); !entry) {
    known.problem = entry.error().message();
  } else if (auto reader = SweepReader::open(directory); !reader) {
    known.problem = reader.error().message();
  } else if (auto told = sweep_json(*entry, **reader, now); !told) {
    known.problem = told.error().message();
  } else {
    json = *std::move(told);
    known.live = entry->engine.has_value();
    known.created = entry->header.created;
    known.id = entry->header.id;
  }
  known.looked = clock_->now();
  known.rest = kRest * (known.looked - now);
  if (!json.is_null()) {
    json["size_bytes"] = known.json.is_null() ? Json(nullptr) : known.json["size_bytes"];
    json["size_is_complete"] = known.json.is_null() ? Json(true) : known.json["size_is_complete"];
  }
  if (json == known.json && known.change != 0) return;
  known.json = std::move(json);
  known.change = ++change_;
}

// What was measured since, in the background.
void Catalogue::add_size(const fs::path& directory, Known& known) {
  if (known.json.is_null()) return;
  const auto use = sizes_.get(directory, known.files, known.live);
  if (!use || known.json["size_bytes"] == use->bytes) return;
  known.json["size_bytes"] = use->bytes;
  known.json["size_is_complete"] = use->complete;
  known.change = ++change_;
}

void Catalogue::look(Duration fresh) {
  const Time now = clock_->now();
  if (looked_ != Time{} && now - looked_ < fresh) return;
  looked_ = now;
  std::set<fs::path> there;
  std::error_code error;
  for (fs::directory_iterator each(home_, error), end; !error && each != end;
       each.increment(error)) {
    const fs::path directory = each->path();
    std::string files = files_of(directory);
    if (files.find("sweep.db ") == files.npos && files.find("sweep.json ") == files.npos) continue;
    there.insert(directory);
    Known& known = known_[directory];
    const Duration age = now - known.looked;
    if (age >= known.rest && (known.files != files || (known.live && age >= kLiveAge))) {
      known.files = std::move(files);
      read(directory, known, now);
    }
    add_size(directory, known);
  }
  for (auto each = known_.begin(); each != known_.end();) {
    if (there.count(each->first)) {
      ++each;
      continue;
    }
    sizes_.forget(each->first);
    if (!each->second.id.empty()) gone_[each->second.id] = ++change_;
    each = known_.erase(each);
  }
}

Json Catalogue::list() {
  const std::lock_guard lock(mutex_);
  // Whoever asks may just have done something.
  look(Duration{});
  std::vector<const Known*> sweeps;
  Json json = {{"sweeps", Json::array()}, {"problems", Json::array()}};
  for (const auto& [directory, known] : known_)
    if (known.json.is_null())
      json["problems"].push_back(
          {{"directory", text(directory.string())}, {"message", text(known.problem)}});
    else
      sweeps.push_back(&known);
  std::stable_sort(sweeps.begin(), sweeps.end(),
                   [](const Known* a, const Known* b) { return a->created > b->created; });
  for (const Known* known : sweeps) json["sweeps"].push_back(known->json);
  return json;
}

Catalogue::News Catalogue::news(std::uint64_t& seen) {
  const std::lock_guard lock(mutex_);
  look(kFresh);
  News news;
  for (const auto& [directory, known] : known_)
    if (known.change > seen && !known.json.is_null()) news.sweeps.push_back(known.json);
  for (const auto& [id, change] : gone_)
    if (change > seen) news.gone.push_back(id);
  seen = change_;
  return news;
}

}  // namespace hdrive::server::portal
