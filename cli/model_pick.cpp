// SPDX-License-Identifier: Apache-2.0
#include "cli/model_pick.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/json.h"
#include "cli/text.h"
#include "hdrive/state.h"

namespace hdrive::cli {
namespace {

constexpr std::int64_t kMostRuns = 1000, kMostValues = 20000;

bool reads_quickly(SweepReader& reader) {
  const auto totals = reader.totals();
  if (!totals || totals->runs() > kMostRuns) return false;
  const auto metrics = reader.metric_totals();
  if (!metrics) return false;
  std::int64_t values = 0;
  for (const MetricTotals& metric : *metrics) values += metric.count;
  return values <= kMostValues;
}

}  // namespace

SamplerContext sampler_context(const SweepSpec& spec) {
  return {spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs};
}

std::optional<ModelPick> pick_worth_telling(const SweepSpec& spec, const History& history) {
  if (history.size() > kMostRuns) return std::nullopt;
  const auto pick = pick_by_model(spec.sampling, spec.space, sampler_context(spec), history);
  return pick && pick->leader_is_lucky ? std::optional(*pick) : std::nullopt;
}

std::optional<ModelPick> pick_worth_telling(const SweepSpec& spec, const SweepEntry& sweep,
                                            SweepReader& reader) {
  if (!reads_quickly(reader)) return std::nullopt;
  SweepState state(sweep.header.metric, sweep.header.goal);
  if (!replay_sweep(sweep.directory, sweep.header.metric,
                    [&](const Change& change) { state.apply(change); }))
    return std::nullopt;
  return pick_worth_telling(spec, state.history());
}

std::string with_deviation(double mean, double deviation) {
  const double digits = std::floor(std::log10(std::abs(mean))) - std::floor(std::log10(deviation));
  if (!std::isfinite(digits)) return fmt::format("{} +- {:.2g}", number_text(mean), deviation);
  const int count = std::clamp(static_cast<int>(digits) + 2, 2, 17);
  return fmt::format("{:.{}g} +- {:.2g}", mean, count, deviation);
}

std::string pick_text(const ModelPick& pick) {
  return fmt::format("picks run {}, {} (run {} reported the best value, {})", pick.run,
                     with_deviation(pick.mean, pick.deviation), pick.leader,
                     number_text(pick.leader_reported));
}

OrderedJson pick_json(const std::optional<ModelPick>& pick) {
  if (!pick) return nullptr;
  OrderedJson json;
  json["run"] = pick->run;
  json["mean"] = json_number(pick->mean);
  json["deviation"] = json_number(pick->deviation);
  json["noise"] = json_number(pick->noise);
  json["reported"] = json_number(pick->reported);
  json["best_reported_run"] = pick->leader;
  json["best_reported"] = json_number(pick->leader_reported);
  return json;
}

}  // namespace hdrive::cli
