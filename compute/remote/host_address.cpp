// SPDX-License-Identifier: Apache-2.0
#include "compute/remote/host_address.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace hdrive::compute::remote {
namespace {

constexpr int kMostTries = 50;

// Whether nobody listens there, at any address of this machine.
bool is_free(int port, int& chosen) {
  const base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  socklen_t size = sizeof address;
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return false;
  chosen = ntohs(address.sin_port);
  return true;
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

}  // namespace

// "client port server port".
std::string address_by(std::string_view connection) {
  const auto words = base::split(connection, ' ');
  if (words.size() == 4 && !is_loopback(std::string(words[2]))) {
    const std::string address(words[2]);
    return address.starts_with("::ffff:") ? address.substr(7) : address;
  }
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

int free_ports(int count, std::set<int>& taken) {
  for (int tries = 0; tries < kMostTries; ++tries) {
    int first = 0, ignored = 0;
    bool free = is_free(0, first) && first + count < 65536;
    for (int i = 1; free && i < count; ++i) free = is_free(first + i, ignored);
    for (int i = 0; free && i < count; ++i) free = !taken.contains(first + i);
    if (!free) continue;
    for (int i = 0; i < count; ++i) taken.insert(first + i);
    return first;
  }
  return 0;
}

}  // namespace hdrive::compute::remote
