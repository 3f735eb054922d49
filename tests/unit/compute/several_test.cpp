// SPDX-License-Identifier: Apache-2.0
//
// Several targets in one sweep. What they have in common with every other target is in tests/conformance.
#include <map>

#include "hdrive/targets.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

using Catch::Matchers::Contains;

namespace hdrive {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

RunRequest request(RunId run) {
  RunRequest request;
  request.run = run;
  request.run_id = "HD_test_" + std::to_string(run);
  return request;
}

// What ends well after ten seconds, or is refused as long as `trouble` says why.
struct Machine {
  explicit Machine(std::shared_ptr<SimulatedClock> clock)
      : target(make_simulated_target(
            [this](const RunRequest& given) -> Result<SimulatedRun> {
              if (trouble) return *trouble;
              ran.push_back(given.run);
              SimulatedRun run;
              run.duration = seconds(10);
              return run;
            },
            std::move(clock))) {}

  std::optional<Error> trouble;
  std::vector<RunId> ran;
  std::shared_ptr<ComputeTarget> target;
};

// Takes every run, and gives it back a moment later, as a batch system does whose commands fail.
class GivesBack final : public ComputeTarget {
 public:
  explicit GivesBack(std::shared_ptr<SimulatedClock> clock) : clock_(std::move(clock)) {}
  Result<void> start(const RunRequest& request) override {
    told_.emplace_back(RunDeferred{request.run, request.attempt,
                                   Error{"", "qsub: no such queue", Error::Kind::busy}});
    ++taken;
    return {};
  }
  Result<void> adopt(std::span<const RunRequest>) override { return {}; }
  void cancel(RunId, CancelMode) override {}
  void wait(Time deadline, std::stop_token, std::vector<TargetEvent>& events) override {
    if (told_.empty()) clock_->advance_to(deadline);
    for (TargetEvent& event : told_) events.push_back(std::move(event));
    told_.clear();
  }
  std::string describe() const override { return "gives back"; }

  int taken = 0;

 private:
  std::shared_ptr<SimulatedClock> clock_;
  std::vector<TargetEvent> told_;
};

struct Two {
  explicit Two(std::int64_t first_slots = 1, std::int64_t second_slots = 2)
      : both(*make_several_targets(
            {{"first", first.target, first_slots}, {"second", second.target, second_slots}},
            clock)) {}

  std::vector<TargetEvent> wait(Duration time) {
    std::vector<TargetEvent> events;
    const Time end = clock->now() + time;
    while (clock->now() < end) both->wait(end, {}, events);
    return events;
  }
  std::string notes(const std::vector<TargetEvent>& events) {
    std::string text;
    for (const TargetEvent& event : events)
      if (const auto* note = std::get_if<TargetNote>(&event)) text += note->note + "\n";
    return text;
  }

  std::shared_ptr<SimulatedClock> clock = std::make_shared<SimulatedClock>();
  Machine first{clock}, second{clock};
  std::shared_ptr<ComputeTarget> both;
};

TEST_CASE("Runs go to the first target that has room, and freed places are taken again") {
  Two two;
  CHECK(two.both->capacity()->runs == 3);
  for (RunId run : {0, 1, 2}) REQUIRE(two.both->start(request(run)));
  const auto full = two.both->start(request(3));
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == Error::Kind::busy);
  two.wait(seconds(11));
  for (RunId run : {3, 4, 5}) REQUIRE(two.both->start(request(run)));
  CHECK(two.first.ran == std::vector<RunId>{0, 3});
  CHECK(two.second.ran == std::vector<RunId>{1, 2, 4, 5});
}

TEST_CASE("Where one target refuses for now, another one takes the run") {
  Two two;
  two.first.trouble = Error{"/data", "no space left on the device", Error::Kind::no_room};
  REQUIRE(two.both->start(request(0)));
  CHECK(two.second.ran == std::vector<RunId>{0});
}

TEST_CASE("What is wrong with a run itself is not tried elsewhere") {
  Two two;
  two.first.trouble = Error{"run", "its environment is too large", Error::Kind::invalid};
  const auto refused = two.both->start(request(0));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == "its environment is too large");
  CHECK(two.second.ran.empty());
}

TEST_CASE("A target that fails three times in a row is set aside, told, and tried again later") {
  Two two(1, 9);
  two.first.trouble = Error{"/data", "there is no such folder", Error::Kind::not_found};
  for (RunId run : {0, 1, 2}) REQUIRE(two.both->start(request(run)));
  CHECK_THAT(two.notes(two.wait(seconds(11))),
             Contains("the target first is set aside for 10 minutes, since it failed 3 times in a "
                      "row: /data: there is no such folder"));
  two.first.trouble.reset();
  REQUIRE(two.both->start(request(3)));
  CHECK(two.first.ran.empty());
  two.wait(minutes(10));
  REQUIRE(two.both->start(request(4)));
  CHECK(two.first.ran == std::vector<RunId>{4});
}

TEST_CASE(
    "A target that takes runs and gives them back is set aside for the others, and that is told "
    "once") {
  const auto clock = std::make_shared<SimulatedClock>();
  const auto first = std::make_shared<GivesBack>(clock);
  Machine second{clock};
  const auto both =
      *make_several_targets({{"first", first, 3}, {"second", second.target, 1}}, clock);
  std::vector<TargetEvent> events;
  for (RunId run : {0, 1, 2}) REQUIRE(both->start(request(run)));
  both->wait(clock->now() + seconds(1), {}, events);
  REQUIRE(events.size() == 4);
  CHECK(std::get<RunDeferred>(events[2]).why.what == "qsub: no such queue");
  CHECK(std::get<TargetNote>(events[3]).note ==
        "the target first is set aside for 10 minutes, since it failed 3 times in a row: qsub: no "
        "such queue");
  REQUIRE(both->start(request(0)));
  CHECK(second.ran == std::vector<RunId>{0});
  CHECK(first->taken == 3);
}

