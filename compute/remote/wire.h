// SPDX-License-Identifier: Apache-2.0
//
// What the engine and the agent on another machine say to each other: messages of CBOR, each behind
// its length in four bytes, the connection it belongs to and its number there in eight each, the
// lowest byte first. Each message is an object whose `is` names its kind; the two ends are of one
// build (the agent travels), so there is one version at a time. Used by SshTarget and by the agent;
// pure.
//
// The number and the connection: whatever lies between may say a thing twice, or late, when another
// connection has long followed. What was said before is passed over, and where something is missing
// the connection counts as broken, so that the next one asks.
//
// CBOR and not JSON: values may be NaN, texts need not be UTF-8, and files are bytes.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "hdrive/target.h"

namespace hdrive::compute::remote {

using Message = nlohmann::json;

/// In the run directory of a run that goes on from an earlier one: that one's outputs, which are the
/// engine's and don't come back.
inline constexpr char kResumeFolder[] = ".resume-from";

/// How much of a file one message carries at most.
inline constexpr std::size_t kPart = 256 << 10;

/// Makes the bytes of messages, in the order in which they are to be sent.
class FrameWriter {
 public:
  explicit FrameWriter(std::uint64_t connection = 0) : connection_(connection) {}
  std::string frame(const Message& message);

 private:
  std::uint64_t connection_;
  std::uint64_t sent_ = 0;
};

/// Puts messages together from the bytes as they arrive.
class FrameReader {
 public:
  explicit FrameReader(std::uint64_t connection = 0) : connection_(connection) {}
  void add(std::string_view bytes) { buffer_ += bytes; }
  /// The next message that was not there before; nothing: it is not all there. An Error: these are
  /// no messages, or one is missing.
  Result<std::optional<Message>> next();

 private:
  std::uint64_t connection_;
  std::uint64_t received_ = 0;
  std::string buffer_;
  std::size_t from_ = 0;
};

/// A message of that kind about a run.
Message about(const char* is, RunId run, int attempt);

Message bytes_of(std::string_view bytes);
std::string_view bytes_in(const Message& message);

/// A request without what only the engine's machine knows: its folders.
Message message_of(const RunRequest& request);
/// Throws Message::exception where the message is none of these.
RunRequest request_in(const Message& message);

Message message_of(const Error& error);
Error error_in(const Message& message);

/// An event of a run. The same of `event_in`.
Message message_of(const TargetEvent& event);
std::optional<TargetEvent> event_in(const Message& message);

/// Whether a path stays below the folder it is relative to.
bool stays_inside(std::string_view path);

}  // namespace hdrive::compute::remote
