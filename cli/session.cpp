// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/display.h"
#include "cli/lookup.h"
#include "cli/signals.h"
#include "cli/summary.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace hdrive::cli {

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
  if (session.quiet) {
    if (summary->status != SweepStatus::completed)
      complain(base::join(printable_lines(summary->reason), "\n  "));
    print(quiet_line(*summary, session.spec));
    if (summary->end == SweepEnd::interrupt)
      complain(fmt::format("resume with: hdrive resume {}{}", short_id(context.sweep_id),
                           context.home_hint));
  } else {
    print("\n" + summary_text(*summary, session.spec, context));
  }
  return exit_code(*summary);
}

}  // namespace hdrive::cli
