// SPDX-License-Identifier: Apache-2.0
#include "server/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <memory>

namespace hdrive::server {
namespace {

constexpr int kBacklog = 4096;
constexpr char kLoopback[] = "127.0.0.1";

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port < 0 || port > 65535)
    return std::nullopt;
  return port;
}

bool is_host(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t/@[]") == text.npos;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos || !is_host(text.substr(1, end - 1))) return std::nullopt;
    const std::string host(text.substr(1, end - 1));
    const std::string_view rest = text.substr(end + 1);
    if (rest.empty()) return Address{host, 0};
    const auto port = rest.starts_with(':') ? parse_port(rest.substr(1)) : std::nullopt;
    if (!port) return std::nullopt;
    return Address{host, *port};
  }
  const std::size_t colon = text.find(':');
  // More than one colon and no brackets: an address of IPv6 alone.
  if (colon != text.npos && text.find(':', colon + 1) != text.npos)
    return is_host(text) ? std::optional(Address{std::string(text), 0}) : std::nullopt;
  const std::string_view host = text.substr(0, colon);
  if (colon == text.npos)
    return is_host(host) ? std::optional(Address{std::string(host), 0}) : std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  if (!port || (!host.empty() && !is_host(host))) return std::nullopt;
  return Address{host.empty() ? kLoopback : std::string(host), *port};
}

std::string to_string(const Address& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Address reachable(const Address& address) {
  if (address.host == "0.0.0.0") return {kLoopback, address.port};
  if (address.host == "::") return {"::1", address.port};
  return address;
}

Result<base::UniqueFd> listen_at(const Address& address) {
  const std::string where = to_string(address);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error =
          ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
      error != 0)
    return Error{where, std::string("cannot listen there: ") + ::gai_strerror(error),
                 Error::Kind::invalid};
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  base::UniqueFd fd(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  // What a connection of a moment ago leaves behind does not keep the port.
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(fd.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    Error error = base::system_error(where, "listen there", errno);
    if (errno == EADDRINUSE) error.kind = Error::Kind::busy;
    return error;
  }
  return fd;
}

int port_of(const base::UniqueFd& listener) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace hdrive::server
