// SPDX-License-Identifier: Apache-2.0
//
// Answers that another thread makes, and those without an end, over real sockets.
#include "server/http_server.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "server/listener.h"
#include "tests/support/http_socket.h"

namespace hdrive::server {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

// "/now" is answered at once, "/later" by whom the test says, with the reply it takes from here.
class Board final : public Handler {
 public:
  Intake begin(const Request& /*head*/) override { return std::monostate(); }
  Response handle(const Request& request) override {
    Response response;
    response.type = "text/plain";
    response.body = request.path + " " + request.host + " " + request.intent;
    if (request.path == "/later")
      response.later = [this](std::shared_ptr<Reply> reply) {
        const std::lock_guard lock(mutex_);
        replies_.push_back(std::move(reply));
        changed_.notify_all();
      };
    return response;
  }
  Response refuse(int status, std::string_view why) override {
    return {status, "text/plain", std::string(why), {}, ""};
  }

  std::shared_ptr<Reply> take() {
    std::unique_lock lock(mutex_);
    REQUIRE(
        changed_.wait_for(lock, std::chrono::seconds{20}, [this] { return !replies_.empty(); }));
    auto reply = std::move(replies_.back());
    replies_.pop_back();
    return reply;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Reply>> replies_;
};

struct Served {
  std::shared_ptr<Board> board = std::make_shared<Board>();
  int port = 0;
  std::unique_ptr<HttpServer> server;

  Served() {
    auto listener = listen_at({"127.0.0.1", 0});
    REQUIRE(listener);
    port = port_of(*listener);
    auto started = HttpServer::start(*std::move(listener), board);
    REQUIRE(started);
    server = *std::move(started);
  }
};

Response text(std::string body) { return {200, "text/plain", std::move(body), {}, ""}; }

TEST_CASE("an answer that another thread makes comes later, and the connection goes on") {
  Served served;
  test::HttpSocket client(served.port);
  client.send("GET /later HTTP/1.1\r\nHost: here\r\nX-Hdrive: 1\r\n\r\n");
  auto reply = served.board->take();
  std::thread([&] { reply->answer(text("from elsewhere")); }).join();
  CHECK_THAT(client.read_until("from elsewhere"), StartsWith("HTTP/1.1 200 OK\r\n"));
  client.send("GET /now HTTP/1.1\r\nHost: here\r\nX-Hdrive: 1\r\n\r\n");
  CHECK_THAT(client.read_until("/now here 1"), Contains("Content-Length: 11\r\n"));
}

TEST_CASE("others are served while one waits for its answer") {
  Served served;
  test::HttpSocket first(served.port), second(served.port);
  first.send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
  const auto reply = served.board->take();
  second.send("GET /now HTTP/1.1\r\nHost: here\r\n\r\n");
  CHECK_THAT(second.read_until("/now here"), StartsWith("HTTP/1.1 200 OK\r\n"));
  reply->answer(text("at last"));
  CHECK_THAT(first.read_until("at last"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("a stream has no length, and its pieces come as they are sent") {
  Served served;
  test::HttpSocket client(served.port);
  client.send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
  const auto reply = served.board->take();
  reply->begin({200, "text/event-stream", "", {}, "Cache-Control: no-store\r\n"});
  reply->send("data: 1\n\n");
  const std::string head = client.read_until("data: 1\n\n");
  CHECK_THAT(head, Contains("Content-Type: text/event-stream\r\nCache-Control: no-store\r\n"));
  CHECK_THAT(head, !Contains("Content-Length"));
  reply->send("data: 2\n\n");
  CHECK(client.read_until("data: 2\n\n") == "data: 2\n\n");
}

TEST_CASE("what a client does not take is counted, and a client that is gone is known") {
  Served served;
  auto client = std::make_unique<test::HttpSocket>(served.port);
  client->send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
  const auto reply = served.board->take();
  reply->begin({200, "text/event-stream", "", {}, ""});
  reply->send(std::string(32 << 20, '.'));
  REQUIRE(reply->unsent());
  CHECK(*reply->unsent() > 0);
  client.reset();
  test::until([&] { return !reply->unsent(); });
  reply->send("into nothing");
}

TEST_CASE("a reply that is dropped closes the connection") {
  Served served;
  test::HttpSocket client(served.port);
  client.send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
  served.board->take().reset();
  CHECK(client.read_to_end().empty());
}

TEST_CASE("a server ends while answers are owed, and what is said afterwards goes nowhere") {
  Served served;
  test::HttpSocket client(served.port), stream(served.port);
  client.send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
  auto owed = served.board->take();
  stream.send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
  auto endless = served.board->take();
  endless->begin({200, "text/event-stream", "", {}, ""});
  endless->send("data: 1\n\n");
  stream.read_until("data: 1\n\n");
  served.server.reset();
  owed->answer(text("too late"));
  endless->send("data: 2\n\n");
  CHECK_FALSE(endless->unsent());
  CHECK(client.read_to_end().empty());
  CHECK(stream.read_to_end().empty());
  owed.reset();
  endless.reset();
}

TEST_CASE("a server that finishes sends first what is owed, and then ends every connection") {
  Served served;
  test::HttpSocket client(served.port), stream(served.port), idle(served.port);
  client.send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
  auto owed = served.board->take();
  stream.send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
  auto endless = served.board->take();
  endless->begin({200, "text/event-stream", "", {}, ""});
  const std::string much(8 << 20, '.');
  owed->answer(text(much + "last"));
  endless->send("data: " + much + "\n\n");
  endless->send("event: end\n\n");
  std::thread finishing([&] { served.server->finish(std::chrono::seconds{60}); });
  CHECK_THAT(client.read_until("last"), StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(stream.read_until("event: end\n\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  finishing.join();
  served.server.reset();
  CHECK(client.read_to_end().empty());
  CHECK(stream.read_to_end().empty());
  CHECK(idle.read_to_end().empty());
}

TEST_CASE("a client that takes nothing does not keep a server from its end") {
  Served served;
  test::HttpSocket client(served.port);
  client.send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
  const auto owed = served.board->take();
  served.server->finish(std::chrono::seconds{0});
  owed->answer(text("too late"));
  served.server.reset();
  CHECK(client.read_to_end().empty());
}

}  // namespace
}  // namespace hdrive::server
