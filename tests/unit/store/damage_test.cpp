// SPDX-License-Identifier: Apache-2.0
//
// Damage of every kind, everywhere in a small database: what is read is all that was written, or an error
// is told; never less in silence.
#include <unistd.h>

#include <functional>
#include <limits>

#include "base/file.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "store/database.h"
#include "tests/catch.h"
#include "tests/support/store_text.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/store/small_sweep.h"

using namespace hdrive;
using test::header;
using test::history;
using test::told;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;

class Sweep {
 public:
  explicit Sweep(const std::vector<Change>& changes = history()) {
    {
      auto store = create_sqlite_store(path(), header());
      REQUIRE(store);
      for (const Change& change : changes) REQUIRE((*store)->append(std::span(&change, 1)));
    }
    bytes_ = *base::read_file(file());
    whole_ = read().value();
  }
  const fs::path& path() const { return directory_.path(); }
  fs::path file() const { return path() / "sweep.db"; }
  const std::string& bytes() const { return bytes_; }
  std::size_t pages() const { return bytes_.size() / kPage; }

  // What a reader gets; nothing: an error.
  std::optional<std::string> read(std::string* why = nullptr) const {
    std::vector<Change> changes;
    auto done = replay_sweep(path(), "", [&](const Change& it) { changes.push_back(it); });
    auto entry = find_sweep(path(), path().string());
    if (done && entry)
      return told(changes) + entry->header.name + entry->header.config + entry->header.metric;
    if (why) *why = !done ? done.error().message() : entry.error().message();
    return std::nullopt;
  }
  // What an engine gets, which hears it once while it opens the sweep and may ask for it again.
  std::optional<std::string> open(std::string* why = nullptr) const {
    std::vector<Change> heard;
    auto store = open_sqlite_store(path(), [&](const Change& it) { heard.push_back(it); });
    if (!store) {
      if (why) *why = store.error().message();
      return std::nullopt;
    }
    std::vector<Change> changes;
    auto done = (*store)->replay("", [&](const Change& it) { changes.push_back(it); });
    if (!done) return std::nullopt;
    if (told(heard) != told(changes)) return "heard something else than was replayed";
    const SweepHeader& kept = (*store)->header();
    return told(changes) + kept.name + kept.config + kept.metric;
  }

  void put(const std::string& bytes) const {
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(file().string() + suffix);
    REQUIRE(base::write_file_atomically(file(), bytes));
  }

  // Whether both kinds of opening tell all, or say what is wrong and what to do.
  bool sound_or_told() const {
    for (const bool engine : {false, true}) {
      std::string why;
      const auto got = engine ? open(&why) : read(&why);
      if (got && *got != whole_) return false;
      if (!got && (why.find(file().string()) == std::string::npos ||
                   why.find("hdrive repair") == std::string::npos)) {
        UNSCOPED_INFO(why);
        return false;
      }
    }
    return true;
  }

 private:
  test::TemporaryDirectory directory_;
  std::string bytes_, whole_;
};

}  // namespace

TEST_CASE("A page of zeros, of ones or of another page is never taken for data") {
  const Sweep sweep;
  REQUIRE(sweep.pages() > 15);
  const std::function<void(std::string&, std::size_t)> harms[] = {
      [](std::string& bytes, std::size_t page) {
        std::fill_n(bytes.begin() + static_cast<long>(page * kPage), kPage, '\0');
      },
      [](std::string& bytes, std::size_t page) {
        std::fill_n(bytes.begin() + static_cast<long>(page * kPage), kPage, '\xff');
      },
      [](std::string& bytes, std::size_t page) {
        const std::size_t other = page == 0 ? kPage : (page - 1) * kPage;
        bytes.replace(page * kPage, kPage, bytes.substr(other, kPage));
      }};
  for (std::size_t page = 0; page < sweep.pages(); ++page)
    for (const auto& harm : harms) {
      std::string bytes = sweep.bytes();
      harm(bytes, page);
      sweep.put(bytes);
      INFO("page " << page + 1);
      CHECK(sweep.sound_or_told());
    }
}

// One run whose values fill several pages, which all belong to it.
std::vector<Change> long_run() {
  std::vector<Change> changes{RunProposed{}, RunStarted{}};
  RunMetrics metrics;
  for (int i = 0; i < 600; ++i)
    metrics.metrics.push_back({"loss", i % 7 + 0.125 * i, i, Time{} + std::chrono::seconds{i}});
  metrics.at = Time{} + std::chrono::seconds{600};
  changes.emplace_back(metrics);
  return changes;
}

