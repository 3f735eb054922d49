// SPDX-License-Identifier: Apache-2.0
#include "cli/listing.h"

#include <limits>

#include "cli/parameters.h"
#include "tests/catch.h"

using namespace hdrive;
using namespace hdrive::cli;

namespace {

Listing example() {
  Listing listing;
  listing.columns = {{"number", "RUN", Align::right},
                     {"hidden", ""},
                     {"empty", "EMPTY"},
                     {"value", "VALUE", Align::right, 0, 1},
                     {"text", "TEXT", Align::left, 8}};
  listing.rows = {{{7, "7"}, {nullptr, ""}, {"", ""}, {0.5, "0.5"}, {"a,b", "short"}},
                  {{12, "12"},
                   {"x\"y", ""},
                   {"", ""},
                   {std::numeric_limits<double>::quiet_NaN(), "nan"},
                   {"two\nlines", "quite a long text"}}};
  return listing;
}

}  // namespace

TEST_CASE("A table aligns numbers to the right and has no trailing blanks") {
  CHECK(example().table(0) ==
        "RUN  VALUE  TEXT\n"
        "  7    0.5  short\n"
        " 12    nan  quite a long text\n");
}

TEST_CASE("A table too wide cuts its longest texts, then leaves out columns") {
  CHECK(example().table(22) ==
        "RUN  VALUE  TEXT\n"
        "  7    0.5  short\n"
        " 12    nan  quite a...\n");
  CHECK(example().table(14) ==
        "RUN  TEXT\n"
        "  7  short\n"
        " 12  quite ...\n");
  CHECK(example().table(10) == "RUN  TEXT\n  7  short\n 12  qu...\n");
  CHECK(example().table(6) == "RUN\n  7\n 12\n");
}

TEST_CASE("A number is never cut: its head is, other columns go, and then it is left out") {
  const Listing listing{
      {{"number", "RUN", Align::right},
       {"status", "STATUS"},
       {"best", "validation_cross_entropy", Align::right},
       {"text", "TEXT", Align::left, 8, 1}},
      {{{7, "7"}, {"", "Completed"}, {1.23457e-05, "1.23457e-05"}, {"", "lr=1"}}}};
  CHECK(listing.table(36) ==
        "RUN  STATUS     validation_cross_...\n  7  Completed           1.23457e-05\n");
  CHECK(listing.table(24) == "RUN  STATUS  validati...\n  7  Com...  1.23457e-05\n");
  CHECK(listing.table(20) == "RUN  validati...\n  7  1.23457e-05\n");
  CHECK(listing.table(15) == "RUN\n  7\n");
  for (int width = 1; width < 60; ++width) {
    const std::string table = listing.table(width);
    INFO(table);
    CHECK((table.find("1.23457e-05") != table.npos || table.find("1.2") == table.npos));
  }
  const Listing alone{{{"value", "VALUE", Align::right}}, {{{0.125, "0.125"}}}};
  CHECK(alone.table(4) == "V...\n ...\n");
}

TEST_CASE("Of columns that may go alike the last goes first") {
  const Listing listing{
      {{"a", "AAAA"}, {"b", "BBBB", Align::left, 0, 1}, {"c", "CCCC", Align::left, 0, 1}},
      {{{1, "1"}, {2, "2"}, {3, "3"}}}};
  CHECK(listing.table(16) == "AAAA  BBBB  CCCC\n1     2     3\n");
  CHECK(listing.table(15) == "AAAA  BBBB\n1     2\n");
  CHECK(listing.table(9) == "AAAA\n1\n");
}

TEST_CASE("JSON keeps every column, the kinds of values and what JSON has no number for") {
  CHECK(example().json() ==
        "[\n"
        R"({"number":7,"hidden":null,"empty":"","value":0.5,"text":"a,b"})"
        ",\n"
        R"({"number":12,"hidden":"x\"y","empty":"","value":"NaN","text":"two\nlines"})"
        "\n]\n");
  CHECK(Listing{{{"a", "A"}}, {}}.json() == "[]\n");
}

TEST_CASE("Bytes that are no UTF-8 do not break JSON") {
  const Listing listing{{{"a", "A"}}, {{{std::string("\xFF"), ""}}}};
  CHECK(listing.json() == "[\n{\"a\":\"\xEF\xBF\xBD\"}\n]\n");
}

TEST_CASE("CSV quotes where it must") {
  CHECK(example().csv() ==
        "number,hidden,empty,value,text\n"
        "7,,,0.5,\"a,b\"\n"
        "12,\"x\"\"y\",,NaN,\"two\nlines\"\n");
}

TEST_CASE("A parameter named as another column gets a column of its own") {
  CHECK(parameter_columns({"--lr", "status"}, {"number", "status"}) ==
        std::vector<std::string>{"lr", "hyperparameters.status"});
}

TEST_CASE("What a program reads keeps its kind: null, text that looks like it, numbers, JSON") {
  const Listing listing{{{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}, {"e", ""}},
                        {{{nullptr, ""},
                          {"null", ""},
                          {std::optional<double>(1e-6), ""},
                          {JsonValue::json(R"({"x":[1,"y"]})"), ""},
                          {JsonValue::time(Time{std::chrono::microseconds{1'500'000}}), ""}}}};
  CHECK(listing.json() ==
        "[\n"
        R"({"a":null,"b":"null","c":1e-06,"d":{"x":[1,"y"]},"e":"1970-01-01T00:00:01.500000Z"})"
        "\n]\n");
  CHECK(listing.csv() ==
        "a,b,c,d,e\n,null,1e-06,\"{\"\"x\"\":[1,\"\"y\"\"]}\",1970-01-01T00:00:01.500000Z\n");
}

TEST_CASE("A parameter's text is no JSON in CSV, and one that is absent is nothing") {
  const Assignment parameters{{"a", std::string("on")}, {"b", 0.5}};
  const Listing listing{
      {{"a", ""}, {"b", ""}, {"c", ""}},
      {{cell_of(parameters, "a"), cell_of(parameters, "b"), cell_of(parameters, "c")}}};
  CHECK(listing.csv() == "a,b,c\non,0.5,\n");
  CHECK(listing.json() == "[\n{\"a\":\"on\",\"b\":0.5,\"c\":null}\n]\n");
}
