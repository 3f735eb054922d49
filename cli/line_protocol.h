// SPDX-License-Identifier: Apache-2.0
//
// LineProtocol: ask and tell as lines of JSON (docs/session-protocol.md). Used by `hdrive session`.
//
// Knows nothing of files; one line in, its answers out through a function. One thread.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "hdrive/ask_tell.h"
#include "hdrive/spec.h"

namespace hdrive::cli {

class LineProtocol {
 public:
  /// Takes one line of output, newline included; called as soon as the line is known.
  using Write = std::function<void(std::string_view)>;

  /// `study`, of a sweep as `spec` says, outlives the protocol.
  LineProtocol(AskTell& study, SweepSpec spec, Write write)
      : study_(study), spec_(std::move(spec)), write_(std::move(write)) {}

  /// Answers one line, given without its newline. A wrong one is answered too, and changes nothing.
  /// True after one that asked for runs: the program is going to train.
  bool take(std::string_view line);

 private:
  AskTell& study_;
  SweepSpec spec_;
  Write write_;
};

}  // namespace hdrive::cli
