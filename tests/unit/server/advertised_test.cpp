// SPDX-License-Identifier: Apache-2.0
#include "server/advertised.h"

#include <catch2/catch.hpp>

namespace hdrive::server {
namespace {

using Catch::Matchers::Contains;

ServerOptions options(std::string address, std::string advertise, bool certificate = false) {
  ServerOptions result;
  result.address = std::move(address);
  result.advertise = std::move(advertise);
  if (certificate) {
    result.certificate = "c.pem";
    result.key = "k.pem";
  }
  return result;
}

ServerPlan plan(std::string address, std::string advertise, bool certificate = false) {
  const auto result = plan_server(options(std::move(address), std::move(advertise), certificate));
  if (!result) FAIL(result.error().message());
  return *result;
}

std::string fault(std::string address, std::string advertise, bool certificate = false) {
  const auto result = plan_server(options(std::move(address), std::move(advertise), certificate));
  return result ? "" : result.error().message();
}

TEST_CASE("without a word the server is this machine's alone") {
  const ServerPlan it = plan("", "");
  CHECK(it.listen == Address{"127.0.0.1", 0});
  CHECK_FALSE(it.advertise);
  CHECK_FALSE(plan("127.0.0.1:5000", "").advertise);
}

TEST_CASE("an address to be reached by is enough: the server listens at all of the machine's") {
  const ServerPlan it = plan("", "http://node0:5000");
  CHECK(it.listen == Address{"0.0.0.0", 5000});
  CHECK(it.advertise == Address{"node0", 5000});
  CHECK_FALSE(it.advertise_tls);
  const ServerPlan tls = plan("", "node0", true);
  CHECK(tls.listen == Address{"0.0.0.0", 0});
  CHECK(tls.advertise == Address{"node0", 0});
  CHECK(tls.tls);
  CHECK(tls.advertise_tls);
  CHECK(plan("", "http://[fd00::1]:5000/").listen == Address{"::", 5000});
}

TEST_CASE("an address to listen at is also the one to be reached by, where others can use it") {
  CHECK(plan("http://10.0.0.1:5000", "").advertise == Address{"10.0.0.1", 0});
  CHECK(plan("http://0.0.0.0", "http://gate:80").advertise == Address{"gate", 80});
  CHECK(plan("http://0.0.0.0", "http://gate:80").listen == Address{"0.0.0.0", 0});
  CHECK(plan("10.0.0.1:5000", "", true).advertise_tls);
}

TEST_CASE("a proxy in front, and a tunnel, leave the server at the loopback address") {
  const ServerPlan proxy = plan("127.0.0.1:5000", "https://sweeps.example:443");
  CHECK(proxy.listen == Address{"127.0.0.1", 5000});
  CHECK(proxy.advertise_tls);
  CHECK_FALSE(proxy.tls);
  CHECK(plan("", "127.0.0.1:5000").listen == Address{"127.0.0.1", 5000});
}

TEST_CASE("nothing goes through a network unprotected without its being said") {
  CHECK_THAT(fault("", "node0"), Contains("say http://node0 where"));
  CHECK_THAT(fault("", "auto"), Contains("server_certificate and server_key"));
  CHECK_THAT(fault("0.0.0.0:5000", ""),
             Contains("server_address: ") && Contains("http://0.0.0.0:5000"));
  CHECK_THAT(fault("10.0.0.1", "127.0.0.1"), Contains("without a certificate"));
  CHECK_THAT(fault("10.0.0.1", "https://sweeps.example"), Contains("server_address: "));
}

TEST_CASE("what contradicts itself is told with the key to change") {
  CHECK_THAT(fault("", "http://node0", true), Contains("server_advertise: says http://"));
  CHECK_THAT(fault("", "", true), Contains("give server_advertise: HOST"));
  CHECK_THAT(fault("", "no where"), Contains("\"no where\" is no address"));
  CHECK_THAT(fault("nowhere:x", ""), Contains("HOST:PORT"));
  ServerOptions half = options("", "node0");
  half.key = "k.pem";
  CHECK_THAT(plan_server(half).error().message(), Contains("server_certificate: is missing"));
}

}  // namespace
}  // namespace hdrive::server
