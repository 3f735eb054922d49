// SPDX-License-Identifier: Apache-2.0
//
// The hdrive command: its verbs, its exit codes, and how one verb is chosen and run.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hdrive/result.h"

namespace hdrive::cli {

class ArgumentParser;

/// What the process ends with; part of the contract (docs/cli.md).
enum ExitCode : int {
  kDone = 0,
  kCannot = 1,         ///< an I/O or internal error; nothing to act on
  kWrong = 2,          ///< wrong usage or a wrong configuration
  kNoneSucceeded = 3,  ///< no run succeeded
  kNotFound = 4,       ///< no such sweep or run
  kStoppedItself =
      5,  ///< the sweep stopped itself and can be gone on with, once something is mended
  kInterrupted = 130,  ///< ended before its time: Ctrl-C, SIGTERM, SIGHUP, `hdrive stop`
};

/// Ends a verb with a message on stderr. Thrown by verbs, caught by `run_command` alone.
struct Failure {
  int code = kCannot;
  std::string message;  ///< without "hdrive: " in front; empty: all is said
  /// In place of the message: whoever knows the verb's arguments words it.
  std::optional<Error> error = {};
};

[[noreturn]] inline void fail(int code, std::string message) {
  throw Failure{code, std::move(message)};
}

[[noreturn]] inline void fail(int code, const Error& error) { throw Failure{code, "", error}; }

/// The value, or a Failure with the error.
template <class T>
T value_or_fail(Result<T> result, int code = kCannot) {
  if (!result) fail(code, result.error());
  return *std::move(result);
}
inline void ok_or_fail(const Result<void>& result, int code = kCannot) {
  if (!result) fail(code, result.error());
}

/// What a verb does once its arguments are read; gives the exit code.
using Action = std::function<int()>;

/// Declares a verb's arguments on `parser` and returns what to do. `arguments` are those behind the
/// verb; what the verb reads by itself (a command behind "--") it takes out.
using Setup = Action (*)(ArgumentParser& parser, std::vector<std::string>& arguments);

/// One verb: a row feeds dispatch, help and shell completion.
struct Verb {
  std::string_view name;
  std::string_view usage;    ///< what follows "hdrive <name>"
  std::string_view summary;  ///< for the overview; one line without a full stop
  std::string_view details;  ///< for `hdrive <name> --help`; may be empty
  std::vector<std::string_view> examples;
  Setup setup;
  bool hidden = false;
};

/// All verbs, in the order of the overview.
const std::vector<Verb>& verbs();
const Verb* find_verb(std::string_view name);

/// Runs the command and gives the exit code.
int run_command(int argc, char** argv);

}  // namespace hdrive::cli
