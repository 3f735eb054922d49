// SPDX-License-Identifier: Apache-2.0
//
// The words for goals, statuses and causes: what is stored and printed.
#include <array>

#include "hdrive/history.h"

namespace hdrive {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 2> kGoals = {"Minimize", "Maximize"};
constexpr std::array<std::string_view, 5> kStatuses = {"Queued", "Running", "Completed", "Failed",
                                                       "Canceled"};
constexpr std::array<std::string_view, 12> kCauses = {
    "none",      "exited",     "signaled", "not_started", "policy", "user",
    "interrupt", "time_limit", "budget",   "sweep_ended", "lost",   "silent"};

static_assert(kGoals.size() == static_cast<std::size_t>(Goal::maximize) + 1);
static_assert(kStatuses.size() == static_cast<std::size_t>(RunStatus::canceled) + 1);
static_assert(kCauses.size() == static_cast<std::size_t>(EndCause::silent) + 1);

template <class Enum, std::size_t N>
std::optional<Enum> enumerator(const std::array<std::string_view, N>& words,
                               std::string_view text) {
  for (std::size_t i = 0; i < N; ++i)
    if (words[i] == text) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Goal goal) { return kGoals[static_cast<std::size_t>(goal)]; }

std::string_view to_string(RunStatus status) { return kStatuses[static_cast<std::size_t>(status)]; }

std::string_view to_string(EndCause cause) { return kCauses[static_cast<std::size_t>(cause)]; }

bool is_terminal(RunStatus status) {
  return status == RunStatus::completed || status == RunStatus::failed ||
         status == RunStatus::canceled;
}

std::optional<RunStatus> run_status_from(std::string_view text) {
  return enumerator<RunStatus>(kStatuses, text);
}

std::optional<EndCause> end_cause_from(std::string_view text) {
  return enumerator<EndCause>(kCauses, text);
}

}  // namespace hdrive
