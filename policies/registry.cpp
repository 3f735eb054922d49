// SPDX-License-Identifier: Apache-2.0
//
// The table of policies. A new policy is a new file and a new row.
#include <fmt/format.h>

#include "base/text.h"
#include "policies/policies.h"

namespace hdrive {
namespace {

using policies::BanditOptions;
using policies::Schedule;
using policies::TruncationSelectionOptions;
using policies::with_schedule;

using Made = Result<std::shared_ptr<const Policy>>;

/// A row of the public table and what makes the policy; the options were checked against the row.
struct Row {
  AlgorithmInfo info;
  Made (*make)(const AlgorithmSpec& spec, Goal goal);
};

std::optional<double> number(const AlgorithmSpec& spec, const char* name) {
  const auto found = spec.options.find(name);
  return found == spec.options.end() ? std::nullopt : as_number(found->second);
}

Made make_bandit(const AlgorithmSpec& spec, Goal goal) {
  const BanditOptions options{goal, Schedule::from(spec), number(spec, "slack_factor"),
                              number(spec, "slack_amount")};
  if (options.slack_factor && options.slack_amount)
    return Error{
        "",
        "bandit has both slack_factor and slack_amount; give only one of them: a fraction of "
        "the best value (slack_factor: 0.1), or an amount in the metric's unit"};
  if (!options.slack_factor && !options.slack_amount)
    return Error{
        "",
        "bandit has neither slack_factor nor slack_amount; give one of them: a fraction of "
        "the best value (slack_factor: 0.1), or an amount in the metric's unit"};
  return policies::make_bandit(options);
}

Made make_median_stopping(const AlgorithmSpec& spec, Goal goal) {
  return policies::make_median_stopping({goal, Schedule::from(spec)});
}

Made make_truncation_selection(const AlgorithmSpec& spec, Goal) {
  TruncationSelectionOptions options{.schedule = Schedule::from(spec)};
  options.truncation_percentage = std::get<std::int64_t>(spec.options.at("truncation_percentage"));
  const auto exclude = spec.options.find("exclude_finished_jobs");
  if (exclude != spec.options.end())
    options.exclude_finished_jobs = std::get<bool>(exclude->second);
  return policies::make_truncation_selection(options);
}

Made make_no_termination(const AlgorithmSpec&, Goal) { return policies::make_no_termination(); }

const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {{.name = "bandit",
        .aliases = {"BanditPolicy"},
        .summary =
            "Stops a run whose best value lags too far behind the best of all runs at the same "
            "number of reports. Takes one of the two slacks.",
        .options =
            with_schedule({{.name = "slack_factor",
                            .kind = OptionKind::number,
                            .summary = "how far a run may lag, as a fraction of the best value",
                            .minimum = 0},
                           {.name = "slack_amount",
                            .kind = OptionKind::number,
                            .summary = "how far a run may lag, in the unit of the metric",
                            .minimum = 0}})},
       make_bandit},
      {{.name = "median_stopping",
        .aliases = {"MedianStoppingPolicy", "median"},
        .summary =
            "Stops a run whose best value is worse than the median of the other runs' averages "
            "up to the same number of reports.",
        .options = with_schedule()},
       make_median_stopping},
      {{.name = "truncation_selection",
        .aliases = {"TruncationSelectionPolicy", "truncation"},
        .summary = "Stops a run that is among the worst of all runs at the same number of reports.",
        .options =
            with_schedule({{.name = "truncation_percentage",
                            .kind = OptionKind::integer,
                            .summary = "how many of the runs to stop at each look, in percent",
                            .minimum = 1,
                            .maximum = 99,
                            .required = true},
                           {.name = "exclude_finished_jobs",
                            .kind = OptionKind::boolean,
                            .summary = "rank only the runs that have not ended",
                            .default_text = "false"}})},
       make_truncation_selection},
      {{.name = "no_termination",
        .aliases = {"NoTerminationPolicy", "none"},
        .summary = "Stops nothing: every run goes on to its end.",
        .options = {}},
       make_no_termination},
  };
  return table;
}

Error unknown_policy(const std::string& name) {
  std::vector<std::string> listed, all;
  for (const AlgorithmInfo& info : policy_algorithms()) {
    listed.emplace_back(info.name);
    all.emplace_back(info.name);
    all.insert(all.end(), info.aliases.begin(), info.aliases.end());
  }
  std::string what =
      fmt::format("unknown policy type \"{}\"; there are {}", name, base::join(listed, ", "));
  const std::string guess = base::did_you_mean(name, all);
  return Error{"", guess.empty() ? what : what + ";" + guess};
}

}  // namespace

const std::vector<AlgorithmInfo>& policy_algorithms() {
  static const std::vector<AlgorithmInfo> table = [] {
    std::vector<AlgorithmInfo> infos;
    for (const Row& row : rows()) infos.push_back(row.info);
    return infos;
  }();
  return table;
}

Result<std::shared_ptr<const Policy>> make_policy(const AlgorithmSpec& spec, Goal goal) {
  const std::vector<AlgorithmInfo>& table = policy_algorithms();
  const AlgorithmInfo* info = find_algorithm(table, spec.name);
  if (!info) return unknown_policy(spec.name);
  if (const auto checked = check_options(*info, spec); !checked) return checked.error();
  return rows()[static_cast<std::size_t>(info - table.data())].make(spec, goal);
}

}  // namespace hdrive
