// SPDX-License-Identifier: Apache-2.0
#include "store/edit_rows.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace hdrive::store {
namespace {

constexpr char kConfig[] = "SELECT config FROM sweep";
constexpr char kEdits[] = "SELECT config, what, time, head, tail FROM edits ORDER BY id";

struct Edit {
  SweepEdited edited;
  bool whole = false;  // of an older version: `text` is the configuration itself
  std::size_t head = 0, tail = 0;
  std::string text;  // what the edit took out; going forward, what it put in
};

std::size_t place(const Row& row, int column) {
  return static_cast<std::size_t>(std::max<std::int64_t>(0, row.integer(column)));
}

// What lies between them; nothing where they do not fit.
std::optional<std::string> exchange_middle(std::string& config, const Edit& edit,
                                           const std::string& text) {
  if (edit.head > config.size() || edit.tail > config.size() - edit.head) return std::nullopt;
  const std::size_t length = config.size() - edit.head - edit.tail;
  std::string taken = config.substr(edit.head, length);
  config.replace(edit.head, length, text);
  return taken;
}

}  // namespace

ConfigStep step_back(std::string_view before, std::string_view after) {
  const std::size_t most = std::min(before.size(), after.size());
  std::size_t head = 0, tail = 0;
  while (head < most && before[head] == after[head]) ++head;
  while (tail < most - head && before[before.size() - 1 - tail] == after[after.size() - 1 - tail])
    ++tail;
  return {static_cast<std::int64_t>(head), static_cast<std::int64_t>(tail),
          std::string(before.substr(head, before.size() - head - tail))};
}

Result<void> read_edits(Database& database, const std::function<void(const SweepEdited&)>& tell) {
  std::string config;
  Result<void> read = database.each(kConfig, [&](const Row& row) { config = row.text(0); });
  if (!read) return read;
  std::vector<Edit> edits;
  read = database.each(kEdits, [&](const Row& row) {
    edits.push_back(
        {{"", row.text(1), row.time(2)}, row.null(3), place(row, 3), place(row, 4), row.text(0)});
  });
  if (!read) return read;
  // Those from `known` on can be told.
  std::size_t known = edits.size();
  while (known > 0 && !edits[known - 1].whole) {
    Edit& edit = edits[known - 1];
    auto put_in = exchange_middle(config, edit, edit.text);
    if (!put_in) break;
    edit.text = *std::move(put_in);
    --known;
  }
  for (std::size_t i = 0; i < edits.size(); ++i) {
    Edit& edit = edits[i];
    if (edit.whole)
      edit.edited.config = std::move(edit.text);
    else if (i >= known && exchange_middle(config, edit, edit.text))
      edit.edited.config = config;
    tell(edit.edited);
    edit = {};
  }
  return {};
}

}  // namespace hdrive::store
