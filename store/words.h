// SPDX-License-Identifier: Apache-2.0
//
// The words the database uses for enumerators, where the public headers have none.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "hdrive/store.h"

namespace hdrive::store {

template <class Enum, std::size_t N>
using Words = std::array<std::pair<Enum, std::string_view>, N>;

inline constexpr Words<Goal, 2> kGoals{
    {{Goal::minimize, "Minimize"}, {Goal::maximize, "Maximize"}}};

inline constexpr Words<Verdict::Action, 2> kActions{
    {{Verdict::Action::keep, "keep"}, {Verdict::Action::stop, "stop"}}};

inline constexpr Words<Verdict::Finding, 5> kFindings{{{Verdict::Finding::not_due, "not_due"},
                                                       {Verdict::Finding::no_peers, "no_peers"},
                                                       {Verdict::Finding::within, "within"},
                                                       {Verdict::Finding::beyond, "beyond"},
                                                       {Verdict::Finding::other, "other"}}};

inline constexpr Words<Noted::Level, 3> kLevels{{{Noted::Level::info, "info"},
                                                 {Noted::Level::warning, "warning"},
                                                 {Noted::Level::error, "error"}}};

inline constexpr Words<Request::Kind, 6> kRequests{{{Request::Kind::stop_sweep, "stop_sweep"},
                                                    {Request::Kind::stop_run, "stop_run"},
                                                    {Request::Kind::pause_sweep, "pause_sweep"},
                                                    {Request::Kind::resume_sweep, "resume_sweep"},
                                                    {Request::Kind::update_sweep, "update_sweep"},
                                                    {Request::Kind::retry_run, "retry_run"}}};

template <class Enum, std::size_t N>
constexpr std::string_view word(const Words<Enum, N>& words, Enum value) {
  for (const auto& [entry, text] : words)
    if (entry == value) return text;
  return "";
}

template <class Enum, std::size_t N>
constexpr std::optional<Enum> meaning(const Words<Enum, N>& words, std::string_view text) {
  for (const auto& [entry, word] : words)
    if (word == text) return entry;
  return std::nullopt;
}

}  // namespace hdrive::store
