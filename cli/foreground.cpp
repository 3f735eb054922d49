// SPDX-License-Identifier: Apache-2.0
#include "cli/foreground.h"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "base/text.h"
#include "cli/command.h"
#include "cli/detach.h"
#include "cli/display.h"
#include "cli/hooks.h"
#include "cli/model_pick.h"
#include "cli/page.h"
#include "cli/repeats_text.h"
#include "cli/signals.h"
#include "cli/stored_spec.h"
#include "cli/summary.h"
#include "cli/surroundings.h"
#include "cli/targets.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/begin.h"
#include "hdrive/catalog.h"
#include "hdrive/server.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {

namespace {

// The server that the runs log to with MLflow, once the sweep is there.
std::shared_ptr<SweepServer> start_server(const Foreground& foreground, const std::string& id) {
  const auto uri =
      own_tracking_uri(environment("MLFLOW_TRACKING_URI"), environment("HDRIVE_RUN_ID"));
  auto started = value_or_fail(start_server_for(foreground.spec, id, foreground.directory, uri));
  if (!started.note.empty()) complain("warning: " + printable(started.note));
  return std::move(started.server);
}

// What is to be read of the sweep, if it can be.
void read_the_rest(const Foreground& foreground, SummaryContext& context) {
  const auto reader = SweepReader::open(foreground.directory);
  if (!reader) return;
  const auto sweep = (*reader)->entry();
  if (!sweep) return;
  // As it ended: its keys may have been changed while it ran.
  const auto spec = stored_spec(sweep->header, sweep->directory);
  if (!spec) return;
  if (auto repeated = repeats_of(*spec, **reader)) context.repeated = *std::move(repeated);
  context.pick = pick_worth_telling(*spec, *sweep, **reader);
}

}  // namespace

int run_in_foreground(const Foreground& foreground) {
  if (foreground.announce_to) become_detached();
  const StopSignal stop = foreground.shared_stop.value_or(StopSignal());
  // First of all: no thread may be without its mask.
  std::optional<SignalWatcher> watcher;
  if (!foreground.shared_stop) watcher.emplace(stop);

  SweepParts parts;
  parts.clock = make_steady_clock();
  LocalTargetOptions options;
  options.metric_patterns = foreground.spec.metric_patterns;
  options.tensorboard_metrics = foreground.spec.tensorboard_metrics;
  options.primary_metric = foreground.spec.primary_metric;
  options.command_path = own_directory();
  ok_or_fail(check_server_address(foreground.spec), kWrong);
  const auto server = std::make_shared<std::shared_ptr<SweepServer>>();
  options.environment = [server](const RunRequest& request) {
    return *server ? (*server)->environment(request)
                   : std::vector<std::pair<std::string, std::string>>();
  };
  if (!foreground.spec.server_advertise.empty() || !foreground.spec.server_address.empty())
    options.elsewhere = [server](const RunRequest& request) {
      return *server ? (*server)->elsewhere(request) : std::nullopt;
    };
  auto target = target_for(foreground.spec, options, foreground.directory, visible_gpus(),
                           targets_files_here(), parts.clock);
  if (!target) fail(target.error().kind == Error::Kind::invalid ? kWrong : kCannot, target.error());
  parts.target = *std::move(target);
  const OwnedSweep sweep = foreground.open();
  parts.store = sweep.store;
  parts.state = sweep.state;
  parts.directory = foreground.directory;
  const std::string id = parts.store->header().id;
  *server = start_server(foreground, id);
  const auto page =
      foreground.ui ? serve_page_beside(foreground.directory, id, foreground.output_dir) : nullptr;
  const auto display = foreground.announce_to || foreground.shared_stop
                           ? make_plain_display(foreground.quiet, stop)
                           : make_display(foreground.spec, foreground.quiet, stop);
  if (foreground.announce_to)
    parts.listeners.push_back(
        make_announcer(*foreground.announce_to, id, foreground.directory / "engine.log"));
  parts.listeners.push_back(display);
  const auto hooks =
      std::make_shared<Hooks>(foreground.spec, id, foreground.directory, display, stop);
  parts.listeners.push_back(hooks);

  const auto summary = run_sweep(foreground.spec, parts, stop);
  server->reset();
  display->finish();
  const std::vector<std::string> warnings = hooks->finish(summary);
  // All is recorded: what is left to show may wait for a reader, and Ctrl-C ends that.
  watcher.reset();
  display->drain();
  for (const std::string& warning : warnings) complain("warning: " + printable(warning));
  if (!summary) fail(kCannot, summary.error());

  return conclude(foreground, id, *summary);
}

int conclude(const Foreground& foreground, const std::string& sweep_id,
             const SweepSummary& summary) {
  SummaryContext context{sweep_id, foreground.directory, home_hint(foreground.output_dir)};
  if (foreground.quiet) {
    if (summary.status != SweepStatus::completed)
      complain(base::join(printable_lines(summary.reason), "\n  "));
    print(quiet_line(summary, foreground.spec));
    if (waits_to_be_resumed(summary.end))
      complain(fmt::format("resume with: hdrive resume {}{}", short_id(context.sweep_id),
                           context.home_hint));
  } else {
    read_the_rest(foreground, context);
    print("\n" + summary_text(summary, foreground.spec, context));
  }
  return exit_code(summary);
}

}  // namespace hdrive::cli
