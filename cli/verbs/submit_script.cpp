// SPDX-License-Identifier: Apache-2.0
//
// A single run of a script by a run configuration: a sweep of one run, kept and shown as any other.
#include <memory>

#include "cli/argument_parser.h"
#include "cli/config_arguments.h"
#include "cli/page.h"
#include "cli/verbs/run.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {
namespace {

struct Options {
  ConfigArguments config;
  RunOptions run;
};

}  // namespace

Action setup_submit_script(ArgumentParser& parser, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  options->config.script_follows = true;
  add_run_configuration_options(parser, options->config);
  parser.text("--name", options->config.name, "NAME", "A name to address the run by");
  add_run_options(parser, options->run, "submit-script", arguments);
  take_words(parser, options->config, arguments);
  return [options] {
    RunOptions& run = options->run;
    no_page_when_detached(run.ui, run.detach.asked);
    if (run.detach.asked) return start_detached(run.detach, run.output_dir);
    return run_sweep_of(load_single_run_or_fail(options->config), "", run);
  };
}

}  // namespace hdrive::cli
