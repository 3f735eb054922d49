// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "hdrive/store.h"

namespace hdrive {
namespace {

constexpr std::array<std::pair<SweepStatus, std::string_view>, 4> kStatuses{{
    {SweepStatus::running, "Running"},
    {SweepStatus::completed, "Completed"},
    {SweepStatus::failed, "Failed"},
    {SweepStatus::canceled, "Canceled"},
}};

constexpr std::array<std::pair<SweepEnd, std::string_view>, 8> kEnds{{
    {SweepEnd::none, "none"},
    {SweepEnd::all_runs, "all_runs"},
    {SweepEnd::exhausted, "exhausted"},
    {SweepEnd::duration, "duration"},
    {SweepEnd::user, "user"},
    {SweepEnd::interrupt, "interrupt"},
    {SweepEnd::hopeless, "hopeless"},
    {SweepEnd::error, "error"},
}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [entry, name] : table)
    if (entry == value) return name;
  return "";
}

template <class Table>
auto value_in(const Table& table, std::string_view text)
    -> std::optional<typename Table::value_type::first_type> {
  for (const auto& [entry, name] : table)
    if (name == text) return entry;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(SweepStatus status) { return name_in(kStatuses, status); }
std::string_view to_string(SweepEnd end) { return name_in(kEnds, end); }

std::optional<SweepStatus> sweep_status_from(std::string_view text) {
  return value_in(kStatuses, text);
}

std::optional<SweepEnd> sweep_end_from(std::string_view text) { return value_in(kEnds, text); }

std::filesystem::path run_directory(const std::filesystem::path& sweep_directory, RunId run) {
  return sweep_directory / "runs" / std::to_string(run);
}

}  // namespace hdrive
