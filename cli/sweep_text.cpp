// SPDX-License-Identifier: Apache-2.0
#include "cli/sweep_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/json.h"
#include "cli/lookup.h"
#include "cli/source_text.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/catalog.h"
#include "hdrive/ids.h"
#include "hdrive/overview.h"

namespace hdrive::cli {
namespace {

OrderedJson seconds(Duration duration) {
  return json_number(static_cast<double>(duration.count()) / 1e6);
}

// Runs of a sweep that had ended which `hdrive retry` queued again.
bool waits_for_resume(const SweepEntry& sweep) {
  return is_over(sweep.status) && !sweep.engine && sweep.live > 0;
}

std::string status_line(const SweepEntry& sweep) {
  std::string text = sweep_status_text(sweep);
  if (waits_for_resume(sweep))
    return fmt::format("{}, and {} queued again: hdrive resume {}{} goes on", text,
                       sweep.live == 1 ? "1 run is" : fmt::format("{} runs are", sweep.live),
                       short_id(sweep.header.id), home_hint(sweep));
  if (sweep.engine) text += fmt::format(", by process {}", *sweep.engine);
  if (!is_over(sweep.status) && !sweep.engine)
    text += fmt::format(": no process runs it; hdrive resume {}{} goes on",
                        short_id(sweep.header.id), home_hint(sweep));
  // "Interrupted: interrupted" would say it twice.
  if (!sweep.reason.empty() && base::lower(sweep.reason) != base::lower(sweep_status_text(sweep)))
    text += ": " + sweep.reason;
  return text;
}

}  // namespace

std::string labelled(std::string_view label, const std::string& text) {
  return fmt::format("{:<10} {}\n", label, printable(text));
}

std::string labelled_sentence(std::string_view label, const std::string& text) {
  constexpr int kLabel = 11, kLeast = 20;
  const int width = output_width();
  std::string result;
  for (const std::string& line : printable_lines(text)) {
    // What follows a sentence's first line is quoted, a script's stderr: shown as it was, further
    // in.
    if (!result.empty())
      result += labelled("", "  " + line);
    else if (width <= 0)
      result = labelled(label, line);
    else
      for (const std::string& part : wrap(line, std::max(kLeast, width - kLabel)))
        result += labelled(result.empty() ? label : "", part);
  }
  return result;
}

std::string sweep_text(const SweepEntry& sweep, const SweepSummary& summary) {
  const SweepHeader& header = sweep.header;
  std::string text = labelled("sweep", header.id);
  if (!header.name.empty()) text += labelled("name", header.name);
  if (!header.experiment.empty()) text += labelled("experiment", header.experiment);
  text += labelled_sentence("status", status_line(sweep));
  text += labelled("metric", fmt::format("{} ({})", header.metric, to_string(header.goal)));
  text += labelled("best",
                   summary.best
                       ? fmt::format("{} (run {})", number_text(summary.best_value), *summary.best)
                       : "none yet");
  std::string runs =
      fmt::format("{}: {} {}, {} completed, {} stopped early, {} failed", summary.runs, sweep.live,
                  waits_for_resume(sweep) ? "queued" : "live", summary.completed, summary.stopped,
                  summary.failed);
  if (summary.canceled > 0) runs += fmt::format(", {} canceled", summary.canceled);
  text += labelled_sentence("runs", runs);
  text += labelled("time", fmt::format("{}, compute {}", duration_text(summary.elapsed),
                                       duration_text(summary.compute)));
  if (summary.stopped > 0 && summary.saved)
    text += labelled_sentence("saved", fmt::format("about {} of compute, by stopping early",
                                                   duration_text(*summary.saved)));
  return text + labelled("created", time_text(header.created)) +
         labelled("directory", sweep.directory.string());
}

OrderedJson sweep_json(const SweepEntry& sweep, const SweepSummary& summary) {
  const SweepHeader& header = sweep.header;
  OrderedJson json;
  json["sweep_id"] = header.id;
  json["name"] = header.name;
  json["experiment"] = header.experiment;
  json["status"] = sweep_status_text(sweep);
  json["end"] = std::string(to_string(sweep.end));
  json["reason"] = sweep.reason;
  json["engine"] = sweep.engine ? OrderedJson(*sweep.engine) : OrderedJson(nullptr);
  json["primary_metric_name"] = header.metric;
  json["primary_metric_goal"] = std::string(to_string(header.goal));
  json["best_run_id"] =
      summary.best ? OrderedJson(run_id(header.id, *summary.best)) : OrderedJson(nullptr);
  json["best_primary_metric"] =
      summary.best ? json_number(summary.best_value) : OrderedJson(nullptr);
  json["counts"] = {{"runs", summary.runs},           {"live", sweep.live},
                    {"completed", summary.completed}, {"stopped", summary.stopped},
                    {"failed", summary.failed},       {"canceled", summary.canceled}};
  json["active_seconds"] = seconds(summary.elapsed);
  json["compute_seconds"] = seconds(summary.compute);
  json["saved_seconds"] = summary.saved ? seconds(*summary.saved) : OrderedJson(nullptr);
  json["created"] = json_time(header.created);
  json["changed"] = json_time(sweep.changed);
  json["version"] = header.version;
  json["snapshot"] = header.snapshot;
  json["git"] = git_json(header);
  json["directory"] = sweep.directory.string();
  return json;
}

}  // namespace hdrive::cli
