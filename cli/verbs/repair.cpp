// SPDX-License-Identifier: Apache-2.0
#include "hdrive/repair.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <system_error>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "hdrive/target.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string sweep;
  std::string output_dir;
};

// The sweep's directory. A damaged database tells no names, but directories are named as their
// sweeps, and sweep.json beside it tells the name a user gave.
fs::path directory_of(const Options& options) {
  const fs::path home = home_directory(options.output_dir);
  std::error_code error;
  for (const fs::path& place : {home / options.sweep, fs::path(options.sweep)})
    if (!options.sweep.empty() && fs::is_directory(place, error)) return place;
  std::vector<fs::path> found;
  const auto prefixes = {options.sweep, "HD_" + options.sweep};
  for (fs::directory_iterator entry(home, error), end; !error && entry != end;
       entry.increment(error))
    for (const std::string& prefix : prefixes)
      if (entry->path().filename().string().starts_with(prefix)) found.push_back(entry->path());
  if (found.size() == 1) return found.front();
  if (const auto sweep = find_sweep(home, options.sweep);
      !sweep && !sweep.error().to_repair.empty())
    return sweep.error().to_repair;
  return sweep_or_fail(options.output_dir, options.sweep).directory;
}

Result<RecordedRun> read_run(const fs::path& directory, RunId run, const SweepHeader& header) {
  LocalTargetOptions options;
  options.primary_metric = header.metric;
  const auto spec = stored_spec(header, directory.parent_path().parent_path());
  if (spec) options.metric_patterns = spec->metric_patterns;
  return read_run_directory(directory, run, options);
}

int repair(const Options& options) {
  const fs::path directory = directory_of(options);
  const RepairReport report = value_or_fail(repair_sweep(directory, read_run));
  const std::string name = directory.filename().string();
  if (report.sound) {
    print(fmt::format("{}: its database is sound; nothing was changed\n", name));
    return kDone;
  }
  std::string text =
      fmt::format("{}: its database was rebuilt, with {} and {}\n", name,
                  base::plural(report.runs, "run"), base::plural(report.metrics, "metric"));
  for (const std::string& sentence : report.restored) text += "  restored  " + sentence + "\n";
  for (const std::string& sentence : report.lost) text += "  lost      " + sentence + "\n";
  if (report.lost.empty()) text += "  lost      nothing that is known of\n";
  if (!report.kept.empty()) text += "  kept      " + report.kept.string() + ", as it was\n";
  print(text +
        fmt::format("go on with: hdrive resume {}{}\n", name, home_hint(options.output_dir)));
  return kDone;
}

}  // namespace

Action setup_repair(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP",
                     "The sweep: its directory, its id or the start of it");
  add_home_option(parser, options->output_dir);
  return [options] { return repair(*options); };
}

}  // namespace hdrive::cli
