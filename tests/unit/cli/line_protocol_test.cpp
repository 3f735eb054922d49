// SPDX-License-Identifier: Apache-2.0
#include "cli/line_protocol.h"

#include <nlohmann/json.hpp>

#include "hdrive/hdrive.h"
#include "tests/catch.h"

using namespace hdrive;
using Line = nlohmann::json;

namespace {

SweepSpec spec() {
  SweepSpec result;
  result.space.parameters = {{"lr", LogUniform{-7, 0}},
                             {"layers", Choice{{std::int64_t{1}, std::int64_t{2}}}}};
  result.primary_metric = "loss";
  result.goal = Goal::minimize;
  result.max_total_runs = 5;
  result.seed = 3;
  return result;
}

struct Session {
  explicit Session(SweepSpec of = spec()) : sweep(std::move(of)), study(*AskTell::open(sweep)) {}

  std::vector<Line> lines(const std::string& line) {
    std::vector<Line> answers;
    cli::LineProtocol protocol(study, sweep, [&](std::string_view answer) {
      REQUIRE(!answer.empty());
      REQUIRE(answer.back() == '\n');
      REQUIRE(answer.find('\n') == answer.size() - 1);
      answers.push_back(Line::parse(answer));
    });
    protocol.take(line);
    return answers;
  }
  Line operator()(const std::string& line) {
    const auto answers = lines(line);
    REQUIRE(answers.size() == 1);
    return answers.front();
  }

  SweepSpec sweep;
  AskTell study;
};

const Line kOk = {{"ok", true}};

std::string tell(int run, const std::string& value) {
  return R"({"op":"tell","run":)" + std::to_string(run) + R"(,"value":)" + value + "}";
}

}  // namespace

TEST_CASE("A run is asked for, reported, told, and becomes the best") {
  Session session;
  const Line asked = session(R"({"op":"ask"})");
  CHECK(asked["run"] == 0);
  CHECK(asked["parameters"]["lr"].is_number_float());
  CHECK(asked["parameters"]["layers"].is_number_integer());
  CHECK(asked["reason"].get<std::string>().size() > 0);
  CHECK(asked.size() == 3);
  const Line reported = session(R"({"op":"report","run":0,"step":1,"value":0.4})");
  CHECK(reported["verdict"] == "keep");
  CHECK(reported["reason"].get<std::string>().size() > 0);
  CHECK(session(R"({"op":"tell","run":0,"value":0.5})") == kOk);
  const Line best = session(R"({"op":"best"})");
  CHECK(best == Line{{"run", 0}, {"value", 0.4}, {"parameters", asked["parameters"]}});
}

TEST_CASE("Several are asked for at once, and where fewer are left the last line says done") {
  Session session;
  const auto three = session.lines(R"({"op":"ask","count":3})");
  REQUIRE(three.size() == 3);
  for (int i = 0; i < 3; ++i) CHECK(three[static_cast<std::size_t>(i)]["run"] == i);
  const auto rest = session.lines(R"({"op":"ask","count":8})");
  REQUIRE(rest.size() == 3);
  CHECK(rest[1]["run"] == 4);
  CHECK(rest[2]["done"] == true);
  CHECK(rest[2]["reason"] == "all 5 runs of max_total_runs were asked for");
  CHECK(session(R"({"op":"ask"})")["done"] == true);
}

TEST_CASE("A wrong line is answered with what is wrong, changes nothing, and the session goes on") {
  Session session;
  session(R"({"op":"ask"})");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "not a JSON object"},
      {"ask", "not a JSON object"},
      {"[1,2]", "not a JSON object"},
      {R"({"op":"ask")", "not a JSON object"},
      {"{}", R"(no "op")"},
      {R"({"op":7})", R"(no "op")"},
      {R"({"op":"aks"})", R"(unknown op "aks"; did you mean "ask"? there is ask, report)"},
      {R"({"op":"ask","cuont":2})", R"(ask: unknown key "cuont"; did you mean "count"?)"},
      {R"({"op":"best","run":2})", R"(best: unknown key "run"; it takes none)"},
      {R"({"op":"ask","count":0})", "expected at least 1"},
      {R"({"op":"ask","count":1.5})", "expected a whole number"},
      {R"({"op":"ask","count":"many"})", "expected a whole number"},
      {R"({"op":"ask","count":1e300})", "expected a whole number"},
      {R"({"op":"ask","count":18446744073709551615})", "expected a whole number"},
      {R"({"op":"tell","value":1})", R"(tell: "run" is missing)"},
      {R"({"op":"tell","run":0})", R"(tell: "value" is missing)"},
      {R"({"op":"tell","run":0,"value":"good"})", "expected a number"},
      {R"({"op":"tell","run":0,"value":true})", "expected a number"},
      {R"({"op":"tell","run":0,"value":[1]})", "expected a number"},
      {R"({"op":"tell","run":1,"value":1})", "run 1: was never asked for"},
      {R"({"op":"tell","run":-1,"value":1})", "run -1: was never asked for"},
      {R"({"op":"report","run":0,"value":1,"step":"x"})", "expected a whole number"},
      {R"({"op":"fail","run":0,"reason":3})", R"(fail: "reason" is no text)"},
      {"{\"op\":\"\xff\"}", "unknown op"},
  };
  for (const auto& [line, expected] : cases) {
    const Line answer = session(line);
    REQUIRE(answer.size() == 1);
    CHECK_THAT(answer["error"].get<std::string>(), Catch::Contains(expected));
  }
  CHECK(session.study.state().history().size() == 1);
  CHECK(session.study.state().history().reports(0).empty());
  CHECK(session(tell(0, "1")) == kOk);
}

