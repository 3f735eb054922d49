// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "cli/argument_parser.h"
#include "cli/command.h"
#include "cli/lookup.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/portal.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep = "last";
  std::string output_dir;
  std::string file;
};

int report(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep, Several::newest);
  const std::string name = short_id(sweep.header.id) + ".html";
  const std::string file = options.file.empty() ? name : options.file;
  refuse_directory(file);
  write_output(file, value_or_fail(sweep_report(sweep.directory)));
  return kDone;
}

}  // namespace

Action setup_report(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep (default: last)");
  parser
      .text("-o,--output", options->file, "FILE",
            "The file to write (default: the beginning of the sweep's id, .html); - is the "
            "standard output")
      .completion = Completion::files;
  add_home_option(parser, options->output_dir);
  return [options] { return report(*options); };
}

}  // namespace hdrive::cli
