// SPDX-License-Identifier: Apache-2.0
#include "compute/remote/wire.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace hdrive::compute::remote {
namespace {

constexpr std::size_t kLengthBytes = 4, kNumberBytes = 8;
constexpr std::size_t kHeadBytes = kLengthBytes + 2 * kNumberBytes;
constexpr std::size_t kLongestMessage = std::size_t{1} << 30;

void put_number(std::string& bytes, std::size_t at, std::size_t size, std::uint64_t number) {
  for (std::size_t i = 0; i < size; ++i)
    bytes[at + i] = static_cast<char>(number >> (8 * i) & 0xff);
}

std::uint64_t number_at(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return number;
}

using Milliseconds = std::chrono::milliseconds;

template <class T>
Message maybe(const std::optional<T>& value) {
  return value ? Message(*value) : Message();
}

template <class T>
std::optional<T> maybe_in(const Message& message, const char* key) {
  const auto found = message.find(key);
  return found == message.end() || found->is_null() ? std::nullopt
                                                    : std::optional<T>(found->get<T>());
}

std::optional<Duration> duration_in(const Message& message, const char* key) {
  const auto count = maybe_in<std::int64_t>(message, key);
  return count ? std::optional<Duration>(*count) : std::nullopt;
}

Message of_duration(const std::optional<Duration>& duration) {
  return duration ? Message(duration->count()) : Message();
}

// The numbers and texts of a metric, in a list: there are many of them.
Message message_of_metric(const Metric& metric) {
  return Message::array(
      {metric.name, metric.value, maybe(metric.step),
       metric.time ? Message(metric.time->time_since_epoch().count()) : Message()});
}

Metric metric_in(const Message& message) {
  Metric metric{message.at(0), message.at(1), std::nullopt, std::nullopt};
  if (!message.at(2).is_null()) metric.step = message.at(2).get<std::int64_t>();
  if (!message.at(3).is_null()) metric.time = Time{Duration{message.at(3).get<std::int64_t>()}};
  return metric;
}

struct ToMessage {
  Message operator()(const RunAccepted& e) const { return about("accepted", e.run, e.attempt); }
  Message operator()(const RunNotFound& e) const { return about("not found", e.run, e.attempt); }
  Message operator()(const RunReachable& e) const { return about("reachable", e.run, e.attempt); }
  Message operator()(const RunUnreachable& e) const {
    return about("unreachable", e.run, e.attempt);
  }
  Message operator()(const RunDeferred& e) const {
    Message message = about("deferred", e.run, e.attempt);
    message["error"] = message_of(e.why);
    return message;
  }
  Message operator()(const RunBegan& e) const {
    Message message = about("began", e.run, e.attempt);
    message["ran"] = of_duration(e.ran);
    return message;
  }
  Message operator()(const RunReported& e) const {
    Message message = about("reported", e.run, e.attempt);
    message["cursor"] = e.cursor;
    Message& metrics = message["metrics"] = Message::array();
    for (const Metric& metric : e.metrics) metrics.push_back(message_of_metric(metric));
    return message;
  }
  // Where the engine has exit.json it reads there how the run ended.
  Message operator()(const RunExited& e) const {
    Message message = about("exited", e.run, e.attempt);
    message["exit_code"] = maybe(e.exit_code);
    message["signal"] = maybe(e.signal);
    message["not_started"] = e.not_started;
    message["over_time"] = e.over_time;
    message["note"] = e.note;
    message["stderr_tail"] = e.stderr_tail;
    message["cpu_time"] = of_duration(e.cpu_time);
    message["peak_memory"] = maybe(e.peak_memory);
    return message;
  }
  Message operator()(const RunVanished& e) const {
    Message message = about("vanished", e.run, e.attempt);
    message["note"] = e.note;
    return message;
  }
  Message operator()(const TargetNote& e) const {
    return {{"is", "note"}, {"run", maybe(e.run)}, {"note", e.note}};
  }
};

}  // namespace

Message about(const char* is, RunId run, int attempt) {
  return {{"is", is}, {"run", run}, {"attempt", attempt}};
}

std::string FrameWriter::frame(const Message& message) {
  std::string bytes(kHeadBytes, '\0');
  Message::to_cbor(message, bytes);
  put_number(bytes, 0, kLengthBytes, bytes.size() - kHeadBytes);
  put_number(bytes, kLengthBytes, kNumberBytes, connection_);
  put_number(bytes, kLengthBytes + kNumberBytes, kNumberBytes, ++sent_);
  return bytes;
}

Result<std::optional<Message>> FrameReader::next() {
  while (true) {
    const std::size_t left = buffer_.size() - from_;
    const std::size_t length =
        left < kLengthBytes ? 0 : static_cast<std::size_t>(number_at(buffer_, from_, kLengthBytes));
    if (length > kLongestMessage) return Error{"", "what arrives is no message of hdrive's agent"};
    if (left < kHeadBytes || left - kHeadBytes < length) {
      buffer_.erase(0, std::exchange(from_, 0));
      return std::optional<Message>();
    }
    const std::uint64_t connection = number_at(buffer_, from_ + kLengthBytes, kNumberBytes);
    const std::uint64_t number =
        number_at(buffer_, from_ + kLengthBytes + kNumberBytes, kNumberBytes);
    const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(from_ + kHeadBytes);
    from_ += kHeadBytes + length;
    if (connection != connection_ || number <= received_) continue;
    if (number != received_ + 1) return Error{"", "a message of hdrive's agent is missing"};
    received_ = number;
    auto message =
        Message::from_cbor(begin, begin + static_cast<std::ptrdiff_t>(length), true, false);
    if (!message.is_object() || !message.contains("is"))
      return Error{"", "what arrives is no message of hdrive's agent"};
    return std::optional<Message>(std::move(message));
  }
}

