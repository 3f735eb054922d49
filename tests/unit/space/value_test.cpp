// SPDX-License-Identifier: Apache-2.0
#include "hdrive/value.h"

#include <cmath>
#include <limits>

#include "tests/catch.h"

using namespace hdrive;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");
Value text(const char* chars) { return std::string(chars); }
Value integer(std::int64_t number) { return number; }
}  // namespace

TEST_CASE("A value prints as a training script expects it on its command line") {
  CHECK(to_text(std::monostate{}) == "None");
  CHECK(to_text(true) == "True");
  CHECK(to_text(false) == "False");
  CHECK(to_text(integer(-3)) == "-3");
  CHECK(to_text(integer(std::numeric_limits<std::int64_t>::min())) == "-9223372036854775808");
  CHECK(to_text(0.1) == "0.1");
  CHECK(to_text(0.1 + 0.2) == "0.30000000000000004");
  CHECK(to_text(1e-5) == "1e-05");
  CHECK(to_text(2.0) == "2.0");
  CHECK(to_text(0.0001) == "0.0001");
  CHECK(to_text(1e6) == "1000000.0");
  CHECK(to_text(1e15) == "1000000000000000.0");
  CHECK(to_text(1e16) == "1e+16");
  CHECK(to_text(-0.0) == "-0.0");
  CHECK(to_text(std::nan("")) == "nan");
  CHECK(to_text(text("a b\"c")) == "a b\"c");
  CHECK(to_text(Json{"[64,64]"}) == "[64,64]");
}

TEST_CASE("A value as JSON keeps its kind") {
  CHECK(to_json(std::monostate{}) == "null");
  CHECK(to_json(true) == "true");
  CHECK(to_json(integer(3)) == "3");
  CHECK(to_json(3.0) == "3.0");
  CHECK(to_json(text("a\"\n")) == R"("a\"\n")");
  CHECK(to_json(Json{"{\"a\":[1,2]}"}) == "{\"a\":[1,2]}");
  CHECK(to_json(kNan) == "\"NaN\"");
  CHECK(to_json(kInfinity) == "\"Infinity\"");
  CHECK(to_json(-kInfinity) == "\"-Infinity\"");
}

TEST_CASE("Bytes that are not UTF-8 become the replacement character in JSON") {
  CHECK(to_json(text("a\xff")) == "\"a\xEF\xBF\xBD\"");
  CHECK(to_json(Json{"[\"\xff\"]"}) == "[\"\xEF\xBF\xBD\"]");
}

TEST_CASE("Booleans, integers and reals stand for numbers, the rest does not") {
  CHECK(as_number(true) == 1.0);
  CHECK(as_number(false) == 0.0);
  CHECK(as_number(integer(-7)) == -7.0);
  CHECK(as_number(0.5) == 0.5);
  CHECK_FALSE(as_number(text("3")));
  CHECK_FALSE(as_number(std::monostate{}));
  CHECK_FALSE(as_number(Json{"[1]"}));
}

TEST_CASE("A parameter set reads back as it was written, in its order") {
  const Assignment assignment{
      {"--z", 0.1},
      {"a", integer(3)},
      {"real", 3.0},
      {"tiny", 5e-324},
      {"negative zero", -0.0},
      {"flag", true},
      {"nothing", std::monostate{}},
      {"text, with \"all\": {of} [it]\\", text("tab\there, \"quote\" \\ }")},
      {"nested", Json{R"({"sizes":[64,1e-5,1.0],"name":"}],\"{","b":{"c":null}})"}},
      {"list", Json{"[]"}},
      {"large", integer(std::numeric_limits<std::int64_t>::max())},
  };
  const std::string json = to_json(assignment);
  const auto back = assignment_from_json(json);
  REQUIRE(back);
  CHECK(*back == assignment);
  CHECK(to_json(*back) == json);
  CHECK(to_json(Assignment{{"lr", 0.01}, {"layers", integer(2)}}) == R"({"lr":0.01,"layers":2})");
}

TEST_CASE("A NaN comes back as text, which is all JSON has for it") {
  const auto back = assignment_from_json(to_json(Assignment{{"x", kNan}, {"y", kInfinity}}));
  REQUIRE(back);
  CHECK(*back == Assignment{{"x", text("NaN")}, {"y", text("Infinity")}});
}

TEST_CASE("Foreign JSON with spaces, escapes and large numbers is read too") {
  const auto read = assignment_from_json(
      " {\n \"a\\u0062\" : [ 1, 2 ] , \"n\": 18446744073709551615,\"m\":-1 , \"o\":{} , \"p\":1e2,"
      "\"q\":-9223372036854775809,\"r\":1e-999,\"s\": \"\\u00fc\\n\",\"t\" : "
      "false,\"u\":null\r\n} ");
  REQUIRE(read);
  CHECK(*read == Assignment{{"ab", Json{"[ 1, 2 ]"}},
                            {"n", 18446744073709551615.0},
                            {"m", integer(-1)},
                            {"o", Json{"{}"}},
                            {"p", 100.0},
                            {"q", -9223372036854775808.0},
                            {"r", 0.0},
                            {"s", text("\u00fc\n")},
                            {"t", false},
                            {"u", std::monostate{}}});
  const auto empty = assignment_from_json("{}");
  REQUIRE(empty);
  CHECK(empty->empty());
}

TEST_CASE("Text that is not a JSON object is refused with the text in the message") {
  for (const char* bad : {"", "[1]", "3", "{\"a\":}", "{\"a\":1", "{\"a\":1}x", "{\"a\":1e999}",
                          "\xEF\xBB\xBF{\"a\":1}", "nonsense"}) {
    INFO(bad);
    CHECK_FALSE(assignment_from_json(bad));
  }
  CHECK(assignment_from_json("nonsense").error().what.find("\"nonsense\"") != std::string::npos);
}

TEST_CASE("Leading dashes do not count when a parameter is looked up") {
  const Assignment assignment{{"--learning_rate", 0.1}, {"b", integer(2)}};
  REQUIRE(find(assignment, "learning_rate"));
  CHECK(*find(assignment, "learning_rate") == Value(0.1));
  CHECK(find(assignment, "-learning_rate") == find(assignment, "--learning_rate"));
  CHECK(*find(assignment, "--b") == integer(2));
  CHECK(find(assignment, "learning-rate") == nullptr);
  CHECK(bare_name("--learning-rate") == "learning-rate");
  CHECK(bare_name("x") == "x");
  CHECK(bare_name("--").empty());
}
