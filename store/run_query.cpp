// SPDX-License-Identifier: Apache-2.0
#include "store/run_query.h"

#include <fmt/format.h>

#include "base/text.h"

namespace hdrive::store {
namespace {

bool is_of_metric(const RunOrder& order) {
  return order.by == RunOrder::By::best || order.by == RunOrder::By::last;
}

std::string where(const RunFilter& filter) {
  std::string sql = " WHERE 1";
  if (!filter.statuses.empty()) {
    std::string list;
    for (const RunStatus status : filter.statuses)
      list += fmt::format("{}'{}'", list.empty() ? "" : ", ", to_string(status));
    sql += fmt::format(" AND r.status IN ({})", list);
  }
  if (filter.from) sql += fmt::format(" AND r.number >= {}", *filter.from);
  if (filter.below) sql += fmt::format(" AND r.number < {}", *filter.below);
  if (!filter.text.empty())
    sql +=
        " AND instr(lower(r.hyperparameters || ' ' || r.proposal || ' ' || "
        "ifnull(r.reason, '')), ?1) > 0";
  return sql;
}

std::string key_of(const RunOrder& order, Goal goal) {
  using By = RunOrder::By;
  switch (order.by) {
    case By::number:
      return "r.number";
    case By::status:
      return "r.status";
    case By::created:
      return "r.created";
    case By::started:
      return "r.started";
    case By::ended:
      return "r.ended";
    case By::duration:
      return "r.ended - r.started";
    case By::attempt:
      return "r.attempt";
    case By::cpu_time:
      return "r.cpu_seconds";
    case By::peak_memory:
      return "r.peak_memory_bytes";
    case By::parameter:
      return "(SELECT value FROM json_each(r.hyperparameters) WHERE key = ?2)";
    case By::best:
      return goal == Goal::maximize ? "-m.greatest" : "m.least";
    case By::last:
      return "m.last";
  }
  return "r.number";
}

}  // namespace

std::string numbers_sql(const RunQuery& query, Goal goal) {
  const char* direction = query.order.descending ? "DESC" : "ASC";
  std::string sql = "SELECT r.number FROM runs r";
  if (is_of_metric(query.order))
    sql += " LEFT JOIN run_metrics m ON m.name = ?3 AND m.run = r.number";
  sql += where(query.filter);
  if (query.order.by == RunOrder::By::number) {
    sql += fmt::format(" ORDER BY r.number {}", direction);
  } else {
    const std::string key = key_of(query.order, goal);
    sql += fmt::format(" ORDER BY {0} IS NULL, {0} {1}, r.number", key, direction);
  }
  return sql + fmt::format(" LIMIT {} OFFSET {}", query.limit.value_or(-1), query.offset);
}

std::string count_sql(const RunQuery& query) {
  return "SELECT count(*) FROM runs r" + where(query.filter);
}

std::string sought_text(const RunFilter& filter) { return base::lower(filter.text); }

}  // namespace hdrive::store
