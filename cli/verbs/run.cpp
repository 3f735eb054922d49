// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/config_arguments.h"
#include "cli/lookup.h"
#include "cli/session.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {
namespace {

struct Options {
  ConfigArguments config;
  std::string output_dir;
  bool dry_run = false;
  bool quiet = false;
};

std::string row(std::string_view label, const std::string& text) {
  return fmt::format("{:<11} {}\n", label, printable(text));
}

// What would be run: everything is checked and made except the runs.
int dry_run(const SweepSpec& spec, const std::filesystem::path& file,
            const std::filesystem::path& home) {
  const auto sampler = value_or_fail(
      make_sampler(spec.sampling, spec.space,
                   {spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs}),
      kWrong);
  const auto policy = value_or_fail(make_policy(spec.policy, spec.goal), kWrong);
  std::string text = row("config", file.string());
  text += row("metric", fmt::format("{} ({})", spec.primary_metric, to_string(spec.goal)));
  text += row("sampling", sampler->describe());
  text += row("policy", policy->describe());
  text += row("runs", fmt::format("{}, {} at once, for at most {}", spec.max_total_runs,
                                  spec.max_concurrent_runs, duration_text(spec.max_duration)));
  text += row("seed", std::to_string(spec.seed));
  text += row("starts in", spec.source_directory.string());
  text += row("kept in", home.string());
  const auto proposal = value_or_fail(sampler->propose(History(spec.goal), 0));
  if (proposal.parameters)
    text += row("first run",
                shell_quote(render_command(spec, *proposal.parameters, "HD_dry_run", 0).arguments));
  print(text + "Nothing was started.\n");
  return kDone;
}

int run(const Options& options) {
  const LoadedConfig loaded = load_or_fail(options.config, true);
  const SweepSpec& spec = loaded.spec;
  ok_or_fail(check(spec), kWrong);
  const auto home = std::filesystem::absolute(home_directory(options.output_dir));
  if (options.dry_run) return dry_run(spec, config_file(options.config), home);

  const SweepHeader header = new_sweep_header(spec, make_steady_clock()->now());
  Session session;
  session.spec = spec;
  session.directory = home / header.id;
  session.output_dir = options.output_dir;
  session.quiet = options.quiet;
  session.open_store = [&] {
    auto store = value_or_fail(create_sqlite_store(session.directory, header));
    if (!options.quiet) tell(beginning_line(header, spec));
    return store;
  };
  return run_session(session);
}

}  // namespace

Action setup_run(CLI::App& app, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  add_config_options(app, options->config);
  add_home_option(app, options->output_dir);
  app.add_flag("--dry-run", options->dry_run,
               "Check everything, print what would be run, start nothing");
  app.add_flag("--quiet", options->quiet, "Only warnings, errors and one line about the best run");
  take_words(app, options->config, arguments);
  return [options] { return run(*options); };
}

}  // namespace hdrive::cli
