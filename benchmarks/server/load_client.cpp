// SPDX-License-Identifier: Apache-2.0
//
// A training script that does nothing but log with MLflow's protocol, at a given pace: one connection, one request
// after the other, as MLflow's client does. It takes server, token and run from its environment.
//
//   load_client RATE SECONDS BATCH
//
// logs RATE values a second for so many SECONDS: each by a log-metric of its own, or BATCH of them by a log-batch.
// Prints how many were answered, and by how many milliseconds: the median, 99 of 100, the longest.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Server {
  std::string host, port, prefix, token, run;
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// "http://127.0.0.1:20000/runs/7"
Server server() {
  Server result{"", "", "", variable("MLFLOW_TRACKING_TOKEN"), variable("MLFLOW_RUN_ID")};
  const std::string uri = variable("MLFLOW_TRACKING_URI");
  const std::size_t host = uri.find("//") + 2, colon = uri.find(':', host),
                    slash = uri.find('/', colon);
  result.host = uri.substr(host, colon - host);
  result.port = uri.substr(colon + 1, slash - colon - 1);
  result.prefix = slash == uri.npos ? "" : uri.substr(slash);
  return result;
}

int connect_to(const Server& server) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(server.port)));
  ::inet_pton(AF_INET, server.host.c_str(), &address.sin_addr);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  std::perror("connect");
  std::exit(1);
}

// Milliseconds since 1970, a value of their own for each metric: MLflow takes two of one for the same.
std::string metric(long number) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  return fmt::format("\"key\": \"load\", \"value\": {}, \"timestamp\": {}, \"step\": {}",
                     1.0 / static_cast<double>(number + 1), now, number);
}

std::string request(const Server& server, long first, long batch) {
  std::string body = fmt::format("{{\"run_id\": \"{}\", ", server.run);
  if (batch == 1) {
    body += metric(first) + "}";
  } else {
    body += "\"metrics\": [";
    for (long i = 0; i < batch; ++i) body += (i > 0 ? ", {" : "{") + metric(first + i) + "}";
    body += "]}";
  }
  return fmt::format(
      "POST {}/api/2.0/mlflow/runs/{} HTTP/1.1\r\nHost: {}:{}\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      server.prefix, batch == 1 ? "log-metric" : "log-batch", server.host, server.port,
      server.token, body.size(), body);
}

// Whether the whole of an answer of status 200 came.
bool is_answered(int fd) {
  std::string answer;
  char buffer[4096];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count <= 0) return false;
    answer.append(buffer, static_cast<std::size_t>(count));
    const std::size_t end = answer.find("\r\n\r\n");
    if (end == answer.npos) continue;
    const std::size_t length = answer.find("Content-Length: ");
    if (answer.size() >= end + 4 + std::stoul(answer.substr(length + 16))) break;
  }
  return answer.starts_with("HTTP/1.1 200");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const double rate = std::atof(argv[1]), seconds = std::atof(argv[2]);
  const long batch = std::max(1L, std::atol(argv[3]));
  const Server to = server();
  const int fd = connect_to(to);
  std::vector<double> milliseconds;
  const auto began = Clock::now();
  const auto count = static_cast<long>(rate * seconds);
  for (long first = 0; first < count; first += batch) {
    std::this_thread::sleep_until(
        began + std::chrono::duration_cast<Clock::duration>(
                    std::chrono::duration<double>(static_cast<double>(first) / rate)));
    const std::string text = request(to, first, std::min(batch, count - first));
    const auto sent = Clock::now();
    if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        !is_answered(fd)) {
      std::fprintf(stderr, "no answer to metric %ld\n", first);
      return 1;
    }
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - sent).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto quantile = [&](double part) {
    return milliseconds[static_cast<std::size_t>(part *
                                                 static_cast<double>(milliseconds.size() - 1))];
  };
  const double took = std::chrono::duration<double>(Clock::now() - began).count();
  std::printf("%ld %.3f %.3f %.3f %.3f\n", count, took, quantile(0.5), quantile(0.99), quantile(1));
}
