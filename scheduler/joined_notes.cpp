// SPDX-License-Identifier: Apache-2.0
#include "scheduler/joined_notes.h"

#include <fmt/format.h>

#include <string_view>

#include "base/text.h"

namespace hdrive::scheduler {
namespace {

constexpr std::size_t kRunsTold = 3;

std::string kind_of(std::string_view note) {
  std::string kind;
  bool quoted = false;
  for (std::size_t i = 0; i < note.size(); ++i) {
    const char c = note[i];
    if (quoted && c == '\\') {
      ++i;
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (!quoted && (c < '0' || c > '9')) kind += c;
  }
  return kind;
}

}  // namespace

bool JoinedNotes::admit(const TargetNote& note) {
  if (!note.run) return true;
  Kind& kind = kinds_[kind_of(note.note)];
  if (kind.told.contains(*note.run)) return true;
  if (kind.told.size() >= kRunsTold) {
    kind.counted.insert(*note.run);
    return false;
  }
  if (kind.told.empty()) {
    kind.first = *note.run;
    kind.example = note.note;
  }
  kind.told.insert(*note.run);
  return true;
}

std::vector<std::string> JoinedNotes::take_counted() {
  std::vector<std::string> sentences;
  for (auto& [text, kind] : kinds_) {
    if (kind.counted.empty()) continue;
    const auto runs = static_cast<long long>(kind.counted.size());
    sentences.push_back(fmt::format("{}, as in run {}: {}", base::plural(runs, "more run"),
                                    kind.first, kind.example));
    kind.counted.clear();
  }
  return sentences;
}

}  // namespace hdrive::scheduler
