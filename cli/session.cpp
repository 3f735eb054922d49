// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/display.h"
#include "cli/lookup.h"
#include "cli/signals.h"
#include "cli/summary.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace hdrive::cli {
namespace {

// Where this program lies, so that a run's script finds `hdrive log`; empty if the system does not tell.
std::filesystem::path own_directory() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

std::optional<Run> best_run(Store& store, const SweepSpec& spec, const SweepSummary& summary) {
  if (!summary.best) return std::nullopt;
  SweepState state(spec.primary_metric, spec.goal);
  ok_or_fail(store.replay(spec.primary_metric, [&](const Change& change) { state.apply(change); }));
  return state.history().run(*summary.best);
}

}  // namespace

int run_session(const Session& session) {
  const StopSignal stop;
  const SignalWatcher watcher(stop);  // first of all: no thread may be without its mask

  SweepParts parts;
  parts.clock = make_steady_clock();
  LocalTargetOptions options;
  options.metric_patterns = session.spec.metric_patterns;
  options.primary_metric = session.spec.primary_metric;
  options.command_path = own_directory();
  parts.target = value_or_fail(make_local_target(options, parts.clock));
  parts.store = session.open_store();
  parts.directory = session.directory;
  const auto display = make_display(session.spec, session.quiet, stop);
  parts.listeners.push_back(display);

  const auto summary = run_sweep(session.spec, parts, stop);
  display->finish();
  if (!summary) fail(kCannot, summary.error().message());

  const SummaryContext context{parts.store->header().id, session.directory,
                               home_hint(session.output_dir)};
  const auto best = best_run(*parts.store, session.spec, *summary);
  const Run* record = best ? &*best : nullptr;
  if (session.quiet) {
    if (summary->status != SweepStatus::completed) complain(summary->reason);
    print(quiet_line(*summary, session.spec, record));
    if (summary->end == SweepEnd::interrupt)
      complain(fmt::format("resume with: hdrive resume {}{}", short_id(context.sweep_id),
                           context.home_hint));
  } else {
    print("\n" + summary_text(*summary, session.spec, record, context));
  }
  return exit_code(*summary);
}

}  // namespace hdrive::cli
