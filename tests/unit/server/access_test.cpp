// SPDX-License-Identifier: Apache-2.0
#include "server/access.h"

#include <catch2/catch.hpp>
#include <string>

namespace hdrive::server {
namespace {

const std::string kToken = "0123456789abcdef0123456789abcdef";

TEST_CASE("who shows the token is let in") {
  CHECK(authorizes("Bearer " + kToken, kToken));
  CHECK(authorizes("bearer  " + kToken, kToken));
  // "ada:" and the token.
  CHECK(authorizes("Basic YWRhOjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm", kToken));
}

TEST_CASE("nobody else is") {
  for (const std::string& header :
       {std::string(), std::string("Bearer"), "Bearer " + kToken.substr(1),
        "Bearer " + kToken + "0", "Bearer x" + kToken.substr(1), std::string("Bearer "), kToken,
        "Digest " + kToken, std::string("Basic YWRhOng="), std::string("Basic !!!"),
        std::string("Basic ")})
    CHECK(!authorizes(header, kToken));
  CHECK(!authorizes("Bearer ", ""));
}

}  // namespace
}  // namespace hdrive::server
