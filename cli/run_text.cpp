// SPDX-License-Identifier: Apache-2.0
#include "cli/run_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/sweep_text.h"
#include "cli/terminal.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

// One metric of a run over its latest attempt.
struct Series {
  std::int64_t count = 0;
  std::int64_t not_finite = 0;  // NaN and infinities among them
  double last = 0;
  std::optional<double> least, greatest;  // of the finite values
};

std::map<std::string, Series> series_of(const RunFacts& facts) {
  std::map<std::string, Series> all;
  const int attempt = facts.state.history().run(facts.run).attempt;
  for (const StoredMetric& stored : facts.metrics) {
    if (stored.attempt != attempt) continue;
    Series& series = all[stored.metric.name];
    const double value = stored.metric.value;
    ++series.count;
    series.last = value;
    if (!std::isfinite(value)) {
      ++series.not_finite;
      continue;
    }
    series.least = std::min(series.least.value_or(value), value);
    series.greatest = std::max(series.greatest.value_or(value), value);
  }
  return all;
}

std::string ending(const Run& run) {
  std::string text(outcome_text(run.status, run.ended_by));
  if (run.exit_code) text += fmt::format(", exit code {}", *run.exit_code);
  if (run.signal) text += fmt::format(", killed by signal {}", *run.signal);
  if (run.attempt > 1) text += fmt::format(", attempt {}", run.attempt);
  return text;
}

std::string times(const Run& run) {
  if (run.started == Time{}) return "not started";
  std::string text = "started " + time_text(run.started);
  if (run.ended != Time{})
    text += fmt::format(", ended {}, took {}", time_text(run.ended),
                        duration_text(run.ended - run.started));
  return text;
}

std::string metrics_table(const RunFacts& facts) {
  const auto all = series_of(facts);
  if (all.empty()) return "\nmetrics\n  none logged\n";
  Listing listing;
  listing.columns = {
      {"name", "METRIC", Align::left, 8},         {"count", "COUNT", Align::right, 0, 1},
      {"not_finite", "NOT FINITE", Align::right}, {"last", "LAST", Align::right},
      {"least", "LEAST", Align::right},           {"greatest", "GREATEST", Align::right}};
  const auto number = [](const std::optional<double>& value) {
    return Cell{nullptr, value ? number_text(*value) : "-"};
  };
  for (const auto& [name, series] : all)
    listing.rows.push_back(
        {{nullptr, printable(name)},
         {nullptr, std::to_string(series.count)},
         {nullptr, series.not_finite > 0 ? std::to_string(series.not_finite) : ""},
         number(series.last),
         number(series.least),
         number(series.greatest)});
  return "\n" + listing.table(output_width());
}

}  // namespace

RunReport report_of(const SweepState& state, const std::string& sweep_id, RunId run) {
  return std::move(report_runs(state, sweep_id).at(static_cast<std::size_t>(run)));
}

std::string policy_sentence(const SweepState& state, RunId run) {
  const Run& record = state.history().run(run);
  if (record.ended_by == EndCause::policy)
    return "stopped it: " + (record.reason.empty() ? state.canceling_reason(run) : record.reason);
  if (state.canceling(run) == EndCause::policy)
    return "is stopping it: " + state.canceling_reason(run);
  if (const auto judged = state.judged(run)) return "did not stop it: " + judged->reason;
  if (state.history().reports(run).empty())
    return fmt::format("never looked at it: it has not reported {}", state.primary_metric());
  return "never looked at it";
}

std::string command_line(const SweepEntry& sweep, const Run& run) {
  const auto spec = stored_spec(sweep.header, sweep.directory);
  if (!spec || spec->command.empty()) return "";
  return shell_quote(render_command(*spec, run.parameters, sweep.header.id, run.id).arguments);
}

std::string outputs_text(const std::filesystem::path& sweep, RunId run) {
  const auto outputs = run_directory(sweep, run) / "outputs";
  std::error_code error;
  const bool nothing = std::filesystem::is_empty(outputs, error) || error;
  return outputs.string() + (nothing ? "  (empty)" : "");
}

std::string run_text(const RunFacts& facts) {
  const History& history = facts.state.history();
  const Run& run = history.run(facts.run);
  std::string text = labelled("run", run_id(facts.sweep.header.id, run.id));
  text += labelled_sentence("status", ending(run));
  // Said already by the status, or told below as the policy's.
  const bool told = run.status == RunStatus::completed || run.ended_by == EndCause::policy;
  if (!run.reason.empty() && !told) text += labelled_sentence("reason", run.reason);
  const auto best = history.best(run.id);
  text += labelled(
      "metric",
      fmt::format("{}: best {}, {}", facts.state.primary_metric(),
                  best ? base::shortest(*best) : "none",
                  base::plural(static_cast<long long>(history.reports(run.id).size()), "report")));
  text += labelled_sentence("policy", policy_sentence(facts.state, run.id));
  text += labelled_sentence("chosen", run.proposal);
  text += labelled_sentence("time", times(run));
  if (const auto command = command_line(facts.sweep, run); !command.empty())
    text += labelled("command", command);
  text += labelled("directory", run_directory(facts.sweep.directory, run.id).string());
  text += labelled("outputs", outputs_text(facts.sweep.directory, run.id));
  text += "\nhyperparameters\n";
  for (const Binding& binding : run.parameters)
    text += fmt::format("  {} = {}\n", printable(binding.name), printable(to_text(binding.value)));
  text += metrics_table(facts);
  if (const std::string& tail = facts.state.stderr_tail(run.id); !tail.empty()) {
    text += "\nthe last lines of stderr\n";
    for (const std::string& line : printable_lines(tail)) text += "  " + line + "\n";
  }
  return text;
}

OrderedJson run_json(const RunFacts& facts) {
  const Run& run = facts.state.history().run(facts.run);
  OrderedJson json =
      OrderedJson::parse(to_json(report_of(facts.state, facts.sweep.header.id, facts.run)));
  json["policy"] = policy_sentence(facts.state, facts.run);
  json["command"] = command_line(facts.sweep, run);
  json["directory"] = run_directory(facts.sweep.directory, run.id).string();
  json["stderr_tail"] = facts.state.stderr_tail(run.id);
  json["metrics"] = OrderedJson::object();
  for (const auto& [name, series] : series_of(facts)) {
    const auto number = [](const std::optional<double>& value) {
      return value ? json_number(*value) : OrderedJson(nullptr);
    };
    json["metrics"][name] = {{"count", series.count},
                             {"not_finite", series.not_finite},
                             {"last", json_number(series.last)},
                             {"least", number(series.least)},
                             {"greatest", number(series.greatest)}};
  }
  return json;
}

}  // namespace hdrive::cli
