// SPDX-License-Identifier: Apache-2.0
#include "cli/repeats_text.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "cli/json.h"
#include "cli/model_pick.h"
#include "cli/text.h"

namespace hdrive::cli {

Result<std::vector<RepeatedRun>> repeats_of(const SweepSpec& spec, SweepReader& reader) {
  std::vector<std::pair<Repeat, std::optional<double>>> results;
  if (spec.repeat_best.runs == 0) return std::vector<RepeatedRun>{};
  RunQuery query;
  query.filter.text = kRepeatBegins;
  const auto read = reader.each_run(query, [&](const StoredRun& stored) {
    const auto repeat = repeat_from(stored.run.proposal);
    if (!repeat) return;
    std::optional<double> value;
    if (const auto* figures = stored.metric(spec.primary_metric);
        figures && stored.run.status == RunStatus::completed)
      value = figures->best(spec.goal);
    results.emplace_back(*repeat, value);
  });
  if (!read) return read.error();
  return repeated_runs(results, spec.goal);
}

std::string mean_text(const RepeatedRun& repeated) {
  const auto n = static_cast<long long>(repeated.values.size());
  if (n < 2)
    return n == 0 ? "no repeat has a value"
                  : fmt::format("{} (1 repeat)", number_text(repeated.mean));
  return fmt::format("{} (95 %, {})", with_deviation(repeated.mean, repeated.half_width),
                     base::plural(n, "repeat"));
}

std::vector<std::string> repeats_lines(const std::vector<RepeatedRun>& repeated) {
  std::vector<std::string> lines;
  for (const RepeatedRun& one : repeated)
    lines.push_back(fmt::format("run {}: {}{}{}", one.run, one.values.empty() ? "" : "mean ",
                                mean_text(one),
                                lines.empty() && !one.values.empty() ? ", the best" : ""));
  return lines;
}

OrderedJson repeated_json(const RepeatedRun& repeated) {
  OrderedJson json;
  json["run"] = repeated.run;
  json["mean"] = repeated.values.empty() ? OrderedJson(nullptr) : json_number(repeated.mean);
  json["interval"] = nullptr;
  if (repeated.values.size() > 1)
    json["interval"] = {json_number(repeated.mean - repeated.half_width),
                        json_number(repeated.mean + repeated.half_width)};
  json["n"] = repeated.values.size();
  json["values"] = OrderedJson::array();
  for (const double value : repeated.values) json["values"].push_back(json_number(value));
  return json;
}

OrderedJson repeats_json(const std::vector<RepeatedRun>& repeated) {
  OrderedJson json = OrderedJson::array();
  for (const RepeatedRun& one : repeated) json.push_back(repeated_json(one));
  return json;
}

}  // namespace hdrive::cli
