// SPDX-License-Identifier: Apache-2.0
#include "server/listener.h"

#include <fcntl.h>

#include <catch2/catch.hpp>

#include "server/kept_address.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::server {
namespace {

TEST_CASE("an address is a host, a port or both") {
  CHECK(parse_address("127.0.0.1") == Address{"127.0.0.1", 0});
  CHECK(parse_address("0.0.0.0:5000") == Address{"0.0.0.0", 5000});
  CHECK(parse_address(":5000") == Address{"127.0.0.1", 5000});
  CHECK(parse_address("[::1]:5000") == Address{"::1", 5000});
  CHECK(parse_address("::1") == Address{"::1", 0});
  for (const char* text :
       {"", "host:", "host:x", "host:70000", "host:-1", "[::1", "[::1]x", "a b", "http://x:1"})
    CHECK(!parse_address(text));
}

TEST_CASE("what listens at all addresses is reached at the loopback one") {
  CHECK(to_string(reachable({"0.0.0.0", 5000})) == "127.0.0.1:5000");
  CHECK(to_string(reachable({"::", 5000})) == "[::1]:5000");
  CHECK(to_string(reachable({"10.0.0.1", 5000})) == "10.0.0.1:5000");
}

TEST_CASE("a port has one listener, which no program inherits") {
  const auto first = listen_at({"127.0.0.1", 0});
  REQUIRE(first);
  const int port = port_of(*first);
  CHECK(port > 0);
  CHECK((::fcntl(first->get(), F_GETFD) & FD_CLOEXEC) != 0);
  const auto second = listen_at({"127.0.0.1", port});
  REQUIRE(!second);
  CHECK(second.error().kind == Error::Kind::busy);
}

TEST_CASE("address and token are kept for their owner alone") {
  const test::TemporaryDirectory folder;
  CHECK(!read_kept_address(folder.path()));
  const KeptAddress kept{{"127.0.0.1", 20'000}, std::string(64, 'a')};
  REQUIRE(keep_address(folder.path(), kept));
  const auto found = read_kept_address(folder.path());
  REQUIRE(found);
  CHECK(found->address == kept.address);
  CHECK(found->token == kept.token);
  CHECK(std::filesystem::status(folder.path() / "server.json").permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("a damaged server.json is none") {
  const test::TemporaryDirectory folder;
  for (const char* text :
       {"", "[]", "{\"version\": 2}", "{\"version\": 1, \"host\": 3}",
        "{\"version\": 1, \"host\": \"h\", \"port\": 70000, \"token\": \""
        "0123456789abcdef0123456789abcdef\"}",
        "{\"version\": 1, \"host\": \"h\", \"port\": 1, \"token\": \"short\"}"}) {
    REQUIRE(base::write_file_atomically(folder.path() / "server.json", text));
    CHECK(!read_kept_address(folder.path()));
  }
}

}  // namespace
}  // namespace hdrive::server
