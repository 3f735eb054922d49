// SPDX-License-Identifier: Apache-2.0
#include "compute/metric_lines.h"

#include <cmath>

#include "compute/iso_time.h"
#include "tests/catch.h"

namespace hdrive::compute {
namespace {

using Catch::Matchers::Contains;

Metric metric_of(const std::string& line) {
  Metric metric;
  std::string fault;
  INFO(line);
  const auto kind = parse_metric_line(line, metric, fault);
  INFO(fault);
  CHECK(kind == LineKind::metric);
  CHECK(fault.empty());
  return metric;
}

std::string fault_of(const std::string& line, LineKind expected = LineKind::wrong) {
  Metric metric;
  std::string fault;
  INFO(line);
  CHECK(parse_metric_line(line, metric, fault) == expected);
  return fault;
}

TEST_CASE("a plain line is read in any order and with any white space") {
  for (const char* line :
       {R"({"name": "acc", "value": 0.5, "step": 3})", R"({"step":3,"value":0.5,"name":"acc"})",
        "  {\t\"value\" : 0.5 , \"name\":\"acc\" ,\"step\": 3 }  \r",
        R"({"name": "acc", "value": 5e-1, "step": 3.0, "other": "x", "z": true})",
        R"({"name": "acc", "value": 0.5, "step": 3, "tags": {"a": [1, NaN]}})",
        "\xEF\xBB\xBF{\"name\": \"acc\", \"value\": 0.5, \"step\": 3}"}) {
    const Metric metric = metric_of(line);
    CHECK(metric.name == "acc");
    CHECK(metric.value == 0.5);
    CHECK(metric.step == 3);
    CHECK_FALSE(metric.time);
  }
}

TEST_CASE("step and time may be missing or null") {
  for (const char* line :
       {R"({"name":"a","value":1})", R"({"name":"a","value":1,"step":null,"time":null})"}) {
    CHECK_FALSE(metric_of(line).step);
    CHECK_FALSE(metric_of(line).time);
  }
}

TEST_CASE("all that is a number is a value") {
  const auto value = [](const std::string& text) {
    const double plain = metric_of("{\"name\":\"a\",\"value\":" + text + "}").value;
    // The same by the other way, which an escape leads to.
    const double other = metric_of("{\"na\\u006de\":\"a\",\"value\":" + text + "}").value;
    CHECK((plain == other || (std::isnan(plain) && std::isnan(other))));
    return plain;
  };
  CHECK(value("-12") == -12);
  CHECK(value("1e3") == 1000);
  CHECK(value("0.1") == 0.1);
  CHECK(value("\"0.25\"") == 0.25);
  CHECK(value("1e999") == INFINITY);
  CHECK(value("-1e999") == -INFINITY);
  CHECK(value("1e-999") == 0);
  CHECK(value("Infinity") == INFINITY);
  CHECK(value("-Infinity") == -INFINITY);
  CHECK(value("\"-Infinity\"") == -INFINITY);
  CHECK(value("inf") == INFINITY);
  CHECK(std::isnan(value("NaN")));
  CHECK(std::isnan(value("nan")));
  CHECK(std::isnan(value("\"NaN\"")));
  CHECK(value("18446744073709551616") == 18446744073709551616.0);
}

TEST_CASE("names with escapes and in any script are read") {
  CHECK(metric_of(R"({"name":"a\"b\u00e9","value":1})").name == "a\"b\xC3\xA9");
  CHECK(metric_of("{\"name\":\"caf\xC3\xA9\",\"value\":1}").name == "caf\xC3\xA9");
}

TEST_CASE("bytes of a name that are no UTF-8 become U+FFFD") {
  CHECK(metric_of("{\"name\":\"a\xFF"
                  "b\",\"value\":1}")
            .name ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(metric_of("{\"name\":\"a\xFF\\\\\",\"value\":1}").name == "a\xEF\xBF\xBD\\");
}

TEST_CASE("a time is seconds since 1970 or ISO 8601") {
  const auto time = [](const std::string& text) {
    return metric_of("{\"name\":\"a\",\"value\":1,\"time\":" + text + "}").time;
  };
  const Time expected{std::chrono::microseconds{1767225600250000}};
  CHECK(time("1767225600.25") == expected);
  CHECK(time("\"2026-01-01T00:00:00.25Z\"") == expected);
  CHECK(time("\"2026-01-01T01:30:00.25+01:30\"") == expected);
  CHECK(time("\"2026-01-01 00:00:00.250\"") == expected);
  for (const char* wrong : {"2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01", "now",
                            "2026-01-01T25:00:00Z", "2026-01-01T00:00:00Q", "-5", "1e300", ""})
    CHECK_FALSE(parse_time(wrong));
}

TEST_CASE("blank lines are nothing") {
  Metric metric;
  std::string fault;
  for (const char* line : {"", " ", "\t\r"})
    CHECK(parse_metric_line(line, metric, fault) == LineKind::blank);
  CHECK(fault.empty());
}

TEST_CASE("a wrong line says what is wrong with it") {
  CHECK_THAT(fault_of("accuracy 0.5"), Contains("not a JSON object") && Contains("accuracy 0.5"));
  CHECK_THAT(fault_of("[1]"), Contains("not a JSON object"));
  CHECK_THAT(fault_of(R"({"name":"a","value":1)"), Contains("not a JSON object"));
  CHECK_THAT(fault_of(R"({"name":"a","value":1} x)"), Contains("not a JSON object"));
  CHECK_THAT(fault_of(R"({"name":"a"})"), Contains("it has no \"value\""));
  CHECK_THAT(fault_of(R"({"value":1})"), Contains("it has no \"name\""));
  CHECK_THAT(fault_of(R"({"name":5,"value":1})"), Contains("\"name\" is not text"));
  CHECK_THAT(fault_of(R"({"name":"a","value":true})"), Contains("not a number but \"true\""));
  CHECK_THAT(fault_of(R"({"name":"a","value":null})"), Contains("not a number but \"null\""));
  CHECK_THAT(fault_of(R"({"name":"a","value":"high"})"), Contains("not a number but \"high\""));
  CHECK_THAT(fault_of(R"({"name":"a","value":[1]})"), Contains("not a number but \"a list\""));
  CHECK_THAT(fault_of(R"({"name":"","value":1})"), Contains("name is empty"));
  CHECK_THAT(fault_of("{\"name\":\"" + std::string(256, 'n') + "\",\"value\":1}"),
             Contains("longer than 255"));
  CHECK_THAT(fault_of(std::string(50, '\0')), Contains("not a JSON object"));
}

TEST_CASE("a wrong step or time costs only itself") {
  CHECK_THAT(fault_of(R"({"name":"a","value":1,"step":1.5})", LineKind::metric),
             Contains("\"step\"") && Contains("without it"));
  CHECK_THAT(fault_of(R"({"name":"a","value":1,"time":"today"})", LineKind::metric),
             Contains("\"time\"") && Contains("without it"));
}

TEST_CASE("lists nested a hundred thousand deep are refused quietly") {
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  CHECK_THAT(fault_of("{\"name\":\"a\",\"value\":" + deep + "}"), Contains("a list"));
}

}  // namespace
}  // namespace hdrive::compute
