// SPDX-License-Identifier: Apache-2.0
//
// What may lie between a run and the sweep's server: it passes HTTP requests on, one a connection, and does so badly.
// A thread of its own.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/file.h"

namespace hdrive::test {

enum class HttpFault {
  lost_answers,    // every second post gets there, and its answer doesn't come back
  repeated_posts,  // each post gets there twice, and once more behind the next one
  absences         // of eight requests two in a row meet nobody
};

class FaultyProxy {
 public:
  explicit FaultyProxy(HttpFault fault) : fault_(fault), listener_(socket_of_tcp()) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("cannot listen on the loopback address");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FaultyProxy() {
    ending_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;

  int port() const { return port_; }
  /// The server's port on this machine, from now on.
  void lead_to(int port) { server_ = port; }
  int requests() const { return requests_; }
  int faults() const { return faults_; }

 private:
  static base::UniqueFd socket_of_tcp() {
    return base::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void serve() {
    while (!ending_) {
      const base::UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) continue;
      const timeval patience{20, 0};
      ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      const std::string request = read_request(client.get());
      if (!request.empty()) send(client.get(), answer_to(request));
    }
  }

  // Nothing: the client hears none.
  std::string answer_to(const std::string& request) {
    const int number = requests_++;
    if (fault_ == HttpFault::absences && number % 8 >= 6) {
      ++faults_;
      return "";
    }
    const std::string answer = pass_on(request);
    if (request.starts_with("GET ")) return answer;
    const int post = posts_++;
    if (fault_ == HttpFault::lost_answers && post % 2 == 0) {
      ++faults_;
      return "";
    }
    if (fault_ == HttpFault::repeated_posts) {
      ++faults_;
      pass_on(request);
      if (!before_.empty()) pass_on(before_);
      before_ = request;
    }
    return answer;
  }

  std::string pass_on(const std::string& request) const {
    const base::UniqueFd server = socket_of_tcp();
    const sockaddr_in address = loopback(server_);
    if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return "";
    // So that the answer ends with its connection.
    std::string closing = request;
    closing.insert(closing.find("\r\n") + 2, "Connection: close\r\n");
    send(server.get(), closing);
    std::string answer;
    while (read_more(server.get(), answer)) continue;
    return answer;
  }

  static std::string read_request(int fd) {
    std::string text;
    std::size_t head = 0;
    while ((head = text.find("\r\n\r\n")) == text.npos)
      if (!read_more(fd, text)) return "";
    std::string lower = text.substr(0, head + 2);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::string_view kLength = "\r\ncontent-length:";
    const auto at = lower.find(kLength);
    const std::size_t length =
        at == lower.npos ? 0 : std::strtoull(lower.c_str() + at + kLength.size(), nullptr, 10);
    while (text.size() < head + 4 + length)
      if (!read_more(fd, text)) return "";
    return text;
  }
  static bool read_more(int fd, std::string& text) {
    std::array<char, 65536> piece;
    const ssize_t count = ::recv(fd, piece.data(), piece.size(), 0);
    if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
    return count > 0;
  }
  static void send(int fd, const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t count = ::send(fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (count <= 0) return;
      at += static_cast<std::size_t>(count);
    }
  }

  const HttpFault fault_;
  base::UniqueFd listener_;
  int port_ = 0;
  std::atomic<int> server_ = 0, requests_ = 0, faults_ = 0;
  std::atomic<bool> ending_ = false;
  int posts_ = 0;
  std::string before_;
  std::thread thread_;
};

}  // namespace hdrive::test
