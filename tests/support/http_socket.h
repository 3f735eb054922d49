// SPDX-License-Identifier: Apache-2.0
//
// A client that says what a test wants said, byte by byte, to a server on the loopback address.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace hdrive::test {

/// Waits until it is so.
inline void until(const std::function<bool()>& so) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!so()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
}

class HttpSocket {
 public:
  explicit HttpSocket(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~HttpSocket() { ::close(fd_); }
  HttpSocket(const HttpSocket&) = delete;
  HttpSocket& operator=(const HttpSocket&) = delete;

  void send(std::string_view text) {
    REQUIRE(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  /// What comes up to and with `end`; what comes behind it is for the next call.
  std::string read_until(std::string_view end) {
    while (true) {
      if (const std::size_t at = come_.find(end); at != come_.npos) {
        std::string told = come_.substr(0, at + end.size());
        come_.erase(0, at + end.size());
        return told;
      }
      INFO("so far: " << come_);
      REQUIRE(read_more());
    }
  }
  /// What comes until the server closes; a connection that is reset is at its end, too.
  std::string read_to_end() {
    while (read_more()) continue;
    return std::exchange(come_, {});
  }

 private:
  bool read_more() {
    std::array<char, 65536> piece;
    const ssize_t count = ::recv(fd_, piece.data(), piece.size(), 0);
    if (count < 0) REQUIRE((errno == ECONNRESET || errno == EPIPE));
    if (count <= 0) return false;
    come_.append(piece.data(), static_cast<std::size_t>(count));
    return true;
  }

  const int fd_;
  std::string come_;
};

}  // namespace hdrive::test
