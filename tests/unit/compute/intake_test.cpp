// SPDX-License-Identifier: Apache-2.0
//
// Metrics on their way from a run's files to the engine.
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

using Catch::Matchers::Contains;

LocalTargetOptions patterns(std::vector<std::string> expressions) {
  LocalTargetOptions options;
  options.metric_patterns = std::move(expressions);
  options.primary_metric = "accuracy";
  return options;
}

TEST_CASE("a metric is told while its run lives, with inotify and without") {
  const bool use_inotify = GENERATE(true, false);
  LocalRuns runs({}, use_inotify);
  runs.start(runs.script(0, "log a 1; while [ ! -e go ]; do sleep 0.01; done; log a 2"));
  runs.until_logged(0, "a");
  CHECK(runs.exits.empty());
  write(runs.directory() / "go", "");
  CHECK(runs.end_of(0).exit_code == 0);
  CHECK(runs.values(0).at("a") == 2);
}

TEST_CASE("a last line without its newline counts when the run has ended") {
  LocalRuns runs;
  runs.run(runs.script(0, "printf '{\"name\": \"a\", \"value\": 4}' >> $HDRIVE_METRICS_FILE"));
  CHECK(runs.values(0).at("a") == 4);
  CHECK(position_from(runs.reports.back().cursor)->metrics ==
        std::filesystem::file_size(runs.run_directory(0) / "metrics.jsonl"));
}

TEST_CASE("the first wrong lines are noted with their place, the others are counted") {
  LocalRuns runs;
  runs.run(runs.script(0,
                       "log a 1; i=0; while [ $i -lt 15 ]; do echo nonsense; i=$((i+1)); done >> "
                       "$HDRIVE_METRICS_FILE; log b 2"));
  CHECK(runs.values(0) == std::map<std::string, double>{{"a", 1}, {"b", 2}});
  REQUIRE(runs.notes.size() == 11);
  CHECK_THAT(runs.notes[0], Contains("metrics.jsonl:2: ") && Contains("\"nonsense\""));
  CHECK_THAT(runs.notes[9], Contains("metrics.jsonl:11: "));
  CHECK_THAT(runs.notes[10], Contains("5 more lines"));
}

TEST_CASE("a file that a program empties is read from its beginning, and told") {
  LocalRuns runs;
  runs.start(runs.script(0,
                         "log a 1; log a 1; while [ ! -e go ]; do sleep 0.01; done\n"
                         "echo '{\"name\":\"b\",\"value\":2}' > $HDRIVE_METRICS_FILE"));
  runs.until_logged(0, "a");
  REQUIRE(
      runs.wait_until([&] { return position_from(runs.reports.back().cursor)->metrics == 52; }));
  write(runs.directory() / "go", "");
  runs.end_of(0);
  CHECK(runs.values(0).at("b") == 2);
  REQUIRE(runs.notes.size() == 1);
  CHECK_THAT(runs.notes[0], Contains("cut short"));
}

TEST_CASE("a file that is emptied again and again is told once, and counted") {
  LocalRuns runs;
  runs.start(runs.script(0,
                         "for i in 1 2 3; do\n"
                         "echo '{\"name\":\"n'$i'\",\"value\":1}' > $HDRIVE_METRICS_FILE\n"
                         "while [ ! -e go$i ]; do sleep 0.01; done; done"));
  for (const std::string i : {"1", "2", "3"}) {
    runs.until_logged(0, "n" + i);
    write(runs.directory() / ("go" + i), "");
  }
  runs.end_of(0);
  REQUIRE(runs.notes.size() == 2);
  CHECK_THAT(runs.notes[0], Contains("overwritten by the program"));
  CHECK_THAT(runs.notes[1], Contains("2 times in all"));
}

TEST_CASE("a file that a program puts in the place of the first is read when the run has ended") {
  LocalRuns runs;
  runs.start(
      runs.script(0,
                  "log a 1; while [ ! -e go ]; do sleep 0.01; done\n"
                  "printf '{\"name\":\"b\",\"value\":2}\\n{\"name\":\"b\",\"value\":3}' > new\n"
                  "mv new $HDRIVE_METRICS_FILE"));
  runs.until_logged(0, "a");
  write(runs.directory() / "go", "");
  CHECK(runs.end_of(0).exit_code == 0);
  CHECK(runs.values(0) == std::map<std::string, double>{{"a", 1}, {"b", 3}});
  REQUIRE(runs.notes.size() == 1);
  CHECK_THAT(runs.notes[0], Contains("metrics.jsonl was replaced by another file"));
}

TEST_CASE("what is no file in the place of the metrics is left alone when the run has ended") {
  LocalRuns runs;
  const auto script = GENERATE(as<std::string>{}, "rm $HDRIVE_METRICS_FILE",
                               "rm $HDRIVE_METRICS_FILE; mkfifo $HDRIVE_METRICS_FILE",
                               "ln -sf /dev/zero $HDRIVE_METRICS_FILE");
  runs.run(runs.script(0, "log a 1; " + script));
  CHECK(runs.values(0) == std::map<std::string, double>{{"a", 1}});
  CHECK(runs.notes.empty());
}

