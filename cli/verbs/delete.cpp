// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <set>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/lookup.h"
#include "cli/source_text.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/housekeeping.h"
#include "hdrive/overview.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::vector<std::string> sweeps;
  std::string output_dir;
  bool yes = false;
};

// All of them are found, and none is alive, before the first is deleted.
std::vector<SweepEntry> chosen(const Options& options) {
  if (options.sweeps.empty())
    fail(kWrong,
         "which sweeps? expected their names, as in: hdrive delete HD_1a2b; hdrive list "
         "shows them");
  std::vector<SweepEntry> result;
  std::set<std::string> ids;
  for (const std::string& selector : options.sweeps) {
    SweepEntry sweep = sweep_or_fail(options.output_dir, selector);
    at_rest_or_fail(sweep, "nothing was deleted", options.output_dir);
    if (ids.insert(sweep.header.id).second) result.push_back(std::move(sweep));
  }
  return result;
}

int delete_sweeps(const Options& options) {
  const auto sweeps = chosen(options);
  DiskUse all;
  for (const SweepEntry& sweep : sweeps) {
    const DiskUse use = disk_use(sweep.directory);
    all += use;
    if (options.yes) ok_or_fail(delete_sweep(sweep.directory));
    const std::string& name = sweep.header.name;
    print(fmt::format("{:<12} {:<14} {:>9}  {:>10}{}\n", short_id(sweep.header.id),
                      sweep_status_text(sweep), base::plural(sweep.runs, "run"),
                      size_text(use.bytes), name.empty() ? "" : "  " + printable(name)));
  }
  print(freed_text(all, options.yes, home_directory(options.output_dir)));
  return kDone;
}

}  // namespace

Action setup_delete(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  parser.texts("sweep", options->sweeps, "SWEEP...", "The sweeps").completion = Completion::sweeps;
  parser.flag("-y,--yes", options->yes, "Do it; without it is only told what would be freed");
  add_home_option(parser, options->output_dir);
  return [options] { return delete_sweeps(*options); };
}

}  // namespace hdrive::cli
