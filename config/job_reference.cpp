// SPDX-License-Identifier: Apache-2.0
//
// The table of docs/sweep-jobs.md: each key of a v2 job with what hdrive does with it.
#include "base/text.h"
#include "config/job_schema.h"
#include "hdrive/config.h"

namespace hdrive {
namespace {

std::string in_code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string row(const config::JobKey& key) {
  std::vector<std::string> earlier;
  for (const std::string_view name : key.earlier) earlier.push_back(in_code(name));
  std::string note(key.note.empty() ? key.row.summary : key.note);
  if (key.treatment == config::Treatment::refused)
    note = "above " + std::string(key.row.default_text) + ": " + note;
  return "| " + in_code(key.row.name) + " | " + base::join(earlier, ", ") + " | " +
         std::string(to_string(key.treatment)) + " | " + note + " |\n";
}

}  // namespace

std::string job_reference() {
  std::string text;
  std::string_view mapping;
  for (const config::JobKey& key : config::job_schema()) {
    if (key.mapping != mapping)
      text += std::string(mapping.empty() ? "" : "\n") + "### " + std::string(key.mapping) +
              "\n\n| key | earlier names | treatment | |\n|---|---|---|---|\n";
    mapping = key.mapping;
    text += row(key);
  }
  return text;
}

}  // namespace hdrive