TEST_CASE("metrics lines up to 1 MB are read, a longer one is told once") {
  LocalRuns runs;
  runs.run(
      runs.script(0,
                  "line() { printf '{\"name\": \"'$1'\", \"value\": 1, \"more\": \"'; head -c $2 "
                  "/dev/zero | tr '\\0' x; echo '\"}'; }\n"
                  "{ line a 262144; line b 1000000; line c 3000000; line d 10; } >> "
                  "$HDRIVE_METRICS_FILE"));
  CHECK(runs.values(0) == std::map<std::string, double>{{"a", 1}, {"b", 1}, {"d", 1}});
  REQUIRE(runs.notes.size() == 1);
  CHECK_THAT(runs.notes[0], Contains("metrics.jsonl:3: ") && Contains("longer than 1 MB"));
}

TEST_CASE("a metrics file that is sparse is left behind at once") {
  LocalRuns runs;
  runs.run(runs.script(0, "log a 1; truncate -s 15T $HDRIVE_METRICS_FILE"));
  CHECK(runs.values(0).at("a") == 1);
  CHECK(runs.notes.size() == 1);
}

TEST_CASE("a pattern that finds no number where it looks is told once a run, and counted") {
  LocalRuns runs(patterns({"acc: (\\S+)"}));
  runs.run(runs.script(0, "for i in 1 2 3 4; do echo 'acc: none'; done; echo 'acc: 0.5'"));
  CHECK(runs.values(0) == std::map<std::string, double>{{"accuracy", 0.5}});
  REQUIRE(runs.notes.size() == 2);
  CHECK_THAT(runs.notes[0], Contains("stdout.log:1: ") && Contains("\"none\""));
  CHECK_THAT(runs.notes[1], Contains("3 more lines"));
}

TEST_CASE("a pattern that takes a part of each number is told once a run, with what is right") {
  LocalRuns runs(patterns({"loss: ([0-9.]+)"}));
  runs.run(runs.script(0,
                       "echo 'loss: 0.5'; for i in 1 2 3; do echo 'loss: 2.000e-03'; done; "
                       "echo 'loss: -1'"));
  CHECK(runs.values(0) == std::map<std::string, double>{{"accuracy", 0.5}});
  REQUIRE(runs.notes.size() == 2);
  CHECK_THAT(runs.notes[0], Contains("stdout.log:2: ") && Contains("(\\S+)"));
  CHECK_THAT(runs.notes[1], Contains("2 more lines"));
}

TEST_CASE("patterns read metrics from stdout, lines of progress bars included") {
  LocalRuns runs(patterns({"acc=([0-9.]+)", "(?P<name>\\w+): (?P<value>\\S+) at (?P<step>\\d+)"}));
  runs.run(runs.script(0, "printf '10%% acc=0.1\\r20%% acc=0.2\\r\\n'; echo 'loss: 3.5 at 7'"));
  CHECK(runs.values(0) == std::map<std::string, double>{{"accuracy", 0.2}, {"loss", 3.5}});
  CHECK(runs.reports.back().metrics.back().step == 7);
}

TEST_CASE("a line of ten megabytes and binary output do not disturb what is around them") {
  LocalRuns runs(patterns({"acc=([0-9.]+)"}));
  const auto end = runs.run(runs.script(
      0,
      "echo acc=0.1; head -c 10000000 /dev/zero | tr '\\0' x; echo; head -c 100000 /dev/urandom; "
      "printf '\\nacc=0.9\\n'; exit 0"));
  CHECK(end.exit_code == 0);
  REQUIRE_FALSE(runs.reports.empty());
  CHECK(runs.values(0).at("accuracy") == 0.9);
}

TEST_CASE("a hundred thousand lines arrive, none lost, in order") {
  LocalRuns runs;
  runs.run(runs.script(
      0, "seq 100000 | sed 's/.*/{\"name\": \"n\", \"value\": &}/' >> $HDRIVE_METRICS_FILE"));
  double expected = 0;
  for (const RunReported& report : runs.reports)
    for (const Metric& metric : report.metrics)
      if (metric.value != ++expected) FAIL("expected " << expected << ", got " << metric.value);
  CHECK(expected == 100000);
}

TEST_CASE("one call of wait tells a bounded number of metrics") {
  LocalRuns runs;
  const auto request = runs.script(
      0, "seq 300000 | sed 's/.*/{\"name\": \"n\", \"value\": &}/' >> $HDRIVE_METRICS_FILE");
  runs.start(request);
  runs.remake();
  REQUIRE(runs.wait_until([&] { return exit_of(runs.run_directory(0)).has_value(); }));
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  std::vector<TargetEvent> events;
  runs.target().wait(RealClock().now() + std::chrono::minutes{1}, {}, events);
  std::size_t metrics = 0;
  for (const TargetEvent& event : events)
    if (const auto* report = std::get_if<RunReported>(&event)) metrics += report->metrics.size();
  CHECK(metrics > 0);
  CHECK(metrics < 150000);
  CHECK(runs.end_of(0).exit_code == 0);
}

}  // namespace
}  // namespace hdrive::compute
