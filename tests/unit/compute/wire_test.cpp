// SPDX-License-Identifier: Apache-2.0
#include "compute/remote/wire.h"

#include <cmath>
#include <limits>

#include "tests/catch.h"

namespace hdrive::compute::remote {
namespace {

TEST_CASE("messages come out as they went in, however their bytes arrive") {
  const Message first = {{"is", "part"}, {"bytes", bytes_of(std::string("\0\xff\n", 3))}};
  const Message second = {{"is", "note"}, {"note", "not UTF-8: \xff"}};
  FrameWriter writer;
  std::string bytes = writer.frame(first);
  bytes += writer.frame(second);
  FrameReader reader;
  std::vector<Message> messages;
  for (const char byte : bytes) {
    reader.add({&byte, 1});
    auto message = reader.next();
    REQUIRE(message);
    if (*message) messages.push_back(**message);
  }
  REQUIRE(messages.size() == 2);
  CHECK(bytes_in(messages[0].at("bytes")) == std::string("\0\xff\n", 3));
  CHECK(messages[1].at("note") == "not UTF-8: \xff");
}

TEST_CASE("what is no message is told, and nothing is made of it") {
  FrameReader greeting;
  greeting.add("Welcome to node1, and mind the gap\n");
  CHECK_FALSE(greeting.next());
  FrameReader number;
  number.add(std::string("\1\0\0\0", 4) + std::string(8, '\0') + "\1" + std::string(7, '\0') +
             "\1");
  CHECK_FALSE(number.next());
}

TEST_CASE("what was said before, or on another connection, is passed over") {
  FrameWriter earlier(7), writer(8);
  const auto said = [](int number) { return Message{{"is", "note"}, {"number", number}}; };
  const std::string old = earlier.frame(said(1)), first = writer.frame(said(2)),
                    second = writer.frame(said(3));
  FrameReader reader(8);
  for (const std::string& each : {old, first, first, old, second, first, second}) reader.add(each);
  std::vector<int> numbers;
  for (auto message = reader.next(); *message; message = reader.next())
    numbers.push_back((*message)->at("number"));
  CHECK(numbers == std::vector<int>{2, 3});
}

TEST_CASE("what is missing between two messages is noticed") {
  FrameWriter writer(8);
  const Message message = {{"is", "note"}};
  FrameReader reader(8);
  reader.add(writer.frame(message));
  CHECK(reader.next());
  (void)writer.frame(message);
  reader.add(writer.frame(message));
  const auto next = reader.next();
  REQUIRE_FALSE(next);
  CHECK(next.error().message() == "a message of hdrive's agent is missing");
}

TEST_CASE("metrics keep values that JSON does not have, and what was left out of them") {
  RunReported reported{7, 2, {}, "120 0"};
  const double infinity = std::numeric_limits<double>::infinity();
  reported.metrics = {{"loss", std::nan(""), 3, std::nullopt},
                      {"loss", -infinity, std::nullopt, Time{Duration{1'600'000'000'123'456}}}};
  const auto event = event_in(message_of(TargetEvent(reported)));
  REQUIRE(event);
  const auto& back = std::get<RunReported>(*event);
  CHECK(back.run == 7);
  CHECK(back.attempt == 2);
  CHECK(back.cursor == "120 0");
  REQUIRE(back.metrics.size() == 2);
  CHECK(std::isnan(back.metrics[0].value));
  CHECK(back.metrics[0].step == 3);
  CHECK_FALSE(back.metrics[0].time);
  CHECK(back.metrics[1].value == -infinity);
  CHECK_FALSE(back.metrics[1].step);
  CHECK(back.metrics[1].time == reported.metrics[1].time);
}

TEST_CASE("a request arrives with all that its run is given") {
  RunRequest request;
  request.run = 3;
  request.attempt = 2;
  request.run_id = "HD_x_3";
  request.parameters = {{"lr", 0.5}, {"layers", std::int64_t{2}}};
  request.arguments = {"python", "train.py", "--name", "\xff"};
  request.environment = {{"A", "1"}};
  request.workspace.snapshot = "abc";
  request.time_limit = std::chrono::hours{1};
  request.cancel_grace = std::chrono::seconds{9};
  request.cursor = "5 0";
  request.slot = 4;
  const RunRequest back = request_in(message_of(request));
  CHECK(back.run == 3);
  CHECK(back.attempt == 2);
  CHECK(back.run_id == request.run_id);
  CHECK(back.parameters == request.parameters);
  CHECK(back.arguments == request.arguments);
  CHECK(back.environment == request.environment);
  CHECK(back.workspace.snapshot == "abc");
  CHECK(back.time_limit == request.time_limit);
  CHECK(back.cancel_grace == request.cancel_grace);
  CHECK(back.cursor == "5 0");
  CHECK(back.slot == 4);
}

TEST_CASE("only paths below their folder are paths of a run's files") {
  for (const char* inside : {"a", "outputs/model.pt", "a/..b"}) CHECK(stays_inside(inside));
  for (const char* outside : {"", "/etc/passwd", "../x", "a/../b", "a//b", "./a"})
    CHECK_FALSE(stays_inside(outside));
}

}  // namespace
}  // namespace hdrive::compute::remote
