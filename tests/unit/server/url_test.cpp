// SPDX-License-Identifier: Apache-2.0
#include "server/url.h"

#include <catch2/catch.hpp>

namespace hdrive::server {
namespace {

using Parts = std::vector<std::string>;

TEST_CASE("percent escapes become bytes, and a plus is a blank in queries alone") {
  CHECK(percent_decoded("a%20b%2Fc+d") == "a b/c+d");
  CHECK(percent_decoded("a+b", true) == "a b");
  CHECK(percent_decoded("%c3%BC") == "\xc3\xbc");
}

TEST_CASE("an escape that is cut short, is no number or stands for a zero byte is refused") {
  for (const char* text : {"%", "a%2", "%zz", "%00", "a%00b"}) CHECK(!percent_decoded(text));
}

TEST_CASE("a query is a list of names and values in their order") {
  const auto fields = parse_query("a=1&b=x%3Dy&a=&flag&&");
  REQUIRE(fields);
  CHECK(*fields == std::vector<std::pair<std::string, std::string>>{
                       {"a", "1"}, {"b", "x=y"}, {"a", ""}, {"flag", ""}});
  CHECK(!parse_query("a=%zz"));
}

TEST_CASE("no path leads out of its folder") {
  CHECK(path_parts("a/b.txt") == Parts{"a", "b.txt"});
  CHECK(path_parts("") == Parts{});
  CHECK(path_parts("..a/...") == Parts{"..a", "..."});
  for (const char* path : {"..", "a/../b", "/etc/passwd", "a//b", ".", "a/.", "a/"})
    CHECK(!path_parts(path));
  CHECK(!path_parts(std::string(256, 'x')));
}

}  // namespace
}  // namespace hdrive::server
