// SPDX-License-Identifier: Apache-2.0
//
// What runs left, copied to a folder of the user's: as `az ml job download` gives it.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <system_error>

#include "base/file.h"
#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/lookup.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/ids.h"
#include "hdrive/reader.h"
#include "hdrive/store.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string selector = "last", directory = ".", output_dir, output;
  bool all_runs = false, all_files = false;
};

// The runs that are meant: the one that was named, all, or the best, which of a single run is it.
std::vector<RunId> wanted_runs(const Options& options, const Target& target) {
  if (target.run) return {*target.run};
  const SweepEntry& sweep = target.sweep;
  if (options.all_runs || sweep.runs == 1) {
    std::vector<RunId> runs(static_cast<std::size_t>(sweep.runs));
    for (std::size_t i = 0; i < runs.size(); ++i) runs[i] = static_cast<RunId>(i);
    return runs;
  }
  const auto reader = value_or_fail(SweepReader::open(sweep.directory));
  const SweepTotals totals = value_or_fail(reader->totals());
  if (!totals.best)
    fail(kNoneSucceeded, fmt::format("{0} has no best run; hdrive download {0}/RUN{1} gives one by "
                                     "its number, --all-runs all",
                                     short_id(sweep.header.id), home_hint(options.output_dir)));
  return {*totals.best};
}

void copy_part(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::exists(from, error)) return;
  // A link may lead anywhere: what it leads to is not the run's.
  fs::copy(from, to,
           fs::copy_options::recursive | fs::copy_options::overwrite_existing |
               fs::copy_options::skip_symlinks,
           error);
  if (error)
    fail(kCannot, fmt::format("{}: cannot be copied to {}: {}", from.string(), to.string(),
                              error.message()));
}

// The names in the outputs of a run.
std::vector<std::string> outputs_in(const fs::path& run) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run / "outputs", error))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// Which parts of a run's directory are meant. One output is a name of its own, no way out of there.
std::vector<fs::path> wanted_parts(const Options& options, const fs::path& run) {
  if (options.output.empty()) {
    std::vector<fs::path> parts{"outputs", "logs", "stdout.log", "stderr.log"};
    if (options.all_files) parts.emplace_back("checkpoints");
    return parts;
  }
  const auto names = outputs_in(run);
  if (std::find(names.begin(), names.end(), options.output) == names.end())
    fail(kNotFound,
         fmt::format("--output: run {} has no output \"{}\";{} there {}", run.filename().string(),
                     options.output, base::did_you_mean(options.output, names),
                     names.empty() ? "are none" : "are " + base::join(names, ", ")));
  return {fs::path("outputs") / options.output};
}

void tell_place(const fs::path& place) {
  print(printable(place.lexically_normal().string()) + "\n");
}

void download_run(const Options& options, const SweepEntry& sweep, RunId run) {
  const fs::path from = run_directory(sweep.directory, run);
  const fs::path to = fs::path(options.directory) / run_id(sweep.header.id, run);
  if (!fs::exists(from)) fail(kNotFound, fmt::format("run {} has left nothing", run));
  for (const fs::path& part : wanted_parts(options, from)) {
    ok_or_fail(base::make_directories((to / part).parent_path()));
    copy_part(from / part, to / part);
  }
  tell_place(to);
}

// What is the sweep's and no run's; the log under Azure's name for it.
void download_logs_of(const Options& options, const SweepEntry& sweep) {
  const fs::path to = fs::path(options.directory) / sweep.header.id;
  ok_or_fail(base::make_directories(to));
  ok_or_fail(base::write_output(to / "hyperdrive.txt", controller_log_of(sweep)));
  copy_part(sweep.directory / "engine.log", to / "engine.log");
  tell_place(to);
}

int download(const Options& options) {
  if (options.all_files && !options.output.empty())
    fail(kWrong, "--output is one thing, and --all-files is everything; ask for one of them");
  const Target target = target_or_fail(options.output_dir, options.selector, Several::newest);
  for (const RunId run : wanted_runs(options, target)) download_run(options, target.sweep, run);
  if (options.all_files && !target.run) download_logs_of(options, target.sweep);
  return kDone;
}

}  // namespace

Action setup_download(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->selector, "SWEEP/RUN", "The run; of a sweep its best one");
  parser
      .text("-d,--directory", options->directory, "DIR",
            "Where the run's folder is put (default: here)")
      .completion = Completion::directories;
  parser.flag("--all-runs", options->all_runs, "All runs of the sweep");
  parser.text(
      "--output", options->output, "NAME",
      "Only this one of the outputs: a file or folder in ./outputs, such as ${{outputs.NAME}} "
      "of a sweep job");
  parser.flag(
      "--all-files", options->all_files,
      "Also checkpoints and, of a sweep, what was done with it and when (hyperdrive.txt) and "
      "the log of its engine");
  add_home_option(parser, options->output_dir);
  return [options] { return download(*options); };
}

}  // namespace hdrive::cli
