// SPDX-License-Identifier: Apache-2.0
//
// Ask and tell for programs in any language: lines of JSON in, lines of JSON out.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "base/text.h"
#include "cli/config_arguments.h"
#include "cli/edit.h"
#include "cli/line_protocol.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {
namespace {

struct Options {
  ConfigArguments config;
  std::string output_dir;
  std::string resume;
  bool memory = false;
  bool quiet = false;
};

// Waits for a line or the end of the input. What other processes ask of the sweep is seen to meanwhile: the
// program may train for hours between two lines.
void await_line(AskTell& study) {
  constexpr int kMilliseconds = 100;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (std::cin.rdbuf()->in_avail() <= 0 && poll(&input, 1, kMilliseconds) == 0) study.attend();
}

// Answers each line, until there are no more.
int serve(AskTell study) {
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  LineProtocol protocol(study, [](std::string_view line) { print(line); });
  for (std::string line; await_line(study), std::getline(std::cin, line);) {
    const bool asked = protocol.take(line);
    // The program trains now, unless it has asked for more already.
    if (asked && std::cin.rdbuf()->in_avail() <= 0) study.prepare();
  }
  ok_or_fail(study.close());
  return kDone;
}

// A name addresses one sweep.
void check_name_is_free(const std::string& name, const std::string& output_dir) {
  if (name.empty()) return;
  for (const SweepEntry& sweep :
       list_sweeps(std::filesystem::absolute(home_directory(output_dir)), nullptr))
    if (sweep.header.name == name)
      fail(
          kWrong,
          fmt::format(
              "there is a sweep {0} ({1}) already; hdrive session --resume {1}{2} goes on with it, "
              "another --name begins another one",
              shell_quote({name}), short_id(sweep.header.id), home_hint(output_dir)));
}

int begin(const Options& options) {
  const LoadedConfig loaded = load_or_fail(options.config, false);
  SweepSpec spec = loaded.spec;
  // How many runs go on at once is the program's affair, not this machine's.
  if (!loaded.concurrency_given) spec.max_concurrent_runs = 1;
  ok_or_fail(check(spec), kWrong);
  SweepParts parts;
  if (!options.memory) {
    check_name_is_free(options.config.name, options.output_dir);
    const SweepHeader header = new_sweep_header(spec, make_steady_clock()->now());
    const auto directory =
        std::filesystem::absolute(home_directory(options.output_dir)) / header.id;
    parts.store = value_or_fail(create_sqlite_store(directory, header));
    if (!options.quiet) tell(beginning_line(header, spec));
  }
  return serve(value_or_fail(AskTell::open(spec, parts)));
}

int go_on(const Options& options) {
  if (options.memory) fail(kWrong, "--resume and --memory: what was kept in memory is gone");
  if (!options.config.file.empty())
    fail(kWrong, fmt::format("both --resume and a configuration, \"{}\"; a sweep keeps its own",
                             options.config.file));
  const ConfigArguments& given = options.config;
  if (given.seed || !given.name.empty() || !given.experiment.empty())
    fail(kWrong, "--resume takes no --seed, --name or experiment; a sweep keeps its own");
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.resume);
  const std::string id = short_id(sweep.header.id);
  SweepParts parts;
  const OwnedSweep owned = own_or_fail(sweep);
  parts.store = owned.store;
  parts.state = owned.state;
  const auto settings = parse_settings(options.config.set);
  if (!settings.empty()) edit_or_fail(owned, sweep, settings);
  const SweepSpec spec = value_or_fail(stored_spec(parts.store->header(), sweep.directory), kWrong);
  auto study = value_or_fail(AskTell::open(spec, parts));
  const auto open = study.retry_open();
  if (!options.quiet)
    tell(fmt::format("sweep {} goes on: {} of {} so far, {} to be asked for again\n", id,
                     sweep.runs, base::plural(spec.max_total_runs, "run"), open));
  return serve(std::move(study));
}

}  // namespace

Action setup_session(CLI::App& app, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  add_config_options(app, options->config);
  app.add_option("--resume", options->resume,
                 "Go on with the sweep of an earlier session, in place of a configuration")
      ->option_text("SWEEP");
  app.add_flag("--memory", options->memory, "Keep nothing on disk");
  app.add_flag("--quiet", options->quiet, "Only warnings and errors on stderr");
  add_home_option(app, options->output_dir);
  take_words(app, options->config, arguments);
  return [options] { return options->resume.empty() ? begin(*options) : go_on(*options); };
}

}  // namespace hdrive::cli
