// SPDX-License-Identifier: Apache-2.0
//
// LineProtocol: ask and tell as lines of JSON (docs/session-protocol.md). Used by `hdrive session`.
//
// Knows nothing of files; one line in, its answers out through a function. One thread.
#pragma once

#include <functional>
#include <string_view>

#include "hdrive/ask_tell.h"

namespace hdrive::cli {

class LineProtocol {
 public:
  /// Takes one line of output, newline included; called as soon as the line is known.
  using Write = std::function<void(std::string_view)>;

  /// `study` outlives the protocol.
  LineProtocol(AskTell& study, Write write) : study_(study), write_(std::move(write)) {}

  /// Answers one line, given without its newline. A wrong one is answered too, and changes nothing.
  /// True after one that asked for runs: the program is going to train.
  bool take(std::string_view line);

 private:
  AskTell& study_;
  Write write_;
};

}  // namespace hdrive::cli