TEST_CASE(
    "What has no value is told as NaN, infinite or null, however it is written, and is never "
    "best") {
  SweepSpec many = spec();
  many.max_total_runs = 20;
  Session session(many);
  int run = 0;
  for (const char* value :
       {"NaN", "Infinity", "-Infinity", R"("NaN")", R"("-Infinity")", "null", "nan", "1e999"}) {
    session(R"({"op":"ask"})");
    CHECK(session(tell(run, value)) == kOk);
    CHECK(session.study.state().history().run(run).status == RunStatus::completed);
    CHECK_FALSE(session.study.state().history().best(run));
    ++run;
  }
  const Line none = session(R"({"op":"best"})");
  CHECK(none["run"].is_null());
  CHECK_FALSE(none["reason"].get<std::string>().empty());
  session(R"({"op":"ask"})");
  CHECK(session(tell(run, R"("0.25")")) == kOk);
  CHECK(session(R"({"op":"best"})")["value"] == 0.25);
}

TEST_CASE("A run is told once") {
  Session session;
  session.lines(R"({"op":"ask","count":2})");
  CHECK(session(tell(0, "1")) == kOk);
  for (const std::string& line : {tell(0, "2"), std::string(R"({"op":"fail","run":0})"),
                                  std::string(R"({"op":"report","run":0,"value":1})")})
    CHECK_THAT(session(line)["error"].get<std::string>(), Catch::Contains("has ended"));
  CHECK(session(R"({"op":"fail","run":1,"reason":"out of memory"})") == kOk);
  CHECK(session.study.state().history().run(1).reason == "out of memory");
  CHECK(session(R"({"op":"best"})")["value"] == 1.0);
}

TEST_CASE("After a stop verdict the run counts as stopped by the policy, whatever is told then") {
  for (const std::string& last : {tell(1, "9"), std::string(R"({"op":"fail","run":1})")}) {
    SweepSpec judged = spec();
    judged.policy = {"bandit", {{"slack_amount", 0.5}}};
    Session session(judged);
    session.lines(R"({"op":"ask","count":2})");
    CHECK(session(R"({"op":"report","run":0,"value":1})")["verdict"] == "keep");
    const Line stop = session(R"({"op":"report","run":1,"value":2})");
    CHECK(stop["verdict"] == "stop");
    CHECK(session(R"({"op":"report","run":1,"value":0.1})") == stop);
    CHECK(session(last) == kOk);
    const Run& run = session.study.state().history().run(1);
    CHECK(run.status == RunStatus::canceled);
    CHECK(run.ended_by == EndCause::policy);
    CHECK(run.reason == stop["reason"].get<std::string>());
    CHECK(session.study.state().stopped_by_policy() == 1);
  }
}

TEST_CASE("Names and text of any kind survive the way out") {
  SweepSpec odd = spec();
  odd.space.parameters = {{"--quote\"d", Choice{{std::string("a\"\n\\b")}}}};
  Session session(odd);
  CHECK(session(R"({"op":"ask"})")["parameters"] == Line{{"--quote\"d", "a\"\n\\b"}});
  CHECK(session(R"({"op":"ask"})")["done"] == true);
}

TEST_CASE("Where luck decided which run is best, the answer has the model's pick too") {
  SweepSpec many = spec();
  many.space.parameters = {{"x", Uniform{0, 1}}};
  many.max_total_runs = 41;
  Session session(many);
  for (int i = 0; i < 40; ++i) {
    const double x = session(R"({"op":"ask"})")["parameters"]["x"];
    const double luck = (i * 7 % 10) / 10.0 - 0.5;
    session(tell(i, std::to_string(4 * (x - 0.5) * (x - 0.5) + luck)));
  }
  const Line best = session(R"({"op":"best"})");
  REQUIRE(best.contains("model"));
  const Line& model = best["model"];
  CHECK(model["run"] != best["run"]);
  CHECK(model["mean"] > best["value"]);
  CHECK(model["deviation"] > 0);
  CHECK(std::abs(model["parameters"]["x"].get<double>() - 0.5) < 0.25);
}
