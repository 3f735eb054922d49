// SPDX-License-Identifier: Apache-2.0
#include "cli/run_text.h"

#include <fmt/format.h>

#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/json.h"
#include "cli/listing.h"
#include "cli/lookup.h"
#include "cli/run_rows.h"
#include "cli/source_text.h"
#include "cli/stored_spec.h"
#include "cli/sweep_text.h"
#include "cli/terminal.h"
#include "hdrive/catalog.h"
#include "hdrive/ids.h"
#include "hdrive/overview.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

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

std::string metrics_table(const StoredRun& run) {
  if (run.metrics.empty()) return "\nmetrics\n  none logged\n";
  Listing listing;
  listing.columns = {
      {"name", "METRIC", Align::left, 8},         {"count", "COUNT", Align::right, 0, 1},
      {"not_finite", "NOT FINITE", Align::right}, {"last", "LAST", Align::right},
      {"least", "LEAST", Align::right},           {"greatest", "GREATEST", Align::right}};
  const auto number = [](const std::optional<double>& value) {
    return Cell{nullptr, value ? number_text(*value) : "-"};
  };
  for (const MetricFigures& figures : run.metrics)
    listing.rows.push_back(
        {{nullptr, printable(figures.name)},
         {nullptr, std::to_string(figures.count)},
         {nullptr, figures.not_finite > 0 ? std::to_string(figures.not_finite) : ""},
         number(figures.last),
         number(figures.least),
         number(figures.greatest)});
  return "\n" + listing.table(output_width());
}

std::string used(const StoredRun& run) {
  std::vector<std::string> parts;
  if (run.cpu_time) parts.push_back(duration_text(*run.cpu_time) + " of processor time");
  if (run.peak_memory)
    parts.push_back(size_text(static_cast<std::uint64_t>(*run.peak_memory)) + " of memory at most");
  return base::join(parts, ", ");
}

// What of the machine it had, as its run.json tells.
OrderedJson devices_of(const SweepEntry& sweep, const Run& run) {
  OrderedJson devices = {{"gpus", OrderedJson::array()}, {"cpus", OrderedJson::array()}};
  const auto text = base::read_file(run_directory(sweep.directory, run.id) / "run.json", 1 << 20);
  if (!text) return devices;
  const OrderedJson record = base::parse_ordered_json(*text);
  if (!record.is_object() || record.value("attempt", OrderedJson()) != run.attempt) return devices;
  for (auto& [kind, list] : devices.items())
    if (const auto found = record.find(kind); found != record.end() && found->is_array())
      list = *found;
  return devices;
}

std::string devices_text(const OrderedJson& devices) {
  std::vector<std::string> parts;
  for (const auto& [kind, name] : {std::pair{"gpus", "GPU"}, std::pair{"cpus", "processor"}}) {
    const auto& list = devices.at(kind);
    if (list.empty()) continue;
    std::vector<std::string> words;
    for (const OrderedJson& one : list)
      words.push_back(one.is_string() ? one.get<std::string>() : compact(one));
    parts.push_back(
        fmt::format("{}{} {}", name, words.size() > 1 ? "s" : "", base::join(words, ", ")));
  }
  return base::join(parts, "; ");
}

}  // namespace

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
  const SweepHeader& header = facts.sweep.header;
  const Run& run = facts.stored.run;
  std::string text = labelled("run", run_id(header.id, run.id));
  text += labelled_sentence("status", ending(run));
  // Said already by the status, or told below as the policy's.
  const bool told = run.status == RunStatus::completed || run.ended_by == EndCause::policy;
  if (!run.reason.empty() && !told) text += labelled_sentence("reason", run.reason);
  const RunReport report = report_of(facts.stored, header);
  const auto& best = report.best_primary_metric;
  text += labelled(
      "metric", fmt::format("{}: best {}, {}", header.metric, best ? base::shortest(*best) : "none",
                            base::plural(static_cast<long long>(report.reports), "report")));
  text += labelled_sentence("policy",
                            policy_sentence(facts.stored, facts.judged, facts.sweep.header.metric));
  text += labelled_sentence("chosen", run.proposal);
  text += labelled_sentence("time", times(run));
  if (const StoredRun& stored = facts.stored; stored.lost_contact)
    text += labelled_sentence(
        "contact", fmt::format("none since {}: {}", time_text(stored.lost_contact->since),
                               stored.lost_contact->why));
  if (!facts.stored.handle.empty()) text += labelled("job", printable(facts.stored.handle));
  if (const std::string usage = used(facts.stored); !usage.empty()) text += labelled("used", usage);
  if (facts.stored.slot) text += labelled("slot", std::to_string(*facts.stored.slot));
  if (const auto devices = devices_text(devices_of(facts.sweep, run)); !devices.empty())
    text += labelled("devices", devices);
  if (const auto command = command_line(facts.sweep, run); !command.empty())
    text += labelled("command", command);
  text += labelled("directory", run_directory(facts.sweep.directory, run.id).string());
  text += labelled("outputs", outputs_text(facts.sweep.directory, run.id));
  text += "\nhyperparameters\n";
  for (const Binding& binding : run.parameters)
    text += fmt::format("  {} = {}\n", printable(binding.name), printable(to_text(binding.value)));
  text += metrics_table(facts.stored);
  if (const std::string& tail = facts.stored.stderr_tail; !tail.empty()) {
    text += "\nthe last lines of stderr\n";
    for (const std::string& line : printable_lines(tail)) text += "  " + line + "\n";
  }
  return text;
}

OrderedJson run_json(const RunFacts& facts) {
  const Run& run = facts.stored.run;
  OrderedJson json = run_object(facts.stored, facts.sweep.header);
  json["policy"] = policy_sentence(facts.stored, facts.judged, facts.sweep.header.metric);
  json["command"] = command_line(facts.sweep, run);
  json["devices"] = devices_of(facts.sweep, run);
  json["directory"] = run_directory(facts.sweep.directory, run.id).string();
  json["stderr_tail"] = facts.stored.stderr_tail;
  return json;
}

}  // namespace hdrive::cli
