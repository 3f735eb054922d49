// SPDX-License-Identifier: Apache-2.0
//
// The digest that tells a damaged database from a sound one.
#include "store/seal.h"

#include <algorithm>
#include <limits>
#include <set>

#include "store/database.h"
#include "tests/catch.h"

using namespace hdrive;
using store::Seal;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Time at(std::int64_t microseconds) { return Time(Duration(1'769'860'800'000'000 + microseconds)); }

RunProposed proposed(RunId run) {
  return {run, {{"--lr", 0.5}, {"act", std::string("relu")}}, "drawn", at(1)};
}
RunStarted started() { return {0, 1, 4711, at(2)}; }
RunMetrics reported() {
  return {0, 1, {{"loss", 0.25, 3, {}}, {"loss", 0.125, 4, at(4)}}, "64 8", at(5)};
}
RunJudged judged(Verdict::Action action) {
  RunJudged it{0, 1, Verdict{}, "above the threshold", at(6)};
  it.verdict.action = action;
  it.verdict.interval = 2;
  it.verdict.finding = Verdict::Finding::beyond;
  it.verdict.value = 0.25;
  it.verdict.threshold = 0.2;
  it.verdict.peers = 7;
  it.verdict.leader = 3;
  it.verdict.note = "note";
  return it;
}
RunCanceling canceling() { return {0, 1, EndCause::policy, "poor", at(7)}; }
RunEnded ended() {
  return {0, 1, RunStatus::failed, EndCause::exited, 3, {}, "exited with code 3", "oh", at(8)};
}
RunRequeued requeued() { return {0, 2, "was lost", at(9), EndCause::lost}; }
SweepChanged changed() {
  return {SweepStatus::running, SweepEnd::none, "reason", Duration{5}, at(10)};
}
Noted noted() { return {Noted::Level::warning, 0, "a text of more than eight bytes", at(11)}; }
SweepEdited edited() { return {"config", "what", at(12)}; }

std::vector<Change> story() {
  return {changed(),
          proposed(0),
          started(),
          reported(),
          judged(Verdict::Action::keep),
          judged(Verdict::Action::stop),
          canceling(),
          ended(),
          requeued(),
          noted(),
          edited()};
}

std::uint64_t digest(const std::vector<Change>& changes,
                     Seal::Source source = Seal::Source::as_stored) {
  Seal seal(source);
  for (const Change& change : changes) seal.add(change);
  return seal.digest();
}

// The digest of run 0, proposed, and one more fact of it, which `edit` has altered.
template <class Fact, class Edit>
std::uint64_t altered(Fact fact, Edit edit) {
  edit(fact);
  return digest({proposed(0), fact});
}

}  // namespace

TEST_CASE("A digest is the same for ever, since files hold it") {
  CHECK(digest(story()) == 0x9114493dcf5232e3);
  const SweepHeader header{"HD_1", "name",         "experiment", "config",
                           "loss", Goal::minimize, "0.1.0",      at(0)};
  CHECK(Seal::of(header, Seal::Source::as_stored) == 0xc225c2d5fbe8eec4);
}

TEST_CASE("So are the digests of the parts that are read alone") {
  Seal seal(Seal::Source::as_stored);
  for (const Change& change : story()) seal.add(change);
  const store::PartDigests& parts = seal.parts();
  CHECK(parts.runs == 1);
  CHECK(parts.states == 0x89f746cb61429272);
  CHECK(parts.status == 0x2702467e55e80533);
  CHECK(parts.changes == parts.status);
  CHECK(parts.notes == 0x58f58dfc0c8ddc87);
  CHECK(parts.edits == 0x8493c3de7b3748f5);
  CHECK(Seal::of(3, "loss", {2, 1, kNan, 7, 0.5, 0.5}) == 0x7c6ed638c549074d);
  CHECK(Seal::of_name(1, "loss") == 0x3df180c3022d2be8);
  const std::int64_t numbers[] = {1, 2};
  CHECK(Seal::of(numbers, "text") == 0xb345f7800ae36f5a);
}

TEST_CASE("What was undone was never in the digests of the parts") {
  const auto all = story();
  for (std::size_t before = 0; before <= all.size(); ++before) {
    Seal seal(Seal::Source::as_appended), expected(Seal::Source::as_appended);
    for (std::size_t i = 0; i < before; ++i) seal.add(all[i]), expected.add(all[i]);
    seal.mark();
    for (std::size_t i = before; i < all.size(); ++i) seal.add(all[i]);
    seal.undo();
    CHECK(seal.parts() == expected.parts());
  }
}

TEST_CASE("Each field of the state of a run counts") {
  const store::RunState state{3, 1, RunStatus::completed, EndCause::exited, at(1), at(2)};
  std::set<std::uint64_t> seen{Seal::of(state)};
  const auto differs = [&](auto&& change) {
    store::RunState other = state;
    change(other);
    CHECK(seen.insert(Seal::of(other)).second);
  };
  differs([](auto& it) { it.run = 4; });
  differs([](auto& it) { it.attempt = 2; });
  differs([](auto& it) { it.status = RunStatus::failed; });
  differs([](auto& it) { it.ended_by = EndCause::policy; });
  differs([](auto& it) { it.started = at(2); });
  differs([](auto& it) { it.started.reset(); });
  differs([](auto& it) { it.ended = at(3); });
  differs([](auto& it) { it.ended.reset(); });
}

TEST_CASE("Each field of each fact counts") {
  std::set<std::uint64_t> seen;
  std::size_t cases = 0;
  const auto differs = [&](std::uint64_t value) {
    seen.insert(value);
    ++cases;
  };
#define ALTERED(fact, change) differs(altered(fact, [](auto& it) { change; }))
  ALTERED(started(), it.pid = 4711);
  ALTERED(started(), it.pid = 4712);
  ALTERED(started(), it.attempt = 2);
  ALTERED(started(), it.at = at(3));
  ALTERED(started(), it.slot = 0);
  ALTERED(started(), it.slot = 1);
  ALTERED(reported(), it.cursor = "64 8");
  ALTERED(reported(), it.cursor = "65 8");
  ALTERED(reported(), it.cursor = "64 8 ");
  ALTERED(reported(), it.cursor = "event 64");
  ALTERED(reported(), it.cursor = "64 9");
  ALTERED(reported(), it.at = at(6));
  ALTERED(reported(), it.metrics[0].name = "Loss");
  ALTERED(reported(), it.metrics[0].name = "loss ");
  ALTERED(reported(), it.metrics[0].value = 0.26);
  ALTERED(reported(), it.metrics[0].value = -0.25);
  ALTERED(reported(), it.metrics[0].value = kNan);
  ALTERED(reported(), it.metrics[0].step = 5);
  ALTERED(reported(), it.metrics[0].step.reset());
  ALTERED(reported(), it.metrics[1].time = at(44));
  ALTERED(reported(), it.metrics.pop_back());
  ALTERED(reported(), it.metrics.push_back(it.metrics[0]));
  const auto keep = judged(Verdict::Action::keep);
  ALTERED(keep, it.reason = "above the threshold");
  ALTERED(keep, it.reason = "above");
  ALTERED(keep, it.at = at(7));
  ALTERED(keep, it.verdict.action = Verdict::Action::stop);
  ALTERED(keep, it.verdict.interval = 3);
  ALTERED(keep, it.verdict.finding = Verdict::Finding::within);
  ALTERED(keep, it.verdict.value = 0.5);
  ALTERED(keep, it.verdict.threshold = 0.5);
  ALTERED(keep, it.verdict.peers = 8);
  ALTERED(keep, it.verdict.leader = 4);
  ALTERED(keep, it.verdict.note = "");
  ALTERED(canceling(), it.cause = EndCause::policy);
  ALTERED(canceling(), it.cause = EndCause::user);
  ALTERED(canceling(), it.reason = "");
  ALTERED(canceling(), it.at = at(8));
  ALTERED(ended(), it.status = RunStatus::failed);
  ALTERED(ended(), it.status = RunStatus::completed);
  ALTERED(ended(), it.cause = EndCause::signaled);
  ALTERED(ended(), it.exit_code = 4);
  ALTERED(ended(), it.exit_code.reset());
  ALTERED(ended(), it.signal = 9);
  ALTERED(ended(), it.reason = "");
  ALTERED(ended(), it.stderr_tail = "");
  ALTERED(ended(), std::swap(it.reason, it.stderr_tail));
  ALTERED(ended(), it.at = at(9));
  ALTERED(ended(), it.cpu_time = Duration{0});
  ALTERED(ended(), it.cpu_time = Duration{7});
  ALTERED(ended(), it.peak_memory = 0);
  ALTERED(ended(), it.peak_memory = 7);
  ALTERED(requeued(), it.attempt = 2);
  ALTERED(requeued(), it.attempt = 3);
  ALTERED(requeued(), it.cause = EndCause::interrupt);
  ALTERED(requeued(), it.reason = "");
  ALTERED(requeued(), it.at = at(10));
  ALTERED(changed(), it.status = SweepStatus::running);
  ALTERED(changed(), it.status = SweepStatus::completed);
  ALTERED(changed(), it.end = SweepEnd::all_runs);
  ALTERED(changed(), it.active = Duration{6});
  ALTERED(changed(), it.reason = "");
  ALTERED(changed(), it.at = at(11));
  ALTERED(noted(), it.level = Noted::Level::warning);
  ALTERED(noted(), it.level = Noted::Level::error);
  ALTERED(noted(), it.run.reset());
  ALTERED(noted(), it.text[20] = '!');
  ALTERED(noted(), it.at = at(12));
  ALTERED(edited(), it.config = "config");
  ALTERED(edited(), it.config = "Config");
  ALTERED(edited(), it.what = "");
  ALTERED(edited(), it.at = at(13));
  ALTERED(proposed(1), it.reason = "drawn");
  ALTERED(proposed(1), it.reason = "");
  ALTERED(proposed(1), it.start_point = true);
  ALTERED(proposed(1), it.at = at(2));
  ALTERED(proposed(1), it.parameters[0].value = 0.25);
  ALTERED(proposed(1), it.parameters[0].value = kNan);
  ALTERED(proposed(1), it.parameters[0].value = std::string("NaN"));  // the same JSON
  ALTERED(proposed(1), std::swap(it.parameters[0], it.parameters[1]));
#undef ALTERED
  CHECK(seen.size() == cases);
}

TEST_CASE("Metrics count in any order, and in any batches") {
  const RunMetrics batch = reported();
  Seal apart(Seal::Source::as_stored);
  apart.add(proposed(0));
  for (auto it = batch.metrics.rbegin(); it != batch.metrics.rend(); ++it)
    apart.add_metric(0, 1, it->name, it->value, it->step, it->time.value_or(batch.at));
  apart.add_report(batch);
  CHECK(apart.digest() == digest({proposed(0), batch}));
}

TEST_CASE("Of what an attempt has one of, only the latest counts; a new attempt has its own") {
  RunJudged earlier = judged(Verdict::Action::keep);
  earlier.verdict.interval = 1;
  const RunJudged keep = judged(Verdict::Action::keep), stop = judged(Verdict::Action::stop);
  CHECK(digest({proposed(0), earlier, keep}) == digest({proposed(0), keep}));
  CHECK(digest({proposed(0), stop, earlier, keep}) == digest({proposed(0), stop, keep}));
  CHECK(digest({proposed(0), keep, stop}) != digest({proposed(0), stop}));
  RunStarted second = started();
  second.attempt = 2;
  CHECK(digest({proposed(0), started(), requeued(), second}) !=
        digest({proposed(0), requeued(), second}));
}

TEST_CASE("What was undone was never there") {
  for (std::size_t before = 0; before <= story().size(); ++before) {
    const auto all = story();
    Seal seal(Seal::Source::as_appended);
    for (std::size_t i = 0; i < before; ++i) seal.add(all[i]);
    const std::uint64_t marked = seal.digest();
    seal.mark();
    for (std::size_t i = before; i < all.size(); ++i) seal.add(all[i]);
    seal.undo();
    CHECK(seal.digest() == marked);
    seal.mark();
    for (std::size_t i = before; i < all.size(); ++i) seal.add(all[i]);
    CHECK(seal.digest() == digest(all, Seal::Source::as_appended));
  }
}

TEST_CASE("What the file keeps less exactly than memory has it is sealed as the file keeps it") {
  // Far from 1970 seconds of 64 bits do not hold each microsecond.
  const Time late(Duration(9'000'000'000'000'000'001));
  const Time read(store::duration_of(store::seconds_of(late.time_since_epoch())));
  REQUIRE(read != late);
  Noted note = noted();
  note.at = late;
  Noted stored = note;
  stored.at = read;
  CHECK(digest({note}, Seal::Source::as_appended) == digest({stored}));
  CHECK(digest({note}) != digest({stored}));
  RunMetrics zero = reported(), minus = reported();
  zero.metrics[0].value = 0.0;
  minus.metrics[0].value = -0.0;
  CHECK(digest({proposed(0), zero}) == digest({proposed(0), minus}));
  zero.metrics[0].value = kNan;
  minus.metrics[0].value = -kNan;
  CHECK(digest({proposed(0), zero}) == digest({proposed(0), minus}));
}

TEST_CASE("Facts of runs that are not there, and answers, are not sealed") {
  CHECK(digest({started()}) == 0);
  CHECK(digest({RequestAnswered{1, true, "done", at(1)}}) == 0);
}
