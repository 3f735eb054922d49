// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;

SweepSpec read_back(const SweepSpec& spec) {
  const std::string text = to_hdconfig(spec);
  INFO(text);
  const LoadedConfig loaded = parse_config(text, "hdconfig.yml", "/nowhere", no_command());
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  return loaded.spec;
}

SweepSpec small_spec() {
  SweepSpec spec;
  spec.space.parameters = {{"x", Uniform{0, 1}}};
  spec.primary_metric = "loss";
  spec.max_total_runs = 1;
  spec.source_directory = "/nowhere";
  return spec;
}

const std::string kNasty[] = {
    "a",
    "null",
    "true",
    "Yes",
    "n",
    "~",
    "5",
    "0x1f",
    "1e3",
    ".inf",
    "- a",
    "a: b",
    "a #b",
    "#",
    "{a}",
    "[a]",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a`",
    "'",
    "\"",
    "\\",
    "\\n",
    " a ",
    "a\nb",
    "\t",
    "\r\n",
    "\x01",
    "\x7f",
    "é",
    "\u2028",
    "\U0001F600",
    "\uFEFF",
    "a\u0085b",
    "?",
    "-",
    "--",
    "---",
    "...",
    "<<",
    "=",
    "a=b",
    ",",
    "${{x}}",
    "2024-01-01",
    "1:30",
    "|",
    ">",
    "a very long text that goes on and on and on and on and on and on and on and on and on and on, "
    "well beyond any width at which a writer might want to fold it into several lines"};

TEST_CASE("A specification with every field reads back equal") {
  SweepSpec spec;
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const double infinity = std::numeric_limits<double>::infinity();
  spec.sampling = {"random", {}};
  spec.space.parameters = {
      {"--choice",
       Choice{{std::monostate{}, true, false, most, least, std::int64_t{0}, 0.1, 3.0, -0.0, 1e300,
               5e-324, infinity, -infinity, std::string("text"), std::string(), Json{"[]"},
               Json{"{}"}, Json{R"([1,2.0,"a\n\"b\"",null,true,{"k":[],"":-1e-07}])"}}}},
      {"lone list", Choice{{Json{"[64,64]"}}}},
      {"lone object", Choice{{Json{R"({"a":1})"}}}},
      {"r", RandInt{most}},
      {"u", Uniform{-1e300, 1e-300}},
      {"qu", QUniform{0, 10, 0.1}},
      {"lu", LogUniform{-6.907755278982137, -1}},
      {"qlu", QLogUniform{0, 3, 1}},
      {"no", Normal{-0.5, 1e-9}},
      {"qn", QNormal{0, 1, 2}},
      {"ln", LogNormal{0, 1}},
      {"qln", QLogNormal{0, 1, 0.25}}};
  spec.policy = {"truncation_selection",
                 {{"truncation_percentage", std::int64_t{20}}, {"exclude_finished_jobs", true}}};
  spec.primary_metric = " Test: accuracy ";
  spec.goal = Goal::minimize;
  spec.max_total_runs = 1'000'000'000;
  spec.max_concurrent_runs = 77;
  spec.max_duration = std::chrono::milliseconds(1800);
  spec.seed = std::numeric_limits<std::uint64_t>::max();
  spec.name = "5";
  spec.experiment = "null";
  spec.command = {"sh", "-c", "echo '${{search_space.r}}' \"$X\"\n"};
  spec.append_parameters = false;
  spec.source_directory = "/";
  spec.environment_variables = {{"A", ""}, {"null", "null"}, {"B.C", "a\nb"}};
  spec.max_run_duration = std::chrono::milliseconds(1);
  spec.cancel_grace = std::chrono::milliseconds(12345);
  spec.max_lost_retries = 0;
  spec.resume_from = {"digits", "/sweeps/HD_1", "with \"quotes\""};
  spec.resume_child_runs = {"digits/7", "HD_1_2"};
  spec.tensorboard_metrics = true;
  spec.azureml_sdk = AzuremlSdk::automatic;
  spec.metric_patterns = {R"(^acc: (?P<value>\S+)\t"x"$)", "a(b)"};
  spec.stop_without_primary_metric = false;
  spec.stop_when_all_fail = false;
  spec.max_silent = std::chrono::milliseconds(1500);
  spec.max_failed_retries = 2;
  spec.stop_after_consecutive_failures = 0;
  spec.stop_at = -0.25;
  spec.stop_without_progress = 30;
  spec.repeat_best = {3, 5};
  spec.on_end = {"notify", "", "a b"};
  spec.on_run_end = {"/bin/sh", "-c", "echo \"$HDRIVE_STATUS\"\n"};
  const SweepSpec back = read_back(spec);
  CHECK(back == spec);
  CHECK(to_hdconfig(back) == to_hdconfig(spec));
}

TEST_CASE("Texts that look like something else read back as themselves") {
  SweepSpec spec = small_spec();
  spec.source_directory = "/";
  for (const std::string& text : kNasty) {
    INFO(text);
    spec.primary_metric = spec.experiment = text;
    spec.command = {"program", text};
    spec.environment_variables = {{"X", text}};
    spec.space.parameters = {{"x" + text, Choice{{text, "b" + text}}}};
    if (text.find("{{") != std::string::npos) spec.command = {"program"};
    CHECK(read_back(spec) == spec);
  }
}

TEST_CASE("Values drawn at random read back as themselves") {
  std::mt19937_64 random(20240517);
  SweepSpec spec = small_spec();
  spec.source_directory = "/";
  for (int i = 0; i < 300; ++i) {
    Choice choice;
    const std::uint64_t bits = random();
    double number = 0;
    static_assert(sizeof number == sizeof bits);
    std::memcpy(&number, &bits, sizeof number);
    if (number == number) choice.options.emplace_back(number);
    choice.options.emplace_back(static_cast<std::int64_t>(random()));
    std::string text;
    for (int k = static_cast<int>(random() % 12); k >= 0; --k)
      text += static_cast<char>(1 + random() % 127);
    choice.options.emplace_back(text);
    spec.space.parameters = {{"x", choice}};
    spec.seed = random();
    spec.max_duration = std::chrono::milliseconds(1 + random() % 1'000'000'000);
    spec.max_run_duration = std::chrono::milliseconds(1 + random() % 1'000'000'000);
    spec.policy = {"bandit", {{"slack_amount", std::abs(static_cast<double>(random()))}}};
    CHECK(read_back(spec) == spec);
  }
}

TEST_CASE("Keys with their defaults are left out") {
  CHECK(to_hdconfig(small_spec()) == R"(sampling:
  type: random
  parameter_space:
  - name: x
    expression: uniform
    values: [0.0, 1.0]
policy:
  type: NoTerminationPolicy
primary_metric_name: loss
primary_metric_goal: Maximize
max_total_runs: 1
max_concurrent_runs: 1
source_directory: "/nowhere"
seed: 0
)");
}

TEST_CASE("A fraction of a minute is kept to the millisecond and written as it was given") {
  for (const char* minutes : {"0.001", "0.03", "1.5", "10079.99"}) {
    const LoadedConfig loaded =
        parse(around("max_duration_minutes: " + std::string(minutes) + "\n"));
    CHECK(to_hdconfig(loaded.spec).find("max_duration_minutes: " + std::string(minutes) + "\n") !=
          std::string::npos);
  }
  CHECK(parse(around("max_duration_minutes: 0.001\n")).spec.max_duration ==
        std::chrono::milliseconds(60));
}

}  // namespace
}  // namespace hdrive
