// SPDX-License-Identifier: Apache-2.0
#include "server/advertised.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace hdrive::server {
namespace {

constexpr char kLoopbackHost[] = "127.0.0.1";
constexpr char kAuto[] = "auto";

Error fault(const char* key, std::string what) {
  return {key, std::move(what), Error::Kind::invalid};
}

Scheme take_scheme(std::string_view& text) {
  for (const auto& [words, scheme] :
       {std::pair("http://", Scheme::http), std::pair("https://", Scheme::https)}) {
    if (!base::lower(text.substr(0, std::string_view(words).size())).starts_with(words)) continue;
    text.remove_prefix(std::string_view(words).size());
    if (text.ends_with('/')) text.remove_suffix(1);
    return scheme;
  }
  return Scheme::none;
}

Result<std::string> find_host(bool tls) {
  const auto host = tls ? own_name() : own_address();
  if (host && *host != "localhost" && !is_loopback({*host, 0})) return *host;
  return fault("server_advertise",
               std::string("this machine has no ") + (tls ? "name" : "address") +
                   " that others could use, as far as it knows; give it: server_advertise: HOST");
}

Result<Address> read_address(const char* key, std::string_view text, std::string_view whole) {
  if (const auto address = parse_address(text)) return *address;
  return fault(
      key, base::json_string(whole) + " is no address; allowed: HOST, HOST:PORT" +
               (std::string_view(key) == "server_address" ? " or :PORT" : ", auto or auto:PORT") +
               ", with or without http:// in front");
}

constexpr char kUnprotected[] =
    "without a certificate what runs send, the sweep's token included, could be read on the way; "
    "give "
    "server_certificate and server_key, or say http://";

}  // namespace

bool is_any(const Address& address) { return address.host == "0.0.0.0" || address.host == "::"; }

// Nothing is sent for it.
std::optional<std::string> own_address() {
  const base::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in other{};
  other.sin_family = AF_INET;
  other.sin_port = htons(9);
  ::inet_pton(AF_INET, "192.0.2.1",
              &other.sin_addr);  // of no machine: for documentation (RFC 5737)
  sockaddr_in own{};
  socklen_t length = sizeof own;
  char text[INET_ADDRSTRLEN] = {};
  if (!fd || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&other), sizeof other) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0 ||
      !::inet_ntop(AF_INET, &own.sin_addr, text, sizeof text))
    return std::nullopt;
  return std::string(text);
}

// A certificate is for a name.
std::optional<std::string> own_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return std::nullopt;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_flags = AI_CANONNAME;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name, nullptr, &hints, &found) != 0) return std::string(name);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);
  return list->ai_canonname ? std::string(list->ai_canonname) : std::string(name);
}

bool is_loopback(const Address& address) {
  return address.host.starts_with("127.") || address.host == "::1" || address.host == "localhost";
}

Result<ServerPlan> plan_server(const ServerOptions& options) {
  ServerPlan plan;
  std::string_view listen = options.address, advertise = options.advertise;
  const Scheme listens = take_scheme(listen), advertises = take_scheme(advertise);
  plan.listen = {kLoopbackHost, 0};
  plan.listen_given = !listen.empty();
  if (plan.listen_given) {
    const auto address = read_address("server_address", listen, options.address);
    if (!address) return address.error();
    plan.listen = *address;
  }
  std::optional<Address> told;
  if (!advertise.empty()) {
    const auto address = read_address("server_advertise", advertise, options.advertise);
    if (!address) return address.error();
    told = *address;
  }
  plan.tls = !options.certificate.empty();
  if (options.certificate.empty() != options.key.empty())
    return fault(plan.tls ? "server_key" : "server_certificate",
                 "is missing: a certificate and its private key belong together");
  const bool beyond = !is_loopback(plan.listen);
  if (plan.tls && !told && !beyond)
    return fault("server_certificate",
                 "is for a server that other machines reach; give server_advertise: HOST, too");
  if (plan.tls && (listens == Scheme::http || advertises == Scheme::http))
    return fault(
        listens == Scheme::http ? "server_address" : "server_advertise",
        "says http://, but there is a certificate; say https://, or leave one of the two away");
  // An address of this machine alone is one end of a tunnel.
  const bool tunnel = told && told->host != kAuto && is_loopback(*told);
  const bool allowed = listens == Scheme::http || advertises == Scheme::http || (tunnel && !beyond);
  if (told && !plan.tls && advertises == Scheme::none && !allowed)
    return fault("server_advertise",
                 std::string(kUnprotected) + std::string(advertise) +
                     " where the network is to be trusted; https:// is for a proxy "
                     "in front of the server that speaks TLS");
  if (beyond && !plan.tls && !allowed)
    return fault("server_address", std::string(kUnprotected) + std::string(listen) +
                                       " where the network is to be trusted");
  // With a proxy in front, or through a tunnel, nobody else reaches the server itself.
  if (told && !plan.listen_given && (plan.tls || advertises == Scheme::http))
    plan.listen = {told->host.find(':') == std::string::npos ? "0.0.0.0" : "::", told->port};
  else if (tunnel && !plan.listen_given)
    plan.listen = *told;
  if (!told && beyond) told = Address{is_any(plan.listen) ? kAuto : plan.listen.host, 0};
  if (!told) return plan;
  plan.advertise_tls = plan.tls || advertises == Scheme::https;
  if (told->host == kAuto) {
    const auto host = find_host(plan.advertise_tls);
    if (!host) return host.error();
    told->host = *host;
  }
  plan.advertise = *told;
  return plan;
}

}  // namespace hdrive::server