TEST_CASE("A target that is alone is not set aside, and fails as often as it likes") {
  const auto clock = std::make_shared<SimulatedClock>();
  const auto only = std::make_shared<GivesBack>(clock);
  const auto named = *make_several_targets({{"only", only, 3}}, clock);
  std::vector<TargetEvent> events;
  for (RunId run = 0; run < 20; ++run) {
    REQUIRE(named->start(request(run)));
    named->wait(clock->now() + seconds(1), {}, events);
  }
  CHECK(only->taken == 20);
  CHECK(events.size() == 20);  // and no note
}

TEST_CASE(
    "While all targets are set aside their failures are not told again, and each has its turn") {
  Two two(1, 1);
  const Error gone{"", "the host is gone", Error::Kind::not_found};
  two.first.trouble = two.second.trouble = gone;
  for (int i = 0; i < 30; ++i) CHECK_FALSE(two.both->start(request(0)));
  const std::string told = two.notes(two.wait(seconds(1)));
  CHECK_THAT(told, Contains("first is set aside for 10 minutes"));
  CHECK_THAT(told, Contains("second is set aside for 10 minutes"));
  CHECK_THAT(told, !Contains("20 minutes"));
  two.second.trouble.reset();
  int tries = 0;
  while (!two.both->start(request(0))) REQUIRE(++tries < 4);
  CHECK(two.second.ran == std::vector<RunId>{0});
}

TEST_CASE(
    "Where all targets are set aside, the one whose time is over first is tried, and says why "
    "not") {
  Two two(1, 1);
  const Error gone{"", "the host is gone", Error::Kind::not_found};
  two.first.trouble = two.second.trouble = gone;
  for (int i = 0; i < 3; ++i) CHECK_FALSE(two.both->start(request(0)));
  const auto refused = two.both->start(request(0));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message() == "first: the host is gone");
  two.first.trouble.reset();
  REQUIRE(two.both->start(request(0)));
}

TEST_CASE("A run's handle names the target that has it, and leads back to it") {
  const auto clock = std::make_shared<SimulatedClock>();
  const auto model = [](const RunRequest&) -> Result<SimulatedRun> {
    SimulatedRun run;
    run.duration = minutes(10);
    return run;
  };
  SimulatedCluster near(model, {}, clock), far(model, {}, clock);
  const auto connect = [&] {
    return *make_several_targets({{"near", near.connect(), 1}, {"far", far.connect(), 0}}, clock);
  };
  auto target = connect();
  std::map<RunId, std::string> handles;
  for (RunId run : {0, 1}) REQUIRE(target->start(request(run)));
  std::vector<TargetEvent> events;
  while (handles.size() < 2) {
    target->wait(clock->now() + minutes(1), {}, events);
    for (const TargetEvent& event : events)
      if (const auto* accepted = std::get_if<RunAccepted>(&event))
        handles[accepted->run] = accepted->handle;
  }
  CHECK(handles[0].starts_with("near:"));
  CHECK(handles[1].starts_with("far:"));

  target = connect();
  std::vector<RunRequest> again{request(0), request(1), request(2)};
  again[0].handle = handles[0];
  again[1].handle = "";  // as of an engine that died before it could store it
  REQUIRE(target->adopt(again));
  events.clear();
  std::map<RunId, std::string> heard;
  while (heard.size() < 3) {
    target->wait(clock->now() + minutes(1), {}, events);
    for (const TargetEvent& event : events) {
      if (const auto* began = std::get_if<RunBegan>(&event)) heard[began->run] = "began";
      if (const auto* missing = std::get_if<RunNotFound>(&event)) heard[missing->run] = "not found";
    }
  }
  CHECK(heard == std::map<RunId, std::string>{{0, "began"}, {1, "began"}, {2, "not found"}});

  again = {request(0)};
  again[0].handle = "elsewhere:job 7";
  const auto lost = connect()->adopt(again);
  REQUIRE_FALSE(lost);
  CHECK_THAT(
      lost.error().message(),
      Contains(
          "run 0: it was sent to the target elsewhere, which is not among the sweep's any more"));
}

TEST_CASE("Real targets are waited for all at once") {
  test::TemporaryDirectory folder;
  const auto clock = make_steady_clock();
  const auto local = make_local_target({}, clock);
  REQUIRE(local);
  const auto idle = make_in_process_target([](RunContext&) {}, clock);
  const auto both = make_several_targets({{"here", *local, 1}, {"idle", idle, 1}}, clock);
  REQUIRE(both);
  RunRequest run = request(0);
  run.directory = folder.path() / "runs/0";
  run.working_directory = folder.path();
  run.arguments = {"/bin/sh", "-c", "exit 3"};
  REQUIRE((*both)->start(run));
  std::vector<TargetEvent> events;
  const Time deadline = clock->now() + minutes(1);
  while (clock->now() < deadline &&
         (events.empty() || !std::holds_alternative<RunExited>(events.back())))
    (*both)->wait(deadline, {}, events);
  REQUIRE(events.size() == 3);
  CHECK(std::get<RunAccepted>(events[0]).handle == "here:");
  CHECK(std::holds_alternative<RunBegan>(events[1]));
  CHECK(std::get<RunExited>(events[2]).exit_code == 3);
}

}  // namespace
}  // namespace hdrive
