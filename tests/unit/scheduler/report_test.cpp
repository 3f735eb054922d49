// SPDX-License-Identifier: Apache-2.0
#include "hdrive/report.h"

#include <cmath>
#include <limits>

#include "hdrive/state.h"
#include "hdrive/store.h"
#include "tests/catch.h"

using namespace hdrive;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Time at(int seconds) { return Time(std::chrono::seconds(1'769'860'800 + seconds)); }

std::vector<RunId> numbers(const std::vector<RunReport>& runs) {
  std::vector<RunId> result;
  for (const RunReport& run : runs) result.push_back(run.number);
  return result;
}

std::vector<RunReport> with_values(const std::vector<std::optional<double>>& values) {
  std::vector<RunReport> runs(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    runs[i].number = static_cast<RunId>(i);
    runs[i].best_primary_metric = values[i];
  }
  return runs;
}

}  // namespace

TEST_CASE("A moment is written as ISO 8601 in UTC") {
  CHECK(iso_time(at(0)) == "2026-01-31T12:00:00Z");
  CHECK(iso_time(at(0) + Duration(1500)) == "2026-01-31T12:00:00.001500Z");
  CHECK(iso_time(Time(Duration(-1))) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("A run is reported with its whole series and how it ended") {
  SweepState state("acc", Goal::maximize);
  const std::vector<Change> changes{
      RunProposed{0, {{"lr", 0.5}}, "drawn", at(0)}, RunStarted{0, 1, 7, at(1)},
      RunMetrics{
          0, 1, {{"acc", 0.5, {}, {}}, {"acc", 0.75, {}, {}}, {"acc", kNan, {}, {}}}, {}, at(2)},
      RunEnded{0, 1, RunStatus::failed, EndCause::exited, 3, {}, "exit \"3\"", "", at(9)},
      RunProposed{1, {}, "", at(3)}};
  for (const Change& change : changes) state.apply(change);
  const auto reports = report_runs(state, "HD_x");
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].best_primary_metric == 0.75);
  CHECK(reports[0].reports == 3);
  CHECK(
      to_json(reports[0]) ==
      R"({"run_id":"HD_x_0","hyperparameters":{"lr":0.5},"best_primary_metric":0.75,)"
      R"("status":"Failed","number":0,"attempt":1,"ended_by":"exited","last_primary_metric":"NaN",)"
      R"("reports":3,"exit_code":3,"signal":null,"proposal":"drawn","reason":"exit \"3\"",)"
      R"("created":"2026-01-31T12:00:00Z","started":"2026-01-31T12:00:01Z",)"
      R"("ended":"2026-01-31T12:00:09Z"})");
  CHECK(to_json(reports[1]) ==
        R"({"run_id":"HD_x_1","hyperparameters":{},"best_primary_metric":null,"status":"Queued",)"
        R"("number":1,"attempt":1,"ended_by":"none","last_primary_metric":null,"reports":0,)"
        R"("exit_code":null,"signal":null,"proposal":"","reason":"",)"
        R"("created":"2026-01-31T12:00:03Z","started":null,"ended":null})");
}

TEST_CASE("Runs are sorted best first, those without a value last in either direction") {
  const std::vector<std::optional<double>> values{0.5, {}, 0.75, 0.5, kNan, 0.25};
  auto runs = with_values(values);
  sort_by_primary_metric(runs, Goal::maximize);
  CHECK(numbers(runs) == std::vector<RunId>{2, 0, 3, 5, 1, 4});
  sort_by_primary_metric(runs, Goal::maximize, true);
  CHECK(numbers(runs) == std::vector<RunId>{5, 0, 3, 2, 1, 4});
  sort_by_primary_metric(runs, Goal::minimize);
  CHECK(numbers(runs) == std::vector<RunId>{5, 0, 3, 2, 1, 4});
  sort_by_primary_metric(runs, Goal::minimize, true);
  CHECK(numbers(runs) == std::vector<RunId>{2, 0, 3, 5, 1, 4});
}

TEST_CASE("The words for a sweep's status and end read back") {
  for (const auto status : {SweepStatus::running, SweepStatus::completed, SweepStatus::failed,
                            SweepStatus::canceled, SweepStatus::paused})
    CHECK(sweep_status_from(to_string(status)) == status);
  CHECK(to_string(SweepStatus::canceled) == "Canceled");
  CHECK_FALSE(sweep_status_from("canceled"));
  for (const auto end :
       {SweepEnd::none, SweepEnd::all_runs, SweepEnd::exhausted, SweepEnd::duration, SweepEnd::user,
        SweepEnd::interrupt, SweepEnd::hopeless, SweepEnd::error})
    CHECK(sweep_end_from(to_string(end)) == end);
  CHECK(to_string(SweepEnd::all_runs) == "all_runs");
  CHECK_FALSE(sweep_end_from("over"));
  CHECK(run_directory("a/b", 12) == "a/b/runs/12");
}
