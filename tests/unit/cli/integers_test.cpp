// SPDX-License-Identifier: Apache-2.0
#include "cli/integers.h"

#include "tests/catch.h"

using hdrive::cli::parse_integer;

TEST_CASE("A whole number within its range is taken, blanks around it aside") {
  CHECK(*parse_integer(" -5 ", std::int64_t{-9}) == -5);
  CHECK(*parse_integer("9223372036854775807", std::int64_t{0}) == INT64_MAX);
  CHECK(*parse_integer("18446744073709551615", std::uint64_t{0}) == UINT64_MAX);
}

TEST_CASE("A number out of range is an error that says what is allowed") {
  CHECK(parse_integer("-1", std::uint64_t{0}).error().what ==
        "\"-1\" is out of range; allowed: a whole number from 0 to 18446744073709551615");
  CHECK(parse_integer("99999999999999999999", std::int64_t{0}).error().what ==
        "\"99999999999999999999\" is out of range; allowed: a whole number from 0 to "
        "9223372036854775807");
  CHECK_FALSE(parse_integer("18446744073709551616", std::uint64_t{0}));
  CHECK_FALSE(parse_integer("-1", std::int64_t{0}));
}

TEST_CASE("What is no whole number is called so") {
  for (const char* text : {"", "-", "1.5", "1e6", "0x10", "5x", "five", "--5"})
    CHECK(parse_integer(text, std::int64_t{0}).error().what.find("is no whole number") !=
          std::string::npos);
}
