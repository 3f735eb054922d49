// SPDX-License-Identifier: Apache-2.0
//
// No room at every moment: what is refused leaves no trace, and is taken when there is room again.
#include <string>

#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "tests/catch.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/store_text.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using test::told;

namespace {

Time at(std::int64_t seconds) { return Time(std::chrono::seconds(1'769'860'800 + seconds)); }

SweepHeader header() { return {"HD_1", "", "", "config", "acc", Goal::maximize, "0.1.0", at(0)}; }

// Steps of every kind, some of many pages.
std::vector<std::vector<Change>> steps() {
  std::vector<std::vector<Change>> result;
  for (RunId run = 0; run < 8; ++run) {
    const Assignment drawn{{"x", std::string(static_cast<std::size_t>(run) * 3000, 'x')}};
    result.push_back({RunProposed{run, drawn, "drawn", at(run)}});
    result.push_back({RunStarted{run, 1, 1, at(run)}});
    RunMetrics metrics{run, 1, {}, "10 0", at(run)};
    for (int i = 0; i < 200; ++i) metrics.metrics.push_back({"acc", 0.1 * i, i, {}});
    result.push_back({metrics, RunJudged{run, 1, Verdict{}, "fine", at(run)}});
    result.push_back(
        {RunRequeued{run, 2, "lost", at(run), EndCause::lost}, RunStarted{run, 2, 2, at(run)}});
    result.push_back(
        {RunCanceling{run, 2, EndCause::policy, "bad", at(run)},
         RunEnded{run, 2, RunStatus::canceled, EndCause::policy, {}, 15, "bad", "", at(run)}});
  }
  result.push_back({SweepEdited{std::string(9000, 'e'), "more", at(9)}, Noted{}});
  return result;
}

std::string contents(Store& store) {
  std::vector<Change> changes;
  REQUIRE(store.replay("", [&](const Change& it) { changes.push_back(it); }));
  return told(changes);
}

}  // namespace

TEST_CASE("Each step that finds no room leaves no trace and is taken when there is room") {
  const auto all = steps();
  std::vector<Change> flat;
  for (const auto& step : all) flat.insert(flat.end(), step.begin(), step.end());
  int refused = 0;
  for (const rlim_t room : {50'000, 80'000, 120'000, 200'000, 300'000, 450'000}) {
    INFO(room << " bytes");
    test::TemporaryDirectory directory;
    {
      auto store = create_sqlite_store(directory.path(), header());
      REQUIRE(store);
      for (const auto& step : all) {
        const std::string before = contents(**store);
        Result<void> kept;
        {
          const test::FileSizeLimit limit(room);
          kept = (*store)->append(step);
        }
        if (kept) continue;
        ++refused;
        CHECK_THAT(kept.error().message(),
                   Catch::Contains("sweep.db: ") && Catch::Contains("disk"));
        REQUIRE(contents(**store) == before);
        REQUIRE((*store)->append(step));
      }
      CHECK(contents(**store) == told(flat));
    }
    // What is on the disk agrees with its seal, for readers and engines.
    std::vector<Change> changes;
    auto read =
        replay_sweep(directory.path(), "", [&](const Change& it) { changes.push_back(it); });
    INFO((read ? "" : read.error().message()));
    REQUIRE(read);
    CHECK(told(changes) == told(flat));
    CHECK(open_sqlite_store(directory.path()));
  }
  CHECK(refused > 50);
}