Message bytes_of(std::string_view bytes) { return Message::binary({bytes.begin(), bytes.end()}); }

std::string_view bytes_in(const Message& message) {
  const auto& bytes = message.get_binary();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Message message_of(const RunRequest& request) {
  return {{"run", request.run},
          {"attempt", request.attempt},
          {"run_id", request.run_id},
          {"parameters", to_json(request.parameters)},
          {"arguments", request.arguments},
          {"environment", request.environment},
          {"working_directory", request.working_directory.native()},
          {"snapshot", request.workspace.snapshot},
          {"time_limit", request.time_limit.count()},
          {"cancel_grace", request.cancel_grace.count()},
          {"cursor", request.cursor},
          {"slot", request.slot},
          {"node", request.node},
          {"resume_from", request.resume_from.native()},
          {"memory", request.resources.memory},
          {"nodes", request.resources.nodes},
          {"processes_per_node", request.resources.processes_per_node},
          {"distribution", to_string(request.distribution.type)},
          {"workers", request.distribution.workers},
          {"parameter_servers", request.distribution.parameter_servers},
          {"metrics_of_all", request.distribution.metrics_of_all},
          {"launcher", request.distribution.launcher},
          {"proposal", request.proposal},
          {"proposed", request.proposed.time_since_epoch().count()}};
}

RunRequest request_in(const Message& message) {
  RunRequest request;
  request.run = message.at("run");
  request.attempt = message.at("attempt");
  request.run_id = message.at("run_id");
  if (auto parameters = assignment_from_json(message.at("parameters").get<std::string>()))
    request.parameters = *std::move(parameters);
  request.arguments = message.at("arguments").get<std::vector<std::string>>();
  request.environment =
      message.at("environment").get<std::vector<std::pair<std::string, std::string>>>();
  request.working_directory = message.at("working_directory").get<std::string>();
  request.workspace.snapshot = message.at("snapshot").get<std::string>();
  request.time_limit = Milliseconds{message.at("time_limit").get<std::int64_t>()};
  request.cancel_grace = Milliseconds{message.at("cancel_grace").get<std::int64_t>()};
  request.cursor = message.at("cursor");
  request.slot = message.at("slot");
  request.node = message.at("node");
  request.resume_from = message.at("resume_from").get<std::string>();
  request.resources.memory = message.at("memory");
  request.resources.nodes = message.at("nodes");
  request.resources.processes_per_node = message.at("processes_per_node");
  request.distribution.type = distribution_type(message.at("distribution").get<std::string>())
                                  .value_or(DistributionType::none);
  request.distribution.workers = message.at("workers");
  request.distribution.parameter_servers = message.at("parameter_servers");
  request.distribution.metrics_of_all = message.at("metrics_of_all");
  request.distribution.launcher = message.at("launcher").get<std::vector<std::string>>();
  request.proposal = message.at("proposal");
  request.proposed = Time{Duration{message.at("proposed").get<std::int64_t>()}};
  return request;
}

Message message_of(const Error& error) {
  return {{"where", error.where}, {"what", error.what}, {"kind", static_cast<int>(error.kind)}};
}

Error error_in(const Message& message) {
  return {message.at("where"), message.at("what"),
          static_cast<Error::Kind>(message.at("kind").get<int>())};
}

Message message_of(const TargetEvent& event) { return std::visit(ToMessage{}, event); }

std::optional<TargetEvent> event_in(const Message& message) {
  const std::string is = message.at("is");
  if (is == "note")
    return TargetNote{maybe_in<RunId>(message, "run"), message.at("note").get<std::string>()};
  const RunId run = message.value("run", RunId{});
  const int attempt = message.value("attempt", 0);
  if (is == "deferred") return RunDeferred{run, attempt, error_in(message.at("error"))};
  if (is == "began") return RunBegan{run, attempt, 0, duration_in(message, "ran")};
  if (is == "vanished") return RunVanished{run, attempt, message.at("note")};
  if (is == "exited") {
    RunExited exited{run, attempt, maybe_in<int>(message, "exit_code"),
                     maybe_in<int>(message, "signal")};
    exited.not_started = message.at("not_started");
    exited.over_time = message.at("over_time");
    exited.note = message.at("note");
    exited.stderr_tail = message.at("stderr_tail");
    exited.cpu_time = duration_in(message, "cpu_time");
    exited.peak_memory = maybe_in<std::int64_t>(message, "peak_memory");
    return exited;
  }
  if (is != "reported") return std::nullopt;
  RunReported reported{run, attempt, {}, message.at("cursor")};
  for (const Message& metric : message.at("metrics")) reported.metrics.push_back(metric_in(metric));
  return reported;
}

bool stays_inside(std::string_view path) {
  if (path.empty() || path.find('\0') != path.npos) return false;
  const auto parts = base::split(path, '/');
  return std::none_of(parts.begin(), parts.end(), [](std::string_view part) {
    return part.empty() || part == "." || part == "..";
  });
}

}  // namespace hdrive::compute::remote