TEST_CASE("Two pages that change places are told, also where one run has all that is in them") {
  const Sweep sweep(long_run());
  const auto metrics_of = [&]() -> std::optional<std::vector<double>> {
    const auto reader = SweepReader::open(sweep.path());
    if (!reader) return std::nullopt;
    std::vector<double> values;
    const auto read = (*reader)->each_metric(
        std::nullopt, [&](const StoredMetric& it) { values.push_back(it.metric.value); });
    return read ? std::optional(values) : std::nullopt;
  };
  const auto whole = metrics_of();
  REQUIRE(whole);
  REQUIRE(whole->size() == 600);
  for (std::size_t one = 1; one < sweep.pages(); ++one)
    for (std::size_t other = one + 1; other < sweep.pages(); ++other) {
      std::string bytes = sweep.bytes();
      bytes.replace(one * kPage, kPage, sweep.bytes(), other * kPage, kPage);
      bytes.replace(other * kPage, kPage, sweep.bytes(), one * kPage, kPage);
      sweep.put(bytes);
      INFO("pages " << one + 1 << " and " << other + 1);
      CHECK(sweep.sound_or_told());
      const auto metrics = metrics_of();
      CHECK((!metrics || *metrics == *whole));
    }
}

TEST_CASE("A flipped bit is told, or lies where nothing is kept") {
  const Sweep sweep;
  std::size_t detected = 0, tried = 0;
  // A stride that meets each page often, at every kind of place.
  for (std::size_t byte = 16; byte < sweep.bytes().size(); byte += 61) {
    std::string bytes = sweep.bytes();
    bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << (byte % 8)));
    sweep.put(bytes);
    INFO("byte " << byte << " of page " << byte / kPage + 1);
    CHECK(sweep.sound_or_told());
    ++tried;
    if (!sweep.read()) ++detected;
  }
  CHECK(detected > tried / 4);  // the rest is free space
}

TEST_CASE("A database cut off anywhere is told") {
  const Sweep sweep;
  for (std::size_t size = 0; size < sweep.bytes().size(); size += 1000) {
    sweep.put(sweep.bytes().substr(0, size));
    INFO(size << " bytes");
    CHECK_FALSE(sweep.read());
    CHECK_FALSE(sweep.open());
    CHECK(sweep.sound_or_told());
  }
}

TEST_CASE("What stands in the database's place is named") {
  const Sweep sweep;
  std::string why;
  const auto refused = [&](const std::string& words) {
    for (const bool engine : {false, true}) {
      CHECK_FALSE((engine ? sweep.open(&why) : sweep.read(&why)).has_value());
      CHECK_THAT(why, Catch::StartsWith(sweep.file().string() + ": ") && Catch::Contains(words) &&
                          Catch::Contains("hdrive repair"));
    }
  };
  sweep.put("");
  refused("it is empty");
  sweep.put(std::string(100, 'x') + sweep.bytes().substr(100));
  refused("does not begin as a sweep's database");
  fs::remove(sweep.file());
  fs::create_directory(sweep.file());
  refused("it is a directory");
}

TEST_CASE("A log that was removed or overwritten is missed") {
  test::TemporaryDirectory home;
  const fs::path live = home.path() / "live", dead = home.path() / "dead";
  auto engine = create_sqlite_store(live, header());
  REQUIRE(engine);
  for (const Change& change : history()) REQUIRE((*engine)->append(std::span(&change, 1)));
  fs::create_directory(dead);
  for (const char* name : {"sweep.db", "sweep.db-wal", "engine.lock"})
    fs::copy_file(live / name, dead / name);  // as an engine that was killed leaves it

  std::vector<Change> changes;
  const auto count = [&](const Change& it) { changes.push_back(it); };
  REQUIRE(replay_sweep(dead, "", count));
  const fs::path log = dead / "sweep.db-wal";
  const std::string bytes = *base::read_file(log);
  const auto told_missing = [&] {
    fs::remove(dead / "sweep.db-shm");
    for (const auto& error :
         {find_sweep(home.path(), dead.string()).error(), replay_sweep(dead, "", count).error(),
          open_sqlite_store(dead).error()})
      CHECK_THAT(error.message(), Catch::Contains("sweep.db: is damaged: ") &&
                                      Catch::Contains("missing; they were in sweep.db-wal") &&
                                      Catch::Contains("hdrive repair dead"));
  };
  SECTION("removed") {
    fs::remove(log);
    told_missing();
  }
  SECTION("cut off") {
    REQUIRE(base::write_file_atomically(log, bytes.substr(0, bytes.size() / 2)));
    told_missing();
  }
  SECTION("overwritten in its middle") {
    std::string harmed = bytes;
    harmed.replace(bytes.size() / 2, 100, std::string(100, 'x'));
    REQUIRE(base::write_file_atomically(log, harmed));
    told_missing();
  }
}
