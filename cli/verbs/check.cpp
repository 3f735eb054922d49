// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/lookup.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/workspace.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep = "last";
  std::string output_dir;
};

int check(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep);
  long long runs = 0, metrics = 0;
  ok_or_fail(replay_sweep(sweep.directory, "", [&](const Change& change) {
    if (std::holds_alternative<RunProposed>(change)) ++runs;
    if (const auto* it = std::get_if<RunMetrics>(&change))
      metrics += static_cast<long long>(it->metrics.size());
  }));
  std::string files;
  if (const std::string& snapshot = sweep.header.snapshot; !snapshot.empty()) {
    const auto checked = check_snapshot(snapshot_store(sweep.directory.parent_path()), snapshot);
    if (!checked)
      fail(kCannot, fmt::format("{}; the database is sound. hdrive resume takes such a file from "
                                "the source folder, where it is what it was",
                                checked.error().message()));
    files = fmt::format(", and {} what was captured", base::plural(*checked, "file"));
  }
  print(fmt::format("{}: sound; {} and {} are what was written{}\n", short_id(sweep.header.id),
                    base::plural(runs, "run"), base::plural(metrics, "value"), files));
  return kDone;
}

}  // namespace

Action setup_check(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep (default: last)");
  add_home_option(parser, options->output_dir);
  return [options] { return check(*options); };
}

}  // namespace hdrive::cli
