// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cli/command.h"
#include "cli/model_pick.h"
#include "cli/repeats_text.h"
#include "cli/run_text.h"
#include "cli/text.h"
#include "hdrive/begin.h"
#include "hdrive/ids.h"
#include "hdrive/overview.h"
#include "hdrive/store.h"

namespace hdrive::cli {
namespace {

// More would push what else there is to say off the screen.
constexpr std::size_t kParameters = 30;
constexpr int kLongestLine = 400;  // of parameters, in the one line of --quiet

std::string row(std::string_view label, const std::string& text) {
  return fmt::format("{:<9} {}\n", label, text);
}

std::string best_rows(const SweepSummary& summary, const SweepSpec& spec, const Run& best,
                      const SummaryContext& context) {
  const std::string outcome = best.status == RunStatus::completed
                                  ? ""
                                  : fmt::format(", {}", outcome_text(best.status, best.ended_by));
  std::string text = row(
      "best", fmt::format("run {} ({}){}", best.id, run_id(context.sweep_id, best.id), outcome));
  text += fmt::format("  {} = {}\n", printable(spec.primary_metric),
                      base::shortest(summary.best_value));
  const std::size_t shown = std::min(best.parameters.size(), kParameters);
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("  {} = {}\n", printable(best.parameters[i].name),
                        printable(to_text(best.parameters[i].value)));
  if (const std::size_t rest = best.parameters.size() - shown; rest > 0)
    text += fmt::format("  and {}: hdrive best {}{} has them\n",
                        base::plural(static_cast<long long>(rest), "more parameter"),
                        short_id(context.sweep_id), context.home_hint);
  for (std::string_view label = "repeats";
       const std::string& line : repeats_lines(context.repeated))
    text += row(std::exchange(label, ""), line);
  if (context.pick) text += row("model", pick_text(*context.pick));
  return text;
}

std::string counts_row(const SweepSummary& summary) {
  std::string text = fmt::format("{}: {} completed, {} stopped early, {} failed", summary.runs,
                                 summary.completed, summary.stopped, summary.failed);
  if (summary.canceled > 0) text += fmt::format(", {} canceled", summary.canceled);
  return row("runs", text);
}

std::string saved_row(const SweepSummary& summary) {
  if (summary.stopped == 0 || !summary.saved) return "";
  const double all = static_cast<double>((summary.compute + *summary.saved).count());
  const double share = all > 0 ? 100.0 * static_cast<double>(summary.saved->count()) / all : 0.0;
  return row("saved", fmt::format("about {} of compute ({:.0f} %), by stopping {} early",
                                  duration_text(*summary.saved), share,
                                  base::plural(summary.stopped, "run")));
}

}  // namespace

bool waits_to_be_resumed(SweepEnd end) {
  return end == SweepEnd::interrupt || end == SweepEnd::failing || end == SweepEnd::blocked;
}

std::string summary_text(const SweepSummary& summary, const SweepSpec& spec,
                         const SummaryContext& context) {
  const auto& best = summary.best_run;
  const std::string status(sweep_status_text(summary.status, summary.end));
  std::string text = row("sweep", fmt::format("{}: {}", short_id(context.sweep_id), status));
  std::string indent;  // of the lines quoted behind a reason, a script's stderr
  if (base::lower(summary.reason) != base::lower(status))  // which would say it twice
    for (const std::string& line : printable_lines(summary.reason))
      text += row("", std::exchange(indent, "  ") + line);
  if (best)
    text += best_rows(summary, spec, *best, context);
  else if (!is_single_run(spec))
    text += row("best", fmt::format("none: no run reported {}", printable(spec.primary_metric)));
  text += counts_row(summary) + saved_row(summary);
  text += row("time", fmt::format("{}, compute {}", duration_text(summary.elapsed),
                                  duration_text(summary.compute)));
  text += best ? row("outputs", outputs_text(context.directory, best->id))
               : row("directory", context.directory.string());
  if (!summary.warnings.empty())
    text += row("warnings", fmt::format("{}: hdrive show {}{} tells all", summary.warnings.size(),
                                        short_id(context.sweep_id), context.home_hint));
  text += row("more", fmt::format("hdrive show {}{}{}", short_id(context.sweep_id),
                                  best ? "/best" : "", context.home_hint));
  text += row("", fmt::format("hdrive status {}{}", short_id(context.sweep_id), context.home_hint));
  if (waits_to_be_resumed(summary.end))
    text += fmt::format("resume with: hdrive resume {}{}\n", short_id(context.sweep_id),
                        context.home_hint);
  return text;
}

std::string quiet_line(const SweepSummary& summary, const SweepSpec& spec) {
  const auto& best = summary.best_run;
  if (!best && is_single_run(spec))
    return fmt::format("{}\n", sweep_status_text(summary.status, summary.end));
  if (!best)
    return fmt::format("no best run: no run reported {}\n", printable(spec.primary_metric));
  return fmt::format("best run {}  {} {}  {}\n", best->id, printable(spec.primary_metric),
                     base::shortest(summary.best_value),
                     cut(parameters_text(best->parameters), kLongestLine));
}

int exit_code(const SweepSummary& summary) {
  if (summary.end == SweepEnd::interrupt || summary.end == SweepEnd::user) return kInterrupted;
  if (waits_to_be_resumed(summary.end)) return kStoppedItself;
  switch (summary.status) {
    case SweepStatus::completed:
      return kDone;
    case SweepStatus::failed:
      return kNoneSucceeded;
    case SweepStatus::canceled:
      return kInterrupted;
    case SweepStatus::running:
    case SweepStatus::paused:
      break;
  }
  return kCannot;
}

}  // namespace hdrive::cli
