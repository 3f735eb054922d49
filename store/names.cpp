// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include "hdrive/store.h"
#include "store/words.h"

namespace hdrive {
namespace {

constexpr store::Words<SweepStatus, 5> kStatuses{{
    {SweepStatus::running, "Running"},
    {SweepStatus::completed, "Completed"},
    {SweepStatus::failed, "Failed"},
    {SweepStatus::canceled, "Canceled"},
    {SweepStatus::paused, "Paused"},
}};

constexpr store::Words<SweepEnd, 12> kEnds{{
    {SweepEnd::none, "none"},
    {SweepEnd::all_runs, "all_runs"},
    {SweepEnd::exhausted, "exhausted"},
    {SweepEnd::duration, "duration"},
    {SweepEnd::user, "user"},
    {SweepEnd::interrupt, "interrupt"},
    {SweepEnd::hopeless, "hopeless"},
    {SweepEnd::error, "error"},
    {SweepEnd::target, "target"},
    {SweepEnd::no_progress, "no_progress"},
    {SweepEnd::failing, "failing"},
    {SweepEnd::blocked, "blocked"},
}};

}  // namespace

std::string_view to_string(SweepStatus status) { return store::word(kStatuses, status); }
std::string_view to_string(SweepEnd end) { return store::word(kEnds, end); }

std::optional<SweepStatus> sweep_status_from(std::string_view text) {
  return store::meaning(kStatuses, text);
}

bool is_over(SweepStatus status) {
  return status != SweepStatus::running && status != SweepStatus::paused;
}

std::optional<SweepEnd> sweep_end_from(std::string_view text) {
  return store::meaning(kEnds, text);
}

std::filesystem::path run_directory(const std::filesystem::path& sweep_directory, RunId run) {
  return sweep_directory / "runs" / std::to_string(run);
}

}  // namespace hdrive
