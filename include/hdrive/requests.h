// SPDX-License-Identifier: Apache-2.0
//
// Request: what one process asks of the engine that runs a sweep in another, and the answer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "hdrive/history.h"
#include "hdrive/result.h"

namespace hdrive {

/// What another process asks of a live sweep. The engine hears it within a turn of its loop and
/// answers with RequestAnswered.
struct Request {
  enum class Kind {
    stop_sweep,
    stop_run,
    pause_sweep,   ///< start no more runs; those that run go on
    resume_sweep,  ///< of a paused one
    update_sweep,  ///< change its specification
    retry_run,     ///< try a run that has ended again, as its next attempt
  };
  std::int64_t id = 0;
  Kind kind = Kind::stop_sweep;
  std::optional<RunId> run;  ///< for stop_run and retry_run
  std::string payload;       ///< for update_sweep: the settings (see `write_settings`)
};

/// Leaves a request for the engine that runs the sweep, and gives its id. Fails if none does.
Result<std::int64_t> leave_request(const std::filesystem::path& directory, const Request& request);

/// What the engine answered.
struct Answer {
  bool accepted = false;
  std::string text;
};
/// Nothing: it has not answered yet. An engine that died never will.
Result<std::optional<Answer>> read_answer(const std::filesystem::path& directory,
                                          std::int64_t request);

}  // namespace hdrive
