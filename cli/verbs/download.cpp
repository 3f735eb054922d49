// SPDX-License-Identifier: Apache-2.0
//
// What runs left, copied to a folder of the user's: as `az ml job download` gives it.
#include <fmt/format.h>

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
  std::string selector = "last", directory = ".", output_dir;
  bool all_runs = false;
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

int download(const Options& options) {
  const Target target = target_or_fail(options.output_dir, options.selector, Several::newest);
  for (const RunId run : wanted_runs(options, target)) {
    const fs::path from = run_directory(target.sweep.directory, run);
    const fs::path to = fs::path(options.directory) / run_id(target.sweep.header.id, run);
    if (!fs::exists(from)) fail(kNotFound, fmt::format("run {} has left nothing", run));
    ok_or_fail(base::make_directories(to));
    for (const char* part : {"outputs", "logs", "stdout.log", "stderr.log"})
      copy_part(from / part, to / part);
    print(printable(to.lexically_normal().string()) + "\n");
  }
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
  add_home_option(parser, options->output_dir);
  return [options] { return download(*options); };
}

}  // namespace hdrive::cli
