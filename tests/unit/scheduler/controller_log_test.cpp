// SPDX-License-Identifier: Apache-2.0
#include "hdrive/controller_log.h"

#include <catch2/catch.hpp>
#include <chrono>

namespace hdrive {
namespace {

using namespace std::chrono_literals;

const Time kBegan = Time{} + 1h;

SweepHeader header() {
  SweepHeader header;
  header.id = "HD_7";
  header.experiment = "digits";
  header.created = kBegan;
  return header;
}

RunProposed proposed(RunId run, Duration after) {
  RunProposed it;
  it.run = run;
  it.at = kBegan + after;
  return it;
}

RunEnded ended(RunId run, RunStatus status, EndCause cause, std::string reason, Duration after) {
  RunEnded it;
  it.run = run;
  it.status = status;
  it.cause = cause;
  it.reason = std::move(reason);
  it.at = kBegan + after;
  return it;
}

std::string line(std::string_view second, std::string_view text) {
  return "<START>[1970-01-01T01:00:" + std::string(second) + "Z]" + std::string(text) + "<END>\n";
}

}  // namespace

TEST_CASE("the controller log is in the order of time, whatever order it was told in") {
  ControllerLog log(header());
  log.add(SweepChanged{
      SweepStatus::completed, SweepEnd::all_runs, "all 3 runs have ended", {}, kBegan + 9s});
  log.add(SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, kBegan + 1s});
  log.add(Noted{Noted::Level::warning, 1, "two\nlines", kBegan + 8s});
  log.add(proposed(0, 2s));
  log.add(RunStarted{0, 1, 17, kBegan + 3s});
  log.add(ended(0, RunStatus::completed, EndCause::exited, "completed", 5s));
  log.add(proposed(1, 2s));
  log.add(RunStarted{1, 1, 18, kBegan + 3s});
  log.add(RunJudged{1, 1, {Verdict::Action::keep, {}}, "fine", kBegan + 4s});
  log.add(RunJudged{1, 1, {Verdict::Action::stop, {}}, "far behind", kBegan + 6s});
  log.add(RunCanceling{1, 1, EndCause::policy, "far behind", kBegan + 6s});
  log.add(ended(1, RunStatus::canceled, EndCause::policy, "far behind", 7s));
  log.add(proposed(2, 5s));
  log.add(ended(2, RunStatus::failed, EndCause::exited, "exit code 3", 8s));
  CHECK(log.text() ==
        line("00", "[API][INFO]Created: experiment 'digits', sweep 'HD_7'") +
            line("01", "[CONTROLLER][INFO]The status is now 'Running'") +
            line("02", "[GENERATOR][INFO]Trying to sample '2' jobs") +
            line("02", "[GENERATOR][INFO]Successfully sampled '2' jobs") +
            line("02", "[SCHEDULER][INFO]Scheduling job, id='HD_7_0'") +
            line("02", "[SCHEDULER][INFO]Scheduling job, id='HD_7_1'") +
            line("03", "[SCHEDULER][INFO]Successfully scheduled a job, id='HD_7_0'") +
            line("03", "[SCHEDULER][INFO]Successfully scheduled a job, id='HD_7_1'") +
            line("05", "[GENERATOR][INFO]Trying to sample '1' jobs") +
            line("05", "[GENERATOR][INFO]Successfully sampled '1' jobs") +
            line("05", "[SCHEDULER][INFO]Scheduling job, id='HD_7_2'") +
            line("05", "[CONTROLLER][INFO]A job has ended, id='HD_7_0', status='Completed'") +
            line("06", "[ENFORCER][INFO]The policy stops a job, id='HD_7_1': far behind") +
            line("07", "[CONTROLLER][INFO]A job has ended, id='HD_7_1', status='Canceled'") +
            line("08",
                 "[CONTROLLER][WARNING]A job has ended, id='HD_7_2', status='Failed': exit "
                 "code 3") +
            line("08", "[CONTROLLER][WARNING]id='HD_7_1': two\\nlines") +
            line("09", "[GENERATOR][INFO]Max number of jobs '3' reached for experiment.") +
            line("09", "[CONTROLLER][INFO]The status is now 'Completed': all 3 runs have ended"));
}

TEST_CASE("what is tried again, and what a user stopped, says why") {
  ControllerLog log(header());
  log.add(proposed(0, 1s));
  log.add(ended(0, RunStatus::failed, EndCause::lost, "the machine went down", 2s));
  log.add(RunRequeued{0, 2, "its machine was lost", kBegan + 2s, EndCause::lost});
  log.add(RunStarted{0, 2, 19, kBegan + 3s});
  log.add(RunCanceling{0, 2, EndCause::user, "stopped by `hdrive stop`", kBegan + 4s});
  const std::string text = log.text();
  CHECK(text.find(line("02",
                       "[SCHEDULER][WARNING]A job is to be tried again, id='HD_7_0', attempt "
                       "2: its machine was lost")) != text.npos);
  CHECK(text.find(line("03",
                       "[SCHEDULER][INFO]Successfully scheduled a job, id='HD_7_0', attempt "
                       "2")) != text.npos);
  CHECK(text.find(line("04",
                       "[CONTROLLER][INFO]Canceling a job, id='HD_7_0': stopped by `hdrive "
                       "stop`")) != text.npos);
}

}  // namespace hdrive
